/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an access-log line becomes one JSON object with typed fields from which nothing is lost, or a reject. Every
 * record made here is read back by the JSON parser. */
#include "made.h"

#include "json.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define TIME "[10/Oct/2000:13:55:36 -0700]"
#define JSON_TIME "\"time\":\"2000-10-10T13:55:36-07:00\""
#define HEAD "{\"remote\":\"h\",\"ident\":null,\"user\":null," JSON_TIME ","
#define GET "\"method\":\"GET\",\"path\":\"/\",\"protocol\":\"HTTP/1.1\","

static const struct made_settings combined = {.kind = CONVERTER_COMBINED};

static void expect_record(const char *line, const char *json) {
    AUTO(made_done) struct made made;
    char text[4096];
    made_init(&made, &combined, str_of(line));
    (void)snprintf(text, sizeof text, "%s\n", json);
    if (made.result->counts.converted != 1) fail_msg("%s is no record", line);
    made_expect(&made, "", text);
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new((struct json_parser_limits){0});
    struct json_node root;
    memset(text + strlen(json), ' ', JSON_PADDING);
    assert_int_equal(json_parse(parser, (struct str){text, strlen(json)}, &root, NULL), RC_OK);
}

static void expect_reason(struct str line, enum converter_reason reason) {
    AUTO(made_done) struct made made;
    made_init(&made, &combined, line);
    if (made.result->counts.reasons[reason] != 1 || made.result->counts.lines != 1) {
        fail_msg("\"%.*s\" is no reject for %s", STR_ARG(line), converter_reason_name(reason));
    }
}

static void combined_lines_have_all_fields(void **state) {
    (void)state;
    expect_record("127.0.0.1 - frank " TIME " \"GET /apache_pb.gif HTTP/1.0\" 200 2326 "
                  "\"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\"",
                  "{\"remote\":\"127.0.0.1\",\"ident\":null,\"user\":\"frank\"," JSON_TIME
                  ",\"method\":\"GET\",\"path\":\"/apache_pb.gif\",\"protocol\":\"HTTP/1.0\",\"status\":200,"
                  "\"bytes\":2326,\"referer\":\"http://www.example.com/start.html\","
                  "\"agent\":\"Mozilla/4.08 [en] (Win98; I ;Nav)\"}");
}

static void common_lines_end_behind_the_bytes(void **state) {
    (void)state;
    expect_record("h - - " TIME " \"GET / HTTP/1.1\" 304 -", HEAD GET "\"status\":304,\"bytes\":null}");
    expect_record("h - - " TIME " \"GET / HTTP/1.1\" - 00  ", HEAD GET "\"status\":null,\"bytes\":0}");
    expect_record("h - - " TIME " \"GET / HTTP/1.1\" 000 007", HEAD GET "\"status\":0,\"bytes\":7}");
}

static void addresses_and_users_of_any_form_stay(void **state) {
    (void)state;
    expect_record("2001:db8::1 id John Q. Public " TIME " \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"",
                  "{\"remote\":\"2001:db8::1\",\"ident\":\"id\",\"user\":\"John Q. Public\"," JSON_TIME "," GET
                  "\"status\":200,\"bytes\":1,\"referer\":null,\"agent\":null}");
    expect_record("h - \"\" " TIME " \"GET / HTTP/1.1\" 200 1",
                  "{\"remote\":\"h\",\"ident\":null,\"user\":\"\\\"\\\"\"," JSON_TIME "," GET
                  "\"status\":200,\"bytes\":1}");
}

