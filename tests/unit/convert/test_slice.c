/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every line of a slice is counted once and its record stands once, in order, in its output; rejects say where
 * they are from; memory is bounded by stopping at a line's end. */
#include "made.h"

#include "alloc.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define FILE_ID "abababababababababababababababab"
#define PLACE "{\"source\":\"src\",\"uri\":\"/in.log\",\"file\":\"" FILE_ID "\",\"generation\":3,\"stripe\":2,"

static void expect_rejects(const struct made *made, const char *expected) {
    AUTO(own_free) char *text = made_text(made_rejects(made));
    assert_string_equal(text, expected);
}

static void rejects_say_where_they_are_from(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .offset = 1000},
              STR("{\"a\":1}\nbad \"x\"\r\n\n[1]\nnot\xff\nend"));
    assert_string_equal(made_rejects(&made)->path.at, "source=src");
    expect_rejects(&made, PLACE "\"line_in_stripe\":11,\"offset\":1008,\"length\":7,\"reason\":\"json\",\"raw\":\"bad "
                                "\\\"x\\\"\"}\n" PLACE "\"line_in_stripe\":13,\"offset\":1018,\"length\":3,\"reason\":"
                                "\"not an object\",\"raw\":\"[1]\"}\n" PLACE
                                "\"line_in_stripe\":14,\"offset\":1022,\"length\":4,\"reason\":\"utf8\",\"raw_base64\":"
                                "\"bm90/w==\"}\n" PLACE "\"line_in_stripe\":15,\"offset\":1027,\"length\":3,\"reason\":"
                                "\"json\",\"raw\":\"end\"}\n");
    made_expect_counts(&made, "6/1/4/1");
    assert_int_equal(made.result->counts.records, 1);
}

static void long_rejects_are_cut_between_characters(void **state) {
    (void)state;
    size_t len = SLICE_RAW_MAX + 10;
    AUTO(own_free) char *line = alloc_bytes(len);
    memset(line, 'x', len);
    memcpy(line + SLICE_RAW_MAX - 1, "\xc3\xa9", 2);
    AUTO(made_done) struct made made, whole, binary;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON}, (struct str){line, len});
    AUTO(own_free) char *text = made_text(made_rejects(&made));
    assert_non_null(strstr(text, "\"length\":65546,"));
    assert_non_null(strstr(text, "x\",\"truncated\":true}\n"));
    assert_int_equal(strlen(strstr(text, "\"raw\":\"")), 7 + SLICE_RAW_MAX - 1 + strlen("\",\"truncated\":true}\n"));
    made_init(&whole, &(struct made_settings){.kind = CONVERTER_NDJSON}, (struct str){line, SLICE_RAW_MAX - 1});
    AUTO(own_free) char *uncut = made_text(made_rejects(&whole));
    assert_null(strstr(uncut, "truncated"));
    line[5] = '\xff';
    made_init(&binary, &(struct made_settings){.kind = CONVERTER_NDJSON}, (struct str){line, len});
    AUTO(own_free) char *base64 = made_text(made_rejects(&binary));
    assert_non_null(strstr(base64, "\"raw_base64\":\""));
    assert_non_null(strstr(base64, "\"truncated\":true"));
}

static void the_worst_reject_fits(void **state) {
    (void)state;
    AUTO(own_free) char *line = alloc_bytes(SLICE_RAW_MAX), *uri = alloc_bytes(100000);
    memset(line, '\x01', SLICE_RAW_MAX);
    memset(uri, '\x02', 100000);
    AUTO(made_done) struct made made;
    made_open(&made, &(struct made_settings){.kind = CONVERTER_NDJSON});
    struct slice_place place = {.uri = {uri, 100000}, .generation = UINT64_MAX, .stripe = UINT64_MAX};
    slice_begin(made.slice, made.converter, &place);
    made_add(&made, (struct str){line, SLICE_RAW_MAX}, UINT64_MAX / 2);
    assert_int_equal(made.result->counts.rejects, 1);
}

static void lines_that_the_reader_did_not_keep_are_rejects(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_open(&made, &(struct made_settings){.kind = CONVERTER_RAW});
    slice_add_too_long(made.slice, 5, 1ull << 40, STR("head"));
    made_add(&made, STR("next\n"), 5 + (1ull << 40) + 1);
    expect_rejects(&made, PLACE "\"line_in_stripe\":10,\"offset\":5,\"length\":1099511627776,\"reason\":\"too long\","
                                "\"raw\":\"head\",\"truncated\":true}\n");
    made_expect(&made, "", "next\n");
    made_expect_counts(&made, "2/1/1/0");
}

