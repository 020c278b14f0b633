/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a manifest means exactly what was encoded, with every number whole; its text never changes unnoticed; fields
 * that a later version adds are ignored, all that is wrong is refused by name, and what is read in pieces is JSON. */
#include "document.h"
#include "json_out.h"
#include "made.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SEEDS = 100 };

static void same_object(const struct manifest_object *a, const struct manifest_object *b) {
    same_str(a->key, b->key);
    same_str(a->output, b->output);
    assert_int_equal(a->rejects, b->rejects);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->raw_bytes, b->raw_bytes);
    assert_int_equal(a->records, b->records);
    assert_int_equal(a->blocks, b->blocks);
    assert_int_equal(a->has_time, b->has_time);
    assert_int_equal(a->time_min_ns, b->time_min_ns);
    assert_int_equal(a->time_max_ns, b->time_max_ns);
    assert_int_equal(a->checksum, b->checksum);
    same_str(a->footer_base64, b->footer_base64);
    assert_int_equal(a->parts_len, b->parts_len);
    for (size_t i = 0; i < a->parts_len; i++) {
        const struct manifest_part *p = &a->parts[i], *q = &b->parts[i];
        same_id(p->file, q->file);
        assert_int_equal(p->stripe, q->stripe);
        assert_int_equal(p->from, q->from);
        assert_int_equal(p->to, q->to);
        same_id(p->attempt, q->attempt);
        assert_int_equal(p->blocks, q->blocks);
        assert_int_equal(p->records, q->records);
        assert_int_equal(p->raw_bytes, q->raw_bytes);
    }
}

static void same_manifest(const struct manifest *a, const struct manifest *b) {
    same_id(a->queue, b->queue);
    assert_int_equal(a->generation, b->generation);
    assert_int_equal(a->partition, b->partition);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->start, b->start);
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->epoch, b->epoch);
    same_settings(&a->settings, &b->settings);
    assert_int_equal(a->objects_len, b->objects_len);
    for (size_t i = 0; i < a->objects_len; i++) same_object(&a->objects[i], &b->objects[i]);
    assert_int_equal(a->attempts_len, b->attempts_len);
    for (size_t i = 0; i < a->attempts_len; i++) {
        same_attempt(&a->attempts[i].attempt, &b->attempts[i].attempt);
        same_counts(&a->attempts[i].counts, &b->attempts[i].counts);
        assert_int_equal(a->attempts[i].blocks, b->attempts[i].blocks);
        same_str(a->attempts[i].source, b->attempts[i].source);
        same_str(a->attempts[i].uri, b->attempts[i].uri);
    }
}

static void a_manifest_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        AUTO(buf_done) struct buf out = BUF_INIT(MANIFEST_BYTES_MAX);
        struct manifest manifest = made_manifest(&made), back;
        struct why why = {0};
        assert_int_equal(manifest_encode(&manifest, &out), RC_OK);
        if (manifest_decode(buf_str(&out), &arena, &back, &why) != RC_OK) fail_msg("seed %d: %s", (int)seed, why.text);
        buf_reset(&out);
        same_manifest(&back, &manifest);
    }
}

struct fixed {
    struct manifest_part parts[1];
    struct manifest_object objects[2];
    struct manifest_attempt attempts[1];
    struct manifest manifest;
};