static void requests_that_do_not_split_stay_whole(void **state) {
    (void)state;
    expect_record("h - - " TIME " \"-\" 408 0", HEAD "\"request\":null,\"status\":408,\"bytes\":0}");
    expect_record("h - - " TIME " \"\" 400 0", HEAD "\"request\":\"\",\"status\":400,\"bytes\":0}");
    expect_record("h - - " TIME " \"GET /\" 400 0", HEAD "\"request\":\"GET /\",\"status\":400,\"bytes\":0}");
    expect_record("h - - " TIME " \"GET  HTTP/1.1\" 400 0",
                  HEAD "\"request\":\"GET  HTTP/1.1\",\"status\":400,\"bytes\":0}");
    expect_record("h - - " TIME " \" / HTTP/1.1\" 400 0",
                  HEAD "\"request\":\" / HTTP/1.1\",\"status\":400,\"bytes\":0}");
    expect_record("h - - " TIME " \"GET /a b HTTP/1.1\" 400 0",
                  HEAD "\"method\":\"GET\",\"path\":\"/a b\",\"protocol\":\"HTTP/1.1\",\"status\":400,\"bytes\":0}");
    expect_record("h - - " TIME " \"\\x16\\x03\\x01\" 400 0",
                  HEAD "\"request\":\"\\u0016\\u0003\\u0001\",\"status\":400,\"bytes\":0}");
}

static void escapes_are_decoded_where_that_gives_utf8(void **state) {
    (void)state;
    expect_record("h - - " TIME " \"GET /\\\"q\\\" HTTP/1.1\" 200 1 \"a\\\\b\" \"\\xc3\\xA9\\t\\n\\q\\x4\"", HEAD
                  "\"method\":\"GET\",\"path\":\"/\\\"q\\\"\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":1,"
                  "\"referer\":\"a\\\\b\",\"agent\":\"\xc3\xa9\\u0009\\u000a\\\\q\\\\x4\"}");
    expect_record("h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"\\xff\\\"\" \"\\x00\"",
                  HEAD GET "\"status\":200,\"bytes\":1,\"referer\":\"\\\\xff\\\\\\\"\",\"agent\":\"\\u0000\"}");
    expect_record("h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"\\\\\" \"\\\\\\\\\"",
                  HEAD GET "\"status\":200,\"bytes\":1,\"referer\":\"\\\\\",\"agent\":\"\\\\\\\\\"}");
    expect_record("h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"\x01\x1f\x7f\" \"\xf0\x9f\x98\x80\"", HEAD GET
                  "\"status\":200,\"bytes\":1,\"referer\":\"\\u0001\\u001f\x7f\",\"agent\":\"\xf0\x9f\x98\x80\"}");
}

static void times_keep_their_offset(void **state) {
    (void)state;
    expect_record("h - - [29/Feb/2024:00:00:00 +0530] \"GET / HTTP/1.1\" 200 1",
                  "{\"remote\":\"h\",\"ident\":null,\"user\":null,\"time\":\"2024-02-29T00:00:00+05:30\"," GET
                  "\"status\":200,\"bytes\":1}");
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_COMBINED, .partition = "dt={time:%Y-%m-%d}/s={status}"},
              STR("h - - [29/Feb/2024:00:00:00 +0530] \"GET / HTTP/1.1\" 200 1\n"
                  "h - - [29/Feb/2024:00:00:00 +0000] \"GET / HTTP/1.1\" 404 1\n"
                  "h - - [29/Feb/2024:00:00:00 +0530] \"GET / HTTP/1.1\" 200 2\n"));
    assert_int_equal(made_output(&made, "dt=2024-02-28/s=200")->records, 2);
    assert_int_equal(made_output(&made, "dt=2024-02-28/s=200")->time_min, 1709145000000000000);
    assert_int_equal(made_output(&made, "dt=2024-02-29/s=404")->records, 1);
}

