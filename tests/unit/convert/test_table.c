/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a row of csv, tsv and delimited text becomes one JSON object of its columns, or a reject that says why; the
 * header is the file's, wherever in the file the lines are. */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct made_settings csv = {.kind = CONVERTER_CSV};

static void expect(const struct made_settings *settings, const char *text, const char *records) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, str_of(text));
    if (made.result->counts.rejects) {
        char *rejects = made_text(made_rejects(&made));
        fail_msg("%s: %s", text, rejects);
    }
    made_expect(&made, "", records);
}

static void expect_reject(const struct made_settings *settings, const char *text, enum converter_reason reason,
                          const char *detail) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, str_of(text));
    if (made.result->counts.reasons[reason] == 0) fail_msg("%s: no %s", text, converter_reason_name(reason));
    AUTO(own_free) char *rejects = made_text(made_rejects(&made));
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted, "\"detail\":\"%s\"", detail);
    if (!strstr(rejects, wanted)) fail_msg("%s has no %s", rejects, wanted);
}

static void rows_are_objects_in_the_order_of_the_header(void **state) {
    (void)state;
    expect(&csv, "b,a\n1,x\r\n2,\n", "{\"b\":\"1\",\"a\":\"x\"}\n{\"b\":\"2\",\"a\":\"\"}\n");
    expect(&csv, "a\n  \n1", "{\"a\":\"  \"}\n{\"a\":\"1\"}\n");
    expect(&csv, "\xef\xbb\xbf\"a\"\"b\",\"c,d\"\n\"1,\"\"2\"\"\",\"\"\n",
           "{\"a\\\"b\":\"1,\\\"2\\\"\",\"c,d\":\"\"}\n");
    expect(&csv, "a,b\nx\"y, \"z\"\n", "{\"a\":\"x\\\"y\",\"b\":\" \\\"z\\\"\"}\n");
    expect(&(struct made_settings){.kind = CONVERTER_TSV, .separator = "\t"}, "a\tb\n\t\n1\t\"x\ty\"\n",
           "{\"a\":\"\",\"b\":\"\"}\n{\"a\":\"1\",\"b\":\"x\\ty\"}\n");
    expect(&(struct made_settings){.kind = CONVERTER_DELIMITED, .separator = "::", .columns = "a,b"},
           "\"x\"::y:z\n:::\n", "{\"a\":\"\\\"x\\\"\",\"b\":\"y:z\"}\n{\"a\":\"\",\"b\":\":\"}\n");
}

static void what_is_no_row_is_a_reject(void **state) {
    (void)state;
    expect_reject(&csv, "a,b\n\"x,y\n", REASON_FORMAT, "a quote is open at the end of the row");
    expect_reject(&csv, "a,b\n\"x\"y,z\n", REASON_FORMAT, "something else than a separator behind a closing quote");
    expect_reject(&csv, "a,b\n1\n", REASON_FIELDS, "fewer fields than columns");
    expect_reject(&csv, "a,b\n1,2,3\n", REASON_FIELDS, "more fields than columns");
    expect_reject(&csv, "a,\xff\n1,2\n", REASON_HEADER, "the header is not UTF-8");
    expect_reject(&csv, "\n1,2\n", REASON_HEADER, "the first line is empty");
    AUTO(made_done) struct made made;
    made_init(&made, &csv, STR("a,b\n1,\xff\n\n1,2\n"));
    made_expect_counts(&made, "4/1/1/2");
    assert_int_equal(made.result->counts.reasons[REASON_UTF8], 1);
}

static void types(void **state) {
    (void)state;
    struct made_settings typed = {.kind = CONVERTER_CSV, .types = "n=integer,b=boolean,*=auto"};
    expect(&typed, "n,b,x\n0012345678901234567890,1,1e9\n,,z\n",
           "{\"n\":12345678901234567890,\"b\":true,\"x\":1e9}\n{\"n\":null,\"b\":null,\"x\":\"z\"}\n");
    expect_reject(&typed, "n,b,x\n1.5,1,1\n", REASON_TYPE, "n");
}

