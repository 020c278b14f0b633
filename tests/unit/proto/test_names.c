/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every key is made of what it names in one way, and what reads a key takes no other. */
#include "names.h"
#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct id queue = {{0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}};
#define QUEUE "abcdef0102030405060708090a0b0c0d"

static struct name_object object(void) {
    return (struct name_object){.generation = 3,
                                .output = STR("dt=2026-01-01/status=200"),
                                .queue = queue,
                                .partition = 7,
                                .start = 42,
                                .format = STR("jsonl.zst")};
}

static void expect_object(const struct name_object *o, const char *key) {
    AUTO(buf_done) struct buf out = BUF_INIT(NAME_MAX_BYTES);
    assert_int_equal(name_object(o, &out), RC_OK);
    assert_string_equal(buf_text(&out), key);
    struct name_object back;
    assert_int_equal(name_object_parse(buf_str(&out), &back), RC_OK);
    assert_int_equal(back.generation, o->generation);
    assert_true(str_equal(back.output, o->output));
    assert_int_equal(back.rejects, o->rejects);
    assert_true(id_equal(back.queue, o->queue));
    assert_int_equal(back.partition, o->partition);
    assert_int_equal(back.start, o->start);
    assert_int_equal(back.number, o->number);
    assert_true(str_equal(back.format, o->format));
}

static void objects_have_one_key(void **state) {
    (void)state;
    struct name_object o = object();
    expect_object(&o, "g3/dt=2026-01-01/status=200/" QUEUE "-p7-00000000000000000042.jsonl.zst");
    o.number = 12;
    expect_object(&o, "g3/dt=2026-01-01/status=200/" QUEUE "-p7-00000000000000000042-12.jsonl.zst");
    o = object();
    o.rejects = true;
    o.output = STR("source=a.b");
    expect_object(&o, "_rejects/g3/source=a.b/" QUEUE "-p7-00000000000000000042.jsonl.zst");
    o = object();
    o.output = STR("");
    o.generation = UINT64_MAX;
    o.partition = UINT32_MAX;
    o.start = UINT64_MAX;
    o.number = UINT32_MAX;
    o.format = STR("jsonl.gz");
    expect_object(&o, "g18446744073709551615/" QUEUE "-p4294967295-18446744073709551615-4294967295.jsonl.gz");
}

static void outputs_that_are_no_path_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/."};
    AUTO(buf_done) struct buf out = BUF_INIT(NAME_MAX_BYTES);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct name_object o = object();
        o.output = str_of(bad[i]);
        if (name_object(&o, &out) != RC_BAD) fail_msg("\"%s\" is taken", bad[i]);
    }
    struct name_object o = object();
    o.output = STR("a\0b");
    assert_int_equal(name_object(&o, &out), RC_BAD);
    o = object();
    o.format = STR("a/b");
    assert_int_equal(name_object(&o, &out), RC_BAD);
    o.format = STR("");
    assert_int_equal(name_object(&o, &out), RC_BAD);
    assert_int_equal(out.len, 0);
}

static void long_keys_are_refused(void **state) {
    (void)state;
    char text[NAME_MAX_BYTES + 1];
    memset(text, 'x', sizeof text);
    AUTO(buf_done) struct buf out = BUF_INIT(2 * NAME_MAX_BYTES);
    struct name_object o = object();
    o.output = (struct str){text, NAME_PART_MAX};
    assert_int_equal(name_object(&o, &out), RC_OK);
    o.output.len++;
    assert_int_equal(name_object(&o, &out), RC_BAD);
    for (size_t i = 200; i < sizeof text; i += 200) text[i] = '/';
    o.output = (struct str){text, NAME_MAX_BYTES};
    assert_int_equal(name_object(&o, &out), RC_LIMIT);
}