static void records_stand_in_the_input_where_they_can(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "{k}"},
              STR("{\"k\":1}\n{\"k\":1}\n{\"k\":2}\n{\"k\":1}\r\n{\"k\":1}\n{\"k\":1}"));
    const struct slice_pieces *pieces = made_output(&made, "1")->pieces;
    assert_int_equal(pieces->count, 4);
    assert_ptr_equal(pieces->at[0].at, made.bytes);
    assert_int_equal(pieces->at[0].records, 2);
    assert_int_equal(pieces->at[0].bytes, 16);
    assert_ptr_equal(pieces->at[2].at, made.bytes + 33);
    made_expect(&made, "1", "{\"k\":1}\n{\"k\":1}\n{\"k\":1}\n{\"k\":1}\n{\"k\":1}\n");
    assert_ptr_equal(made_output(&made, "2")->pieces->at[0].at, made.bytes + 16);
}

static void pieces_of_many_records_are_bounded(void **state) {
    (void)state;
    size_t len = 5 * SLICE_PIECE_MAX;
    AUTO(own_free) char *text = alloc_bytes(len);
    for (size_t i = 0; i < len; i++) text[i] = i % 100 == 99 ? '\n' : 'x';
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_RAW}, (struct str){text, len - len % 100});
    AUTO(own_free) char *out = made_text(made_output(&made, "")); /* checks the bound */
    assert_memory_equal(out, text, len - len % 100);
    assert_true(made_output(&made, "")->pieces->count >= 2);
}

static void too_many_outputs_overflow(void **state) {
    (void)state;
    char text[4000];
    size_t n = 0;
    for (int i = 0; i < 100; i++) n += (size_t)sprintf(text + n, "{\"k\":%d}\n", i % 50);
    AUTO(made_done) struct made made;
    made_init(&made,
              &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "k={k}", .limits = {.outputs_max = 10}},
              (struct str){text, n});
    assert_int_equal(made.result->output_count, 11);
    assert_int_equal(made.result->counts.overflow, 80);
    assert_int_equal(made_output(&made, "k=__OVERFLOW__")->records, 80);
    for (int i = 0; i < 10; i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "k=%d", i);
        assert_int_equal(made_output(&made, path)->records, 2);
    }
}

/* "k=__OVERFLOW__" as data is a partition like any other until the overflow needs it. */
static void data_that_names_the_overflow_shares_its_output(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made,
              &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "k={k}", .limits = {.outputs_max = 1}},
              STR("{\"k\":\"__OVERFLOW__\"}\n{\"k\":2}\n{\"k\":3}\n"));
    assert_int_equal(made.result->output_count, 1);
    assert_int_equal(made.result->outputs[0].records, 3);
}

static void different_values_with_one_path_share_an_output(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(
        &made, &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "k={k}"},
        STR("{\"k\":1}\n{\"k\":\"1\"}\n{\"k\":null}\n{}\n{\"k\":\"\"}\n{\"k\":\"__HIVE_DEFAULT_PARTITION__\"}\n"));
    assert_int_equal(made.result->output_count, 2);
    assert_int_equal(made_output(&made, "k=1")->records, 2);
    assert_int_equal(made_output(&made, "k=__HIVE_DEFAULT_PARTITION__")->records, 4);
}

static void values_do_not_run_into_each_other(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "{a}/{b}"},
              STR("{\"a\":\"xy\",\"b\":\"z\"}\n{\"a\":\"x\",\"b\":\"yz\"}\n{\"b\":\"xyz\"}\n{\"a\":\"xyz\"}\n"));
    assert_int_equal(made.result->output_count, 4);
}

static void values_longer_than_a_key_are_routed_too(void **state) {
    (void)state;
    char text[9000];
    size_t n = 0;
    for (int i = 0; i < 6; i++) n += (size_t)sprintf(text + n, "{\"k\":\"%0*d\"}\n", 1200, i % 3);
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "k={k}"}, (struct str){text, n});
    assert_int_equal(made.result->output_count, 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(made.result->outputs[i].records, 2);
}

static void a_full_slice_stops_at_a_line_and_goes_on(void **state) {
    (void)state;
    enum { LINES = 20000 };
    AUTO(own_free) char *text = alloc_bytes(LINES * 4 + JSON_PADDING);
    for (size_t i = 0; i < LINES; i++) memcpy(text + 4 * i, i % 2 ? "bad\n" : "{}\r\n", 4);
    AUTO(made_done) struct made made;
    made_open(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .limits = {.bytes_max = 600000}});
    size_t at = 0, slices = 0, lines = 0, rejects = 0;
    while (at < LINES * 4) {
        size_t taken = 0;
        slice_begin(made.slice, made.converter, &(struct slice_place){.line_in_stripe = lines});
        slice_add(made.slice, (struct str){text + at, LINES * 4 - at}, at, &taken);
        const struct slice_result *result = slice_result(made.slice);
        assert_true(taken > 0 && taken % 4 == 0);
        assert_int_equal(result->counts.lines, taken / 4);
        free(made_text(&result->outputs[0]));
        at += taken;
        lines += result->counts.lines;
        rejects += result->counts.rejects;
        assert_int_equal(slice_full(made.slice), at < LINES * 4);
        slices++;
    }
    assert_int_equal(lines, LINES);
    assert_int_equal(rejects, LINES / 2);
    assert_true(slices > 3);
}