static void names_that_stand_twice_lose_nothing(void **state) {
    (void)state;
    expect(&csv, "a,a,,a_2,\n1,2,3,4,5\n",
           "{\"a\":\"1\",\"a_2\":\"2\",\"column_3\":\"3\",\"a_2_2\":\"4\",\"column_5\":\"5\"}\n");
}

static void repeated_headers_make_no_record(void **state) {
    (void)state;
    struct made_settings repeated = {.kind = CONVERTER_CSV, .repeated = true};
    expect(&repeated, "a,b\n1,2\na,b\n3,4\n", "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n");
    expect(&csv, "a,b\na,b\n", "{\"a\":\"a\",\"b\":\"b\"}\n");
}

static void time_and_partition_are_columns(void **state) {
    (void)state;
    struct made_settings s = {
        .kind = CONVERTER_CSV, .partition = "d={time:%Y-%m-%d}/n={n}/x={x.y}", .time_field = "t", .types = "n=integer"};
    AUTO(made_done) struct made made;
    made_init(&made, &s, STR("t,n\n2026-01-02T03:04:05Z,007\n2026-01-02T03:04:05Z,\nyesterday,1\n"));
    made_expect(&made, "d=2026-01-02/n=7/x=__HIVE_DEFAULT_PARTITION__", "{\"t\":\"2026-01-02T03:04:05Z\",\"n\":7}\n");
    made_expect_counts(&made, "4/2/1/1");
    assert_int_equal(made.result->counts.reasons[REASON_TIME], 1);
}

static void lines_in_the_middle_of_a_file_need_its_header(void **state) {
    (void)state;
    AUTO(made_done) struct made none, given;
    made_init(&none, &(struct made_settings){.kind = CONVERTER_CSV, .offset = 100}, STR("1,2\n"));
    assert_int_equal(none.result->counts.reasons[REASON_HEADER], 1);
    made_open(&given, &csv);
    assert_true(converter_needs_head(given.converter));
    converter_head(given.converter, STR("a,b"), true);
    converter_head(given.converter, STR("c,d"), true);
    made_add(&given, STR("1,2\n"), 100);
    made_expect(&given, "", "{\"c\":\"1\",\"d\":\"2\"}\n");
}

static void thousands_of_columns_have_a_bound(void **state) {
    (void)state;
    AUTO(own_free) char *text = calloc(1, 64 * 1024);
    for (size_t columns = 4096; columns <= 4097; columns++) {
        memset(text, ',', columns - 1);
        text[columns - 1] = '\n';
        memset(text + columns, ',', columns - 1);
        AUTO(made_done) struct made made;
        made_init(&made, &csv, (struct str){text, 2 * columns - 1});
        assert_int_equal(made.result->counts.converted, columns == 4096);
        assert_int_equal(made.result->counts.reasons[REASON_HEADER], columns == 4096 ? 0 : 2);
    }
    AUTO(own_free) char *wide = malloc(CONVERTER_HEAD_MAX + 2);
    memset(wide, 'x', CONVERTER_HEAD_MAX + 1);
    wide[CONVERTER_HEAD_MAX + 1] = '\n';
    AUTO(made_done) struct made made;
    made_init(&made, &csv, (struct str){wide, CONVERTER_HEAD_MAX + 2});
    assert_int_equal(made.result->counts.reasons[REASON_HEADER], 1);
}

static const struct made_settings newlines = {.kind = CONVERTER_CSV, .newlines = true};

static void rows_with_newlines_end_outside_of_quotes(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_open(&made, &newlines);
    static const struct {
        const char *text;
        size_t open, closed; /* the first record's end in an open and a closed file */
    } cases[] = {{"a,b\n1", 4, 4},
                 {"a", 0, 1},
                 {"\"a\n", 0, 3},
                 {"\"a\n\"", 0, 3},
                 {"\"a\n\"\n", 5, 5},
                 {"\"a\"x\n\"", 5, 5},
                 {"x\"a\n\"", 4, 4},
                 {"\"a\"\"\n\"\r\n", 8, 8},
                 {"a,\"\n\n\",\"\n\"\nx", 11, 11},
                 {"\n", 1, 1},
                 {"\"\",\"\"\n\n", 6, 6}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str text = str_of(cases[i].text);
        assert_int_equal(converter_record_end(made.converter, text, false), cases[i].open);
        assert_int_equal(converter_record_end(made.converter, text, true), cases[i].closed);
    }
}

