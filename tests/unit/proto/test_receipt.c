/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: receipts, identities and tombstones mean exactly what was encoded, their texts never change unnoticed, and
 * no other text does harm. */
#include "made.h"
#include "own.h"
#include "removed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SEEDS = 100, CAP = 1024 * 1024 };

static void a_receipt_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        AUTO(buf_done) struct buf out = BUF_INIT(CAP);
        struct receipt a = made_receipt(&made), b;
        assert_int_equal(receipt_encode(&a, &out), RC_OK);
        assert_int_equal(receipt_decode(buf_str(&out), &arena, &b, NULL), RC_OK);
        buf_reset(&out);
        same_id(a.file, b.file);
        same_facts(&a.facts, &b.facts);
        assert_int_equal(a.generation, b.generation);
        assert_int_equal(a.end, b.end);
        same_counts(&a.counts, &b.counts);
        assert_int_equal(a.stripes, b.stripes);
        assert_int_equal(a.written_ns, b.written_ns);
        assert_int_equal(a.objects_len, b.objects_len);
        for (size_t i = 0; i < a.objects_len; i++) {
            same_str(a.objects[i].key, b.objects[i].key);
            assert_int_equal(a.objects[i].rejects, b.objects[i].rejects);
            assert_int_equal(a.objects[i].records, b.objects[i].records);
        }
    }
}

static struct receipt fixed_receipt(struct receipt_object objects[2]) {
    objects[0] = (struct receipt_object){STR("g1/x.jsonl.zst"), false, 4};
    objects[1] = (struct receipt_object){STR("_rejects/g1/source=a/x.jsonl.zst"), true, 1};
    return (struct receipt){.file = {{1}},
                            .facts = {.source = STR("a"),
                                      .uri = STR("file:///a"),
                                      .inode = UINT64_MAX,
                                      .birth_ns = INT64_MIN,
                                      .volume = 3,
                                      .prefix_len = 4,
                                      .prefix_hash = 5,
                                      .stripe_bytes = 6},
                            .generation = 1,
                            .end = 300,
                            .counts = {6, 4, 1, 0, 1, 4},
                            .stripes = 1,
                            .objects = objects,
                            .objects_len = 2,
                            .written_ns = 7};
}

static void the_texts_are_fixed(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(CAP);
    struct receipt_object objects[2];
    struct receipt receipt = fixed_receipt(objects);
    assert_int_equal(receipt_encode(&receipt, &out), RC_OK);
    same_text(
        &out,
        "{\"kind\":\"receipt\",\"version\":1,\"file\":\"01000000000000000000000000000000\",\"source\":\"a\",\"uri\":"
        "\"file:///"
        "a\",\"inode\":18446744073709551615,\"birth_ns\":-9223372036854775808,\"volume\":3,\"prefix_len\":4,\"prefix_ha"
        "sh\":\"0000000000000005\",\"stripe_bytes\":6,\"generation\":1,\"end\":300,\"stripes\":1,\n"
        "\"lines\":6,\"converted\":4,\"rejects\":1,\"filtered\":0,\"blank\":1,\"records\":4,\"written_ns\":7,\n"
        "\"objects\":[\n"
        "{\"key\":\"g1/x.jsonl.zst\",\"rejects\":false,\"records\":4},\n"
        "{\"key\":\"_rejects/g1/source=a/x.jsonl.zst\",\"rejects\":true,\"records\":1}]}\n");
    buf_reset(&out);
    struct identity identity = {STR("web"), {{1}}, {{2}}, 4};
    assert_int_equal(identity_encode(&identity, &out), RC_OK);
    same_text(&out, "{\"kind\":\"identity\",\"version\":1,\"pipeline\":\"web\",\"ledger\":"
                    "\"01000000000000000000000000000000\",\"queue\":"
                    "\"02000000000000000000000000000000\",\"partitions\":4}\n");
    buf_reset(&out);
    struct removed removed = {{{2}}, 7, 1767226000000000000};
    assert_int_equal(removed_encode(&removed, &out), RC_OK);
    same_text(&out, "{\"kind\":\"removed\",\"version\":1,\"queue\":\"02000000000000000000000000000000\","
                    "\"generation\":7,\"removed_ns\":1767226000000000000}\n");
}