static void a_line_over_the_bound_is_still_taken(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_RAW, .limits = {.bytes_max = 1}}, STR("a\nb\n"));
    assert_int_equal(made.taken, 2);
    made_expect(&made, "", "a\n");
}

/* Sizes around those of batches and of the line table. */
static void batches_join_without_a_seam(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 31, 4095, 65535, 65536, 131070, 131071, 131072, 131073, 300000};
    size_t len = 0, lines = 0;
    AUTO(own_free) char *text = alloc_bytes(8u << 20);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t repeat = sizes[i] < 32 ? 9000 : 2; repeat; repeat--) {
            memset(text + len, 'x', sizes[i]);
            len += sizes[i];
            text[len++] = '\n';
            lines++;
        }
    }
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_RAW}, (struct str){text, len});
    assert_int_equal(made.result->counts.converted, lines);
    assert_int_equal(made.taken, len);
    AUTO(own_free) char *out = made_text(made_output(&made, ""));
    assert_memory_equal(out, text, len);
}

static void a_slice_can_be_used_again_for_another_source(void **state) {
    (void)state;
    AUTO(made_done) struct made raw, json;
    made_init(&raw, &(struct made_settings){.kind = CONVERTER_RAW}, STR("x\n"));
    made_init(&json, &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "k={k}"}, STR("{\"k\":1}\n"));
    size_t taken = 0;
    slice_begin(json.slice, raw.converter, &(struct slice_place){.uri = STR("/b")});
    assert_int_equal(slice_result(json.slice)->output_count, 0);
    slice_add(json.slice, (struct str){raw.bytes, 2}, 0, &taken);
    assert_int_equal(slice_result(json.slice)->output_count, 1);
    assert_int_equal(slice_result(json.slice)->counts.lines, 1);
    made_expect(&json, "", "x\n");
    slice_add(json.slice, (struct str){raw.bytes, 0}, 2, &taken);
    assert_int_equal(taken, 0);
}

/* Interleaved outputs against a count by hand. */
static void many_outputs_keep_the_order_of_the_input(void **state) {
    (void)state;
    enum { LINES = 30000, KEYS = 300 };
    struct rng rng = rng_from_seed(5);
    AUTO(own_free) char *text = alloc_bytes(LINES * 40);
    static char expected[KEYS][LINES];
    static size_t lens[KEYS];
    size_t n = 0;
    for (int i = 0; i < LINES; i++) {
        uint64_t key = rng_below(&rng, KEYS);
        size_t len = (size_t)sprintf(text + n, "{\"n\":%d,\"k\":%d}%s\n", i, (int)key, rng_below(&rng, 4) ? "" : "\r");
        size_t bare = text[n + len - 2] == '\r' ? len - 2 : len - 1;
        memcpy(expected[key] + lens[key], text + n, bare);
        lens[key] += bare;
        expected[key][lens[key]++] = '\n';
        n += len;
    }
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "{k}"}, (struct str){text, n});
    assert_int_equal(made.result->output_count, KEYS);
    for (int k = 0; k < KEYS; k++) {
        char path[16];
        (void)snprintf(path, sizeof path, "%d", k);
        expected[k][lens[k]] = '\0';
        made_expect(&made, path, expected[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects_say_where_they_are_from),
        cmocka_unit_test(long_rejects_are_cut_between_characters),
        cmocka_unit_test(the_worst_reject_fits),
        cmocka_unit_test(lines_that_the_reader_did_not_keep_are_rejects),
        cmocka_unit_test(records_stand_in_the_input_where_they_can),
        cmocka_unit_test(pieces_of_many_records_are_bounded),
        cmocka_unit_test(too_many_outputs_overflow),
        cmocka_unit_test(data_that_names_the_overflow_shares_its_output),
        cmocka_unit_test(different_values_with_one_path_share_an_output),
        cmocka_unit_test(values_do_not_run_into_each_other),
        cmocka_unit_test(values_longer_than_a_key_are_routed_too),
        cmocka_unit_test(a_full_slice_stops_at_a_line_and_goes_on),
        cmocka_unit_test(a_line_over_the_bound_is_still_taken),
        cmocka_unit_test(batches_join_without_a_seam),
        cmocka_unit_test(a_slice_can_be_used_again_for_another_source),
        cmocka_unit_test(many_outputs_keep_the_order_of_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