static void other_keys_are_no_objects(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "g3",
        "g3/",
        "g03/" QUEUE "-p7-00000000000000000042.jsonl.zst",
        "h3/" QUEUE "-p7-00000000000000000042.jsonl.zst",
        "g/" QUEUE "-p7-00000000000000000042.jsonl.zst",
        "g18446744073709551616/" QUEUE "-p7-00000000000000000042.jsonl.zst",
        "g3//" QUEUE "-p7-00000000000000000042.jsonl.zst",
        "g3/../" QUEUE "-p7-00000000000000000042.jsonl.zst",
        "g3/a/ABCDEF0102030405060708090a0b0c0d-p7-00000000000000000042.jsonl.zst",
        "g3/a/" QUEUE "0-p7-00000000000000000042.jsonl.zst",
        "g3/a/" QUEUE "-7-00000000000000000042.jsonl.zst",
        "g3/a/" QUEUE "-p07-00000000000000000042.jsonl.zst",
        "g3/a/" QUEUE "-p4294967296-00000000000000000042.jsonl.zst",
        "g3/a/" QUEUE "-p7-0000000000000000042.jsonl.zst",
        "g3/a/" QUEUE "-p7-99999999999999999999.jsonl.zst",
        "g3/a/" QUEUE "-p7-00000000000000000042-0.jsonl.zst",
        "g3/a/" QUEUE "-p7-00000000000000000042-01.jsonl.zst",
        "g3/a/" QUEUE "-p7-00000000000000000042-.jsonl.zst",
        "g3/a/" QUEUE "-p7-00000000000000000042-1-2.jsonl.zst",
        "g3/a/" QUEUE "-p7-00000000000000000042.",
        "g3/a/" QUEUE "-p7-00000000000000000042..",
        "g3/a/" QUEUE "-p7-00000000000000000042",
        "_seals/" QUEUE "/g3/p7/00000000000000000042",
        "_rejects/" QUEUE "-p7-00000000000000000042.jsonl.zst",
    };
    struct name_object back;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (name_object_parse(str_of(bad[i]), &back) != RC_BAD) fail_msg("\"%s\" is taken", bad[i]);
}

static void the_other_keys(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(NAME_MAX_BYTES);
    assert_int_equal(name_seal(queue, 3, 7, 42, &out), RC_OK);
    assert_string_equal(buf_text(&out), "_seals/" QUEUE "/g3/p7/00000000000000000042");
    buf_reset(&out);
    assert_int_equal(name_manifest(queue, 3, 7, 42, &out), RC_OK);
    assert_string_equal(buf_text(&out), "_manifests/" QUEUE "/g3/p7/00000000000000000042.json");
    buf_reset(&out);
    assert_int_equal(name_manifests_prefix(queue, 3, &out), RC_OK);
    assert_string_equal(buf_text(&out), "_manifests/" QUEUE "/g3/");
    buf_reset(&out);
    assert_int_equal(name_seals_prefix(queue, 3, &out), RC_OK);
    assert_string_equal(buf_text(&out), "_seals/" QUEUE "/g3/");
    buf_reset(&out);
    assert_int_equal(name_receipts_prefix(3, &out), RC_OK);
    assert_string_equal(buf_text(&out), "_receipts/g3/");
    buf_reset(&out);
    assert_int_equal(name_receipt(3, queue, 99, &out), RC_OK);
    assert_string_equal(buf_text(&out), "_receipts/g3/" QUEUE "-99.json");
    buf_reset(&out);
    assert_int_equal(name_removed(queue, 3, &out), RC_OK);
    assert_string_equal(buf_text(&out), "_manifests/" QUEUE "/g3/removed.json");
    assert_true(name_is_removed(buf_str(&out)));
    assert_false(name_is_removed(STR("_manifests/" QUEUE "/g3/p0/00000000000000000042.json")));
    assert_false(name_is_removed(STR("_seals/" QUEUE "/g3/removed.json")));
}