static void fixed_make(struct fixed *f) {
    *f = (struct fixed){
        .parts = {{{{1}}, 0, 10, 30, {{3}}, 1, 2, 20}},
        .objects = {{STR("g1/dt=2026-01-01/x.jsonl.zst"), STR("dt=2026-01-01"), false, 500, 20, 2, 1, true, -1,
                     1767225600000000000, 0xf000000000000001, NULL, 1, STR("")},
                    {STR("_rejects/g1/source=a/x.jsonl.gz"), STR("source=a"), true, 50, 2, 1, 1, false, 0, 0, 2, NULL,
                     0, STR("AAEC")}},
        .attempts = {
            {{.generation = 1, .file = {{1}}, .from = 10, .to = 30, .id = {{3}}, .predecessor = {{2}}, .epoch = 4},
             {3, 2, 1, 0, 0, 2},
             1,
             STR("a"),
             STR("file:///\"a\"")}}};
    f->objects[0].parts = f->parts;
    f->manifest = (struct manifest){.queue = {{9}},
                                    .generation = 1,
                                    .partition = 2,
                                    .index = 3,
                                    .start = 40,
                                    .end = UINT64_MAX,
                                    .epoch = 4,
                                    .settings = {STR("jsonl.zst"), 1, 268435456, 2097152, STR("zstd 1.5.4")},
                                    .objects = f->objects,
                                    .objects_len = 2,
                                    .attempts = f->attempts,
                                    .attempts_len = 1};
}

static void the_text_is_fixed(void **state) {
    (void)state;
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(MANIFEST_BYTES_MAX);
    assert_int_equal(manifest_encode(&f.manifest, &out), RC_OK);
    same_text(
        &out,
        "{\"kind\":\"manifest\",\"version\":1,\"queue\":\"09000000000000000000000000000000\",\"generation\":1,"
        "\"partition\""
        ":2,\"index\":3,\"start\":40,\"end\":18446744073709551615,\"epoch\":4,\"settings\":{\"format\":\"jsonl.zst\","
        "\"level"
        "\":1,\"object_bytes\":268435456,\"block_bytes\":2097152,\"encoder\":\"zstd 1.5.4\"},\n"
        "\"objects\":[\n"
        "{\"key\":\"g1/dt=2026-01-01/"
        "x.jsonl.zst\",\"output\":\"dt=2026-01-01\",\"rejects\":false,\"bytes\":500,\"raw_byte"
        "s\":20,\"records\":2,\"blocks\":1,\"time_min_ns\":-1,\"time_max_ns\":1767225600000000000,\"checksum\":"
        "\"f0000000"
        "00000001\",\"parts\":[\n"
        "{\"file\":\"01000000000000000000000000000000\",\"stripe\":0,\"from\":10,\"to\":30,\"attempt\":"
        "\"03000000000000000"
        "000000000000000\",\"blocks\":1,\"records\":2,\"raw_bytes\":20}]},\n"
        "{\"key\":\"_rejects/g1/source=a/"
        "x.jsonl.gz\",\"output\":\"source=a\",\"rejects\":true,\"bytes\":50,\"raw_bytes\":2"
        ",\"records\":1,\"blocks\":1,\"checksum\":\"0000000000000002\",\"parts\":[],\"footer_base64\":\"AAEC\"}],\n"
        "\"attempts\":[\n"
        "{\"file\":\"01000000000000000000000000000000\",\"stripe\":0,\"from\":10,\"to\":30,\"attempt\":"
        "\"03000000000000000"
        "000000000000000\",\"predecessor\":\"02000000000000000000000000000000\",\"generation\":1,\"epoch\":4,\"lines\":"
        "3"
        ",\"converted\":2,\"rejects\":1,\"filtered\":0,\"blank\":0,\"records\":2,\"blocks\":1,\"source\":\"a\",\"uri\":"
        "\"file://"
        "/\\\"a\\\"\"}]}\n");
}

/* It is read in pieces; what is taken in pieces has to be one JSON text as a whole. */
static void must_be_json(struct str bytes) {
    AUTO(document_done) struct document whole = {0};
    struct why why = {0};
    if (document_open(&whole, bytes, "manifest", NULL, &why) != RC_OK)
        fail_msg("taken, and no JSON: %s: %.*s", why.text, (int)bytes.len, bytes.at);
}

static enum rc decode_again(struct str bytes, struct buf *out) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct manifest manifest;
    enum rc rc = manifest_decode(bytes, &arena, &manifest, NULL);
    if (rc == RC_OK) must_be_json(bytes);
    return rc == RC_OK ? manifest_encode(&manifest, out) : rc;
}