static void a_stray_quote_costs_one_line(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &newlines, STR("a,b\n1,\"x\n3,4\n\"5\n\",6\n7,8"));
    made_expect_counts(&made, "4/1/2/1");
    AUTO(made_done) struct made open;
    made_init(&open, &newlines, STR("a,b\n1,\"x\n3,4\n5,6"));
    made_expect(&open, "", "{\"a\":\"3\",\"b\":\"4\"}\n{\"a\":\"5\",\"b\":\"6\"}\n");
    made_expect_counts(&open, "4/2/1/1");
}

static void csv_spectrum(void **state) {
    (void)state;
    static const struct {
        const char *name, *records;
    } cases[] = {
        {"comma_in_quotes", "{\"first\":\"John\",\"last\":\"Doe\",\"address\":\"120 any st.\",\"city\":\"Anytown, "
                            "WW\",\"zip\":\"08123\"}\n"},
        {"empty", "{\"a\":\"1\",\"b\":\"\",\"c\":\"\"}\n{\"a\":\"2\",\"b\":\"3\",\"c\":\"4\"}\n"},
        {"empty_crlf", "{\"a\":\"1\",\"b\":\"\",\"c\":\"\"}\n{\"a\":\"2\",\"b\":\"3\",\"c\":\"4\"}\n"},
        {"escaped_quotes", "{\"a\":\"1\",\"b\":\"ha \\\"ha\\\" ha\"}\n{\"a\":\"3\",\"b\":\"4\"}\n"},
        {"json", "{\"key\":\"1\",\"val\":\"{\\\"type\\\": \\\"Point\\\", \\\"coordinates\\\": [102.0, 0.5]}\"}\n"},
        {"newlines", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n{\"a\":\"Once upon \\na "
                     "time\",\"b\":\"5\",\"c\":\"6\"}\n{\"a\":\"7\",\"b\":\"8\",\"c\":\"9\"}\n"},
        {"newlines_crlf", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n{\"a\":\"Once upon \\r\\na "
                          "time\",\"b\":\"5\",\"c\":\"6\"}\n{\"a\":\"7\",\"b\":\"8\",\"c\":\"9\"}\n"},
        {"quotes_and_newlines", "{\"a\":\"1\",\"b\":\"ha \\n\\\"ha\\\" \\nha\"}\n{\"a\":\"3\",\"b\":\"4\"}\n"},
        {"simple", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n"},
        {"simple_crlf", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n"},
        {"utf8", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n{\"a\":\"4\",\"b\":\"5\",\"c\":\"\xca\xa4\"}\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512], text[4096];
        (void)snprintf(path, sizeof path, "%s/csvs/%s.csv", CSV_SPECTRUM, cases[i].name);
        AUTO(own_fclose) FILE *file = fopen(path, "rb");
        if (!file) fail_msg("no %s", path);
        size_t len = fread(text, 1, sizeof text - 1, file);
        text[len] = '\0';
        expect(&newlines, text, cases[i].records);
        if (!strstr(cases[i].name, "newlines")) expect(&csv, text, cases[i].records);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_objects_in_the_order_of_the_header),
        cmocka_unit_test(what_is_no_row_is_a_reject),
        cmocka_unit_test(types),
        cmocka_unit_test(names_that_stand_twice_lose_nothing),
        cmocka_unit_test(repeated_headers_make_no_record),
        cmocka_unit_test(time_and_partition_are_columns),
        cmocka_unit_test(lines_in_the_middle_of_a_file_need_its_header),
        cmocka_unit_test(thousands_of_columns_have_a_bound),
        cmocka_unit_test(rows_with_newlines_end_outside_of_quotes),
        cmocka_unit_test(a_stray_quote_costs_one_line),
        cmocka_unit_test(csv_spectrum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