static enum rc decode_receipt(struct str bytes, struct buf *out) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct receipt receipt;
    enum rc rc = receipt_decode(bytes, &arena, &receipt, NULL);
    return rc == RC_OK ? receipt_encode(&receipt, out) : rc;
}

static enum rc decode_identity(struct str bytes, struct buf *out) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct identity identity;
    enum rc rc = identity_decode(bytes, &arena, &identity, NULL);
    return rc == RC_OK ? identity_encode(&identity, out) : rc;
}

static enum rc decode_removed(struct str bytes, struct buf *out) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct removed removed;
    enum rc rc = removed_decode(bytes, &arena, &removed, NULL);
    return rc == RC_OK ? removed_encode(&removed, out) : rc;
}

static void changed_texts_are_refused_or_are_others(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(CAP);
    struct receipt_object objects[2];
    struct receipt receipt = fixed_receipt(objects);
    assert_int_equal(receipt_encode(&receipt, &out), RC_OK);
    hostile(buf_str(&out), decode_receipt, false);
    buf_reset(&out);
    struct identity identity = {STR("web"), {{1}}, {{2}}, 4};
    assert_int_equal(identity_encode(&identity, &out), RC_OK);
    hostile(buf_str(&out), decode_identity, false);
    buf_reset(&out);
    struct removed removed = {{{2}}, 7, -1};
    assert_int_equal(removed_encode(&removed, &out), RC_OK);
    hostile(buf_str(&out), decode_removed, false);
}

static void an_identity_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(buf_done) struct buf out = BUF_INIT(CAP);
        struct identity a = {made_text(&made, 1, 64), made_id(&made), made_id(&made),
                             1 + ((uint32_t)made_number(&made) >> 1)},
                        b;
        assert_int_equal(identity_encode(&a, &out), RC_OK);
        assert_int_equal(identity_decode(buf_str(&out), &made.arena, &b, NULL), RC_OK);
        same_str(a.pipeline, b.pipeline);
        same_id(a.ledger, b.ledger);
        same_id(a.queue, b.queue);
        assert_int_equal(a.partitions, b.partitions);
    }
}

static void a_tombstone_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(buf_done) struct buf out = BUF_INIT(CAP);
        struct removed a = {made_id(&made), made_number(&made), (int64_t)made_number(&made)}, b;
        assert_int_equal(removed_encode(&a, &out), RC_OK);
        assert_int_equal(removed_decode(buf_str(&out), &made.arena, &b, NULL), RC_OK);
        same_id(a.queue, b.queue);
        assert_int_equal(a.generation, b.generation);
        assert_int_equal(a.removed_ns, b.removed_ns);
    }
}

static void what_cannot_be_is_not_written(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(CAP);
    struct identity none = {STR("web"), {{1}}, {{0}}, 4}, empty = {STR("web"), {{1}}, {{2}}, 0};
    assert_int_equal(identity_encode(&none, &out), RC_BAD);
    assert_int_equal(identity_encode(&empty, &out), RC_BAD);
    struct receipt_object objects[2];
    struct receipt receipt = fixed_receipt(objects);
    receipt.counts.blank++;
    assert_int_equal(receipt_encode(&receipt, &out), RC_BAD);
    receipt = fixed_receipt(objects);
    objects[1].key = STR("");
    assert_int_equal(receipt_encode(&receipt, &out), RC_BAD);
    assert_int_equal(out.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_comes_back),
        cmocka_unit_test(the_texts_are_fixed),
        cmocka_unit_test(changed_texts_are_refused_or_are_others),
        cmocka_unit_test(an_identity_comes_back),
        cmocka_unit_test(a_tombstone_comes_back),
        cmocka_unit_test(what_cannot_be_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
