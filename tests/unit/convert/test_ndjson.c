/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a line that is one JSON object is a record byte for byte, in the partition that its time and fields say; any
 * other line is a reject with its reason. */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define DEFAULT "__HIVE_DEFAULT_PARTITION__"

static const struct made_settings plain = {.kind = CONVERTER_NDJSON};

static void objects_are_records_byte_for_byte(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &plain,
              STR("{\"a\" : 1.50, \"a\":\"\\u00e9\"}\r\n  {} \t\n\n{\"n\":123456789012345678901234567890}"));
    made_expect(&made, "", "{\"a\" : 1.50, \"a\":\"\\u00e9\"}\n  {} \t\n{\"n\":123456789012345678901234567890}\n");
    made_expect_counts(&made, "4/3/0/1");
}

static void a_bom_is_skipped_at_the_start_of_the_file_alone(void **state) {
    (void)state;
    AUTO(made_done) struct made first, later, alone;
    made_init(&first, &plain, STR("\xef\xbb\xbf{\"a\":1}\n\xef\xbb\xbf{\"a\":2}\n"));
    made_expect(&first, "", "{\"a\":1}\n");
    made_expect_counts(&first, "2/1/1/0");
    made_init(&later, &(struct made_settings){.kind = CONVERTER_NDJSON, .offset = 100}, STR("\xef\xbb\xbf{\"a\":1}\n"));
    made_expect_counts(&later, "1/0/1/0");
    made_init(&alone, &plain, STR("\xef\xbb\xbf\n"));
    made_expect_counts(&alone, "1/0/0/1");
}

static void expect_reason(const struct made_settings *settings, struct str line, enum converter_reason reason) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, line);
    if (made.result->counts.reasons[reason] != 1 || made.result->counts.lines != 1) {
        fail_msg("\"%.*s\" is no reject for %s", STR_ARG(line), converter_reason_name(reason));
    }
}

static void every_reason_is_told(void **state) {
    (void)state;
    struct made_settings time = {.kind = CONVERTER_NDJSON, .time_field = "t"};
    struct made_settings small = {.kind = CONVERTER_NDJSON, .record_bytes_max = 9};
    expect_reason(&plain, STR("{\"a\":1\n"), REASON_JSON);
    expect_reason(&plain, STR("{\"a\":1}{\"b\":2}\n"), REASON_JSON);
    expect_reason(&plain, STR("{\"a\":\"\0\"}\n"), REASON_JSON);
    expect_reason(&plain, STR("{}\0\n"), REASON_JSON);
    expect_reason(&plain, STR("{\"a\":\"\\ud800\"}\n"), REASON_JSON);
    expect_reason(&plain, STR("x\n"), REASON_JSON);
    expect_reason(&plain, STR("[1]\n"), REASON_NOT_OBJECT);
    expect_reason(&plain, STR("\"{}\"\n"), REASON_NOT_OBJECT);
    expect_reason(&plain, STR(" 1e999 \n"), REASON_NOT_OBJECT);
    expect_reason(&plain, STR("null"), REASON_NOT_OBJECT);
    expect_reason(&plain, STR("{\"a\":\"\xff\"}\n"), REASON_UTF8);
    expect_reason(&plain, STR("{\"a\":01}\n"), REASON_NUMBER);
    expect_reason(&small, STR("{\"a\":1234}\n"), REASON_TOO_LONG);
    expect_reason(&time, STR("{\"a\":1}\n"), REASON_TIME);
}

static void depth_is_bounded(void **state) {
    (void)state;
    char text[2100] = "";
    for (size_t depth = 250; depth < 300; depth++) {
        size_t n = 0;
        n += (size_t)sprintf(text, "{\"a\":");
        for (size_t i = 1; i < depth; i++) text[n++] = '[';
        for (size_t i = 1; i < depth; i++) text[n++] = ']';
        text[n++] = '}';
        AUTO(made_done) struct made made;
        made_init(&made, &plain, (struct str){text, n});
        bool rejected = made.result->counts.reasons[REASON_DEPTH] == 1;
        assert_int_equal(rejected, depth > JSON_DEPTH_DEFAULT);
    }
}