static void what_is_no_access_log_line_is_a_reject(void **state) {
    (void)state;
    static const char *const bad[] = {"x",
                                      "h - -",
                                      "h - - " TIME,
                                      "h - " TIME " \"GET / HTTP/1.1\" 200 1",
                                      " h - - " TIME " \"GET / HTTP/1.1\" 200 1",
                                      "h - - " TIME " \"GET / HTTP/1.1 200 1",
                                      "h - - " TIME " \"GET / HTTP/1.1\\\" 200 1",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 2000 1",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 2x0 1",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200 ",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200 1x",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200 1234567890123456789",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"-\"",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"-\" \"-",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"-\" \"-\\",
                                      "h - - " TIME " \"GET / HTTP/1.1\" 200 1 \"-\" \"-\" \"more\"",
                                      "h - - " TIME "\"GET / HTTP/1.1\" 200 1",
                                      "{\"json\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) expect_reason(str_of(bad[i]), REASON_FORMAT);
    expect_reason(STR("h - - [] \"GET / HTTP/1.1\" 200 1"), REASON_TIME);
    expect_reason(STR("h - - [99/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 1"), REASON_TIME);
    expect_reason(STR("h - - " TIME " \"GET /\xff HTTP/1.1\" 200 1"), REASON_UTF8);
}

static void a_bad_time_can_stay_as_text(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made,
              &(struct made_settings){.kind = CONVERTER_COMBINED, .partition = "dt={time:%Y}", .time_optional = true},
              STR("h - - [so\"on] \"GET / HTTP/1.1\" 200 1\n"));
    made_expect(&made, "dt=__HIVE_DEFAULT_PARTITION__",
                "{\"remote\":\"h\",\"ident\":null,\"user\":null,\"time\":null,\"time_raw\":\"so\\\"on\"," GET
                "\"status\":200,\"bytes\":1}\n");
    assert_false(made.result->outputs[0].has_time);
}

static void partitions_use_the_decoded_fields(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made,
              &(struct made_settings){.kind = CONVERTER_COMBINED,
                                      .partition = "{/path}/{referer}/{/time}/{request}/{no}/{a.b}"},
              STR("h - - " TIME " \"GET /\\\" HTTP/1.1\" 200 1 \"-\" \"x\"\n"));
    assert_string_equal(made.result->outputs[0].path.at,
                        "%2F%22/__HIVE_DEFAULT_PARTITION__/2000-10-10T13%3A55%3A36-07%3A00/__HIVE_DEFAULT_PARTITION__/"
                        "__HIVE_DEFAULT_PARTITION__/__HIVE_DEFAULT_PARTITION__");
    bool gives[] = {true, true, true, true, false, false};
    for (size_t i = 0; i < 6; i++) assert_int_equal(converter_gives(made.converter, i), gives[i]);
}

static void the_longest_growth_fits(void **state) {
    (void)state;
    enum { BYTES = 300000 };
    AUTO(own_free) char *line = malloc(BYTES + 256);
    assert_non_null(line);
    size_t n = (size_t)sprintf(line, "h - - " TIME " \"");
    memset(line + n, '\x01', BYTES);
    n += BYTES;
    n += (size_t)sprintf(line + n, "\" 200 1 \"-\" \"-\"");
    AUTO(made_done) struct made made, fields;
    made_init(&made, &combined, (struct str){line, n});
    made_expect_counts(&made, "1/1/0/0");
    assert_true(made.result->outputs[0].bytes > 6u * BYTES);
    for (size_t i = 30; i < BYTES; i++) line[i + 10] = i % 2 ? '\\' : 'x'; /* escapes from end to end */
    made_init(&fields, &combined, (struct str){line, n});
    assert_int_equal(fields.result->counts.lines, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combined_lines_have_all_fields),
        cmocka_unit_test(common_lines_end_behind_the_bytes),
        cmocka_unit_test(addresses_and_users_of_any_form_stay),
        cmocka_unit_test(requests_that_do_not_split_stay_whole),
        cmocka_unit_test(escapes_are_decoded_where_that_gives_utf8),
        cmocka_unit_test(times_keep_their_offset),
        cmocka_unit_test(what_is_no_access_log_line_is_a_reject),
        cmocka_unit_test(a_bad_time_can_stay_as_text),
        cmocka_unit_test(partitions_use_the_decoded_fields),
        cmocka_unit_test(the_longest_growth_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