static void receipts_are_parsed_back(void **state) {
    (void)state;
    struct id id;
    uint64_t generation = 0, end = 0;
    assert_int_equal(name_receipt_parse(STR("_receipts/g3/" QUEUE "-99.json"), &generation, &id, &end), RC_OK);
    assert_true(id_equal(id, queue));
    assert_int_equal(generation, 3);
    assert_int_equal(end, 99);
    static const char *const bad[] = {"_receipts/g3/" QUEUE "-99",       "_receipts/g3/" QUEUE ".json",
                                      "_receipts/g3/" QUEUE "-099.json", "_receipts/g3/" QUEUE "-9-9.json",
                                      "_receipts/3/" QUEUE "-99.json",   "_receipts/" QUEUE "-99.json",
                                      "_receipts/g3/x-99.json",          "_receipts/.json",
                                      "receipts/g3/" QUEUE "-99.json",   ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (name_receipt_parse(str_of(bad[i]), &generation, &id, &end) != RC_BAD) fail_msg("\"%s\" is taken", bad[i]);
}

static void losses_are_parsed_back(void **state) {
    (void)state;
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    struct name_loss loss = {3, queue, 4, 500, 700, queue, 12}, back = {0};
    assert_int_equal(name_loss(&loss, &key), RC_OK);
    assert_string_equal(buf_text(&key), "_ledger/losses/g3/" QUEUE "-4-500-700-" QUEUE "-12");
    assert_int_equal(name_loss_parse(buf_str(&key), &back), RC_OK);
    assert_memory_equal(&loss, &back, sizeof loss);
    static const char *const bad[] = {"_ledger/losses/g3/" QUEUE "-4-700-500-" QUEUE "-12",
                                      "_ledger/losses/g3/" QUEUE "-4-500-700-" QUEUE,
                                      "_ledger/losses/g3/" QUEUE "-4-500-700-" QUEUE "-x",
                                      "_ledger/losses/3/" QUEUE "-4-500-700-" QUEUE "-12",
                                      "_ledger/losses/g3/" QUEUE "-4-500-" QUEUE "-12",
                                      "_ledger/losses/g3/x-4-500-700-" QUEUE "-12",
                                      "_ledger/losses/",
                                      ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (name_loss_parse(str_of(bad[i]), &back) != RC_BAD) fail_msg("\"%s\" is taken", bad[i]);
}

static void manifests_are_parsed_back(void **state) {
    (void)state;
    struct id id;
    uint64_t generation = 0, index = 0;
    uint32_t partition = 0;
    assert_int_equal(name_manifest_parse(STR("_manifests/" QUEUE "/g3/p7/00000000000000000042.json"), &id, &generation,
                                         &partition, &index),
                     RC_OK);
    assert_true(id_equal(id, queue));
    assert_int_equal(generation, 3);
    assert_int_equal(partition, 7);
    assert_int_equal(index, 42);
    static const char *const bad[] = {"_manifests/" QUEUE "/g3/p7/00000000000000000042",
                                      "_manifests/" QUEUE "/g3/p7/42.json",
                                      "_manifests/" QUEUE "/g3/p7/x/00000000000000000042.json",
                                      "_manifests/" QUEUE "/g3/00000000000000000042.json",
                                      "_manifests/" QUEUE "/p7/g3/00000000000000000042.json",
                                      "_manifests//g3/p7/00000000000000000042.json",
                                      "manifests/" QUEUE "/g3/p7/00000000000000000042.json",
                                      "_manifests/.json",
                                      ".json",
                                      ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (name_manifest_parse(str_of(bad[i]), &id, &generation, &partition, &index) != RC_BAD)
            fail_msg("\"%s\" is taken", bad[i]);
}

static void seals_are_parsed_back(void **state) {
    (void)state;
    struct id id;
    uint64_t generation = 0, index = 0;
    uint32_t partition = 0;
    struct str key = STR("_seals/" QUEUE "/g3/p7/00000000000000000042");
    assert_int_equal(name_seal_parse(key, &id, &generation, &partition, &index), RC_OK);
    assert_true(id_equal(id, queue));
    assert_int_equal(generation, 3);
    assert_int_equal(partition, 7);
    assert_int_equal(index, 42);
    static const char *const bad[] = {"_seals/" QUEUE "/g3/p7/00000000000000000042.json",
                                      "_seals/" QUEUE "/g3/p7/42",
                                      "_seals/" QUEUE "/g3/p7/",
                                      "_manifests/" QUEUE "/g3/p7/00000000000000000042",
                                      "_seals/",
                                      ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (name_seal_parse(str_of(bad[i]), &id, &generation, &partition, &index) != RC_BAD)
            fail_msg("\"%s\" is taken", bad[i]);
}

static void a_full_buffer_stays_as_it_was(void **state) {
    (void)state;
    struct name_object o = object();
    for (size_t cap = 0; cap < 60; cap++) {
        AUTO(buf_done) struct buf out = BUF_INIT(cap);
        assert_int_equal(name_object(&o, &out), RC_LIMIT);
        assert_int_equal(name_seal(queue, 3, 7, 42, &out), RC_LIMIT);
        assert_int_equal(out.len, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_have_one_key),   cmocka_unit_test(outputs_that_are_no_path_are_refused),
        cmocka_unit_test(long_keys_are_refused),  cmocka_unit_test(other_keys_are_no_objects),
        cmocka_unit_test(the_other_keys),         cmocka_unit_test(receipts_are_parsed_back),
        cmocka_unit_test(losses_are_parsed_back), cmocka_unit_test(manifests_are_parsed_back),
        cmocka_unit_test(seals_are_parsed_back),  cmocka_unit_test(a_full_buffer_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