/* JSON has many texts of one meaning (and unknown keys), so that decoding only has to be safe, and to end in something
 * that can be encoded. */
static void changed_text_is_refused_or_is_another_manifest(void **state) {
    (void)state;
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(MANIFEST_BYTES_MAX);
    assert_int_equal(manifest_encode(&f.manifest, &out), RC_OK);
    hostile(buf_str(&out), decode_again, false);
}

/* The fixed manifest with the first `from` in its text replaced. */
static enum rc decode_with(const char *from, const char *to, struct why *why) {
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(MANIFEST_BYTES_MAX);
    AUTO(buf_done) struct buf changed = BUF_INIT(MANIFEST_BYTES_MAX);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    assert_int_equal(manifest_encode(&f.manifest, &out), RC_OK);
    const char *text = buf_text(&out), *hit = strstr(text, from);
    assert_non_null(hit);
    buf_add(&changed, (struct str){text, (size_t)(hit - text)});
    buf_add(&changed, str_of(to));
    buf_add(&changed, str_of(hit + strlen(from)));
    struct manifest back;
    return manifest_decode(buf_str(&changed), &arena, &back, why);
}

static void expect_bad(const char *from, const char *to, const char *words) {
    struct why why = {0};
    assert_int_equal(decode_with(from, to, &why), RC_BAD);
    if (!strstr(why.text, words)) fail_msg("\"%s\" does not hold \"%s\"", why.text, words);
}

static void unknown_fields_are_ignored(void **state) {
    (void)state;
    assert_int_equal(decode_with("{\"kind\"", "{\"new\":[1,{\"a\":null}],\"kind\"", NULL), RC_OK);
    assert_int_equal(decode_with("\"blocks\":1", "\"new\":\"x\",\"blocks\":1", NULL), RC_OK);
}

/* The layout of the text is free: other white space, other orders of keys, brackets and quotes within texts. */
static void any_layout_is_read(void **state) {
    (void)state;
    assert_int_equal(decode_with("\"objects\":[", " \"objects\" \t:\r\n [ ", NULL), RC_OK);
    assert_int_equal(decode_with("},\n{\"key\"", "}\n,{ \"x\" : \"]}\\\"[{,\\\\\" ,\"key\"", NULL), RC_OK);
    assert_int_equal(decode_with("\"parts\":[]", "\"new\":{\"parts\":[7]},\"parts\":[ ]", NULL), RC_OK);
    assert_int_equal(decode_with("\"attempts\":[", "\"new\":[\"attempts\",[]],\"attempts\":[", NULL), RC_OK);
}

static void broken_lists_are_refused(void **state) {
    (void)state;
    expect_bad("\"objects\":[\n", "\"objects\":[,", "objects[0]");
    expect_bad("},\n{\"key\"", "}\n{\"key\"", "objects[0]");
    expect_bad("}]},\n{\"key\"", "},]},\n{\"key\"", "parts[1]");
    expect_bad("}]}\n", "},]}\n", "attempts[1]");
    expect_bad("}]}\n", "}", "attempts is a list without an end");
    expect_bad("}]}\n", "}]}]", "manifest: ");
    expect_bad("\"objects\":[", "\"objects\":[{", "manifest: ");
    expect_bad("\"parts\":[]", "\"p\\u0061rts\":[{}]", "parts is not the first of its name");
    expect_bad("\"parts\":[]", "\"parts\":{},\"parts\":[]", "parts is not a list");
}