static void records_go_where_time_and_fields_say(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made,
              &(struct made_settings){.kind = CONVERTER_NDJSON,
                                      .partition = "dt={time:%Y-%m-%d}/s={status}/c={user.country}",
                                      .time_field = "time"},
              STR("{\"time\":\"2026-11-21T23:59:59Z\",\"status\":200,\"user\":{\"country\":\"DE\"}}\n"
                  "{\"time\":\"2026-11-21T23:59:59-01:00\",\"status\":\"200\",\"user\":{\"country\":\"DE\"}}\n"
                  "{\"time\":\"2026-11-21T00:00:00Z\",\"status\":2e2,\"user\":{\"country\":null}}\n"
                  "{\"time\":\"2026-11-21T00:00:00Z\",\"status\":true,\"user\":[]}\n"
                  "{\"time\":\"2026-11-21T00:00:01Z\",\"status\":{},\"user\":{\"country\":\"\"}}\n"
                  "{\"time\":\"2026-11-21T00:00:02Z\",\"status\":200,\"user\":{\"country\":\"DE\"}}\n"));
    made_expect(&made, "dt=2026-11-21/s=200/c=DE",
                "{\"time\":\"2026-11-21T23:59:59Z\",\"status\":200,\"user\":{\"country\":\"DE\"}}\n"
                "{\"time\":\"2026-11-21T00:00:02Z\",\"status\":200,\"user\":{\"country\":\"DE\"}}\n");
    const struct slice_output *output = made_output(&made, "dt=2026-11-21/s=200/c=DE");
    assert_int_equal(output->time_min, 1795219202000000000);
    assert_int_equal(output->time_max, 1795305599000000000);
    assert_non_null(made_output(&made, "dt=2026-11-22/s=200/c=DE"));
    assert_non_null(made_output(&made, "dt=2026-11-21/s=2e2/c=" DEFAULT));
    assert_non_null(made_output(&made, "dt=2026-11-21/s=true/c=" DEFAULT));
    assert_non_null(made_output(&made, "dt=2026-11-21/s=" DEFAULT "/c=" DEFAULT));
    assert_int_equal(made.result->output_count, 5);
}

static void time_formats_take_numbers_and_strings(void **state) {
    (void)state;
    struct made_settings s = {
        .kind = CONVERTER_NDJSON, .partition = "{time:%s}", .time_field = "/t/0", .time_format = "epoch_s"};
    AUTO(made_done) struct made made, ms;
    made_init(&made, &s,
              STR("{\"t\":[1000000000.75]}\n{\"t\":[\"1000000001\"]}\n{\"t\":[1000000002]}\n{\"t\":[-1]}\n"
                  "{\"t\":[true]}\n{\"t\":[null]}\n{\"t\":[\"x\"]}\n{\"t\":[]}\n{\"t\":[[1]]}\n"));
    assert_non_null(made_output(&made, "1000000000"));
    assert_non_null(made_output(&made, "1000000001"));
    assert_non_null(made_output(&made, "1000000002"));
    assert_non_null(made_output(&made, "-1"));
    assert_int_equal(made_output(&made, "1000000000")->time_min, 1000000000750000000);
    assert_int_equal(made.result->counts.reasons[REASON_TIME], 5);
    s.time_format = "epoch_ms";
    made_init(&ms, &s, STR("{\"t\":[1000000000750]}\n"));
    assert_non_null(made_output(&ms, "1000000000"));
}

static void a_bad_time_can_have_its_partition(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made,
              &(struct made_settings){
                  .kind = CONVERTER_NDJSON, .partition = "dt={time:%Y}", .time_field = "time", .time_optional = true},
              STR("{\"time\":\"yesterday\"}\n{}\n{\"time\":\"2026-01-01T00:00:00Z\"}\n"));
    made_expect(&made, "dt=" DEFAULT, "{\"time\":\"yesterday\"}\n{}\n");
    assert_false(made_output(&made, "dt=" DEFAULT)->has_time);
    assert_true(made_output(&made, "dt=2026")->has_time);
}

static void settings_are_checked(void **state) {
    (void)state;
    struct converter *converter = NULL;
    struct why why = {0};
    struct converter_settings s = {.kind = CONVERTER_NDJSON, .source = STR("s"), .partition = STR("{time:%Y}")};
    assert_int_equal(converter_new(&s, &converter, &why), RC_BAD);
    assert_non_null(strstr(why.text, "no time field"));
    s.time_given = true;
    s.time_field = STR("a..b");
    assert_int_equal(converter_new(&s, &converter, &why), RC_BAD);
    assert_non_null(strstr(why.text, "\"a..b\""));
    s.partition = STR("{");
    assert_int_equal(converter_new(&s, &converter, &why), RC_BAD);
    assert_null(converter);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_records_byte_for_byte),
        cmocka_unit_test(a_bom_is_skipped_at_the_start_of_the_file_alone),
        cmocka_unit_test(every_reason_is_told),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(records_go_where_time_and_fields_say),
        cmocka_unit_test(time_formats_take_numbers_and_strings),
        cmocka_unit_test(a_bad_time_can_have_its_partition),
        cmocka_unit_test(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