static void mistakes_are_named(void **state) {
    (void)state;
    expect_bad("\"kind\":\"manifest\"", "\"kind\":\"receipt\"", "kind");
    expect_bad("\"version\":1", "\"version\":2", "version 2");
    expect_bad("\"index\":3,", "", "index is missing");
    expect_bad("\"index\":3", "\"index\":-3", "index is not a number");
    expect_bad("\"index\":3", "\"index\":3.5", "index is not a number");
    expect_bad("\"index\":3", "\"index\":\"3\"", "index is not a number");
    expect_bad("\"partition\":2", "\"partition\":4294967296", "partition is not a number");
    expect_bad("\"end\":18446744073709551615", "\"end\":18446744073709551616", "manifest: ");
    expect_bad("\"end\":18446744073709551615", "\"end\":39", "end is before start");
    expect_bad("\"queue\":\"09", "\"queue\":\"0A", "queue is not an id");
    expect_bad("\"queue\":\"09", "\"queue\":\"9", "queue is not an id");
    expect_bad("\"checksum\":\"f", "\"checksum\":\"F", "objects[0]: checksum is not 16");
    expect_bad("\"checksum\":\"f", "\"checksum\":\"", "objects[0]: checksum is not 16");
    expect_bad("\"rejects\":false", "\"rejects\":0", "objects[0]: rejects is not true or false");
    expect_bad("\"from\":10", "\"from\":30", "objects[0]: parts[0]");
    expect_bad("\"lines\":3", "\"lines\":4", "attempts[0]: counts");
    expect_bad("\"uri\":\"file", "\"uri\":\"\\u0000file", "attempts[0]: uri: a NUL");
    expect_bad("\"objects\":[", "\"objects\":{},\"o\":[", "objects is not a list");
    expect_bad("\"objects\":[", "\"objects\":[7,", "objects[0]: key is missing");
    expect_bad("\"settings\":{", "\"settings\":[],\"s\":{", "settings is not an object");
}

/* Memory for a list is taken before its elements are read. */
static void a_list_longer_than_its_text_allows_is_refused(void **state) {
    (void)state;
    AUTO(buf_done) struct buf many = BUF_INIT(8 * 1024 * 1024);
    buf_add(&many, STR("\"objects\":[1"));
    for (size_t i = 0; i < 1000000; i++) buf_add(&many, STR(",1"));
    buf_add(&many, STR("],\"o\":["));
    expect_bad("\"objects\":[", buf_text(&many), "objects is not a list of objects");
}

static void a_footer_in_base64_comes_back(void **state) {
    (void)state;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7);
    for (size_t len = 1; len <= sizeof bytes; len++) {
        AUTO(buf_done) struct buf text = BUF_INIT(1024);
        struct json_out json = {.to = &text};
        json_base64(&json, (struct str){bytes, len});
        struct manifest_object object = {.footer_base64 = str_sub(buf_str(&text), 1, text.len - 1)};
        struct str back;
        assert_int_equal(manifest_footer(&object, &arena, &back), RC_OK);
        same_str(back, (struct str){bytes, len});
    }
}

static void other_texts_are_no_base64(void **state) {
    (void)state;
    static const char *const bad[] = {
        "A",    "AA",   "AAA",      "AAAAA",           "=AAA", "AA=A", "A===", "====", "AB==", "AAB=", "AA A",
        "AA-A", "AA_A", "AA==AAAA", "\xff\xff\xff\xff"};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct str out;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct manifest_object object = {.footer_base64 = str_of(bad[i])};
        if (manifest_footer(&object, &arena, &out) != RC_BAD) fail_msg("%s is taken", bad[i]);
    }
    struct manifest_object none = {0};
    assert_int_equal(manifest_footer(&none, &arena, &out), RC_ABSENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_comes_back),
        cmocka_unit_test(the_text_is_fixed),
        cmocka_unit_test(changed_text_is_refused_or_is_another_manifest),
        cmocka_unit_test(unknown_fields_are_ignored),
        cmocka_unit_test(any_layout_is_read),
        cmocka_unit_test(broken_lists_are_refused),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_list_longer_than_its_text_allows_is_refused),
        cmocka_unit_test(a_footer_in_base64_comes_back),
        cmocka_unit_test(other_texts_are_no_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
