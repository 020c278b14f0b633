/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a line of key=value pairs becomes one JSON object with every pair in it, or a reject that says why. */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct made_settings plain = {.kind = CONVERTER_LOGFMT};

static void expect(const struct made_settings *settings, const char *line, const char *json) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, str_of(line));
    if (made.result->counts.converted != 1) fail_msg("%s is no record", line);
    char text[4096];
    (void)snprintf(text, sizeof text, "%s\n", json);
    made_expect(&made, "", text);
}

static void expect_reject(const struct made_settings *settings, struct str line, enum converter_reason reason,
                          const char *detail) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, line);
    if (made.result->counts.reasons[reason] != 1) fail_msg("%.*s", STR_ARG(line));
    AUTO(own_free) char *rejects = made_text(made_rejects(&made));
    if (!strstr(rejects, detail)) fail_msg("%s: no %s", rejects, detail);
}

static void pairs_are_members_in_their_order(void **state) {
    (void)state;
    expect(&plain, "level=info msg=\"it works\" n=3", "{\"level\":\"info\",\"msg\":\"it works\",\"n\":\"3\"}");
    expect(&plain, " \t a=1\t\tb= c d=\"\" ", "{\"a\":\"1\",\"b\":\"\",\"c\":true,\"d\":\"\"}");
    expect(&plain, "url=http://h/?a=b&c=\"d\" \xc3\xa9=\xf0\x9f\x98\x80",
           "{\"url\":\"http://h/?a=b&c=\\\"d\\\"\",\"\xc3\xa9\":\"\xf0\x9f\x98\x80\"}");
    expect(&plain, "a\\b={\"x\":1}", "{\"a\\\\b\":\"{\\\"x\\\":1}\"}");
}

static void escapes_in_quotes_are_decoded(void **state) {
    (void)state;
    expect(&plain, "a=\"\\\"q\\\" \\\\ \\n\\t\\/\"", "{\"a\":\"\\\"q\\\" \\\\ \\n\\t/\"}");
    expect(&plain, "a=\"\\u00e9\\u20ac\\ud83d\\ude00\" b=\"\\ud83d x\" c=\"\\q \\u12\"",
           "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",\"b\":\"\xef\xbf\xbd x\",\"c\":\"\\\\q \\\\u12\"}");
    expect(&plain, "a=\"\\u0000\x01\"", "{\"a\":\"\\u0000\\u0001\"}");
}

static void keys_that_stand_twice_lose_nothing(void **state) {
    (void)state;
    expect(&plain, "a=1 a=2 a_2=3 a=4 b=5", "{\"a\":\"1\",\"a_2\":\"2\",\"a_2_2\":\"3\",\"a_3\":\"4\",\"b\":\"5\"}");
    char line[8192], *to = line;
    for (int i = 0; i < 256; i++) to += sprintf(to, "k%d=%d ", i % 100, i);
    AUTO(made_done) struct made made;
    made_init(&made, &plain, str_of(line));
    assert_int_equal(made.result->counts.converted, 1);
    (void)sprintf(to, "z");
    expect_reject(&plain, str_of(line), REASON_FIELDS, "more than 256 keys");
}

static void types_times_and_partitions(void **state) {
    (void)state;
    expect(&(struct made_settings){.kind = CONVERTER_LOGFMT, .types = "*=auto,id=text"}, "n=1e3 id=7 ok=true s=x u",
           "{\"n\":1e3,\"id\":\"7\",\"ok\":true,\"s\":\"x\",\"u\":true}");
    expect_reject(&(struct made_settings){.kind = CONVERTER_LOGFMT, .types = "n=integer"}, STR("n=x"), REASON_TYPE,
                  "\"detail\":\"n\"");
    struct made_settings s = {.kind = CONVERTER_LOGFMT, .partition = "{time:%Y}/{level}/{x.y}", .time_field = "ts"};
    AUTO(made_done) struct made made;
    made_init(&made, &s, STR("ts=2026-01-02T03:04:05Z level=warn\nts=2026-01-02T03:04:05Z\nlevel=x\n"));
    assert_int_equal(made_output(&made, "2026/warn/__HIVE_DEFAULT_PARTITION__")->records, 1);
    assert_int_equal(made_output(&made, "2026/__HIVE_DEFAULT_PARTITION__/__HIVE_DEFAULT_PARTITION__")->records, 1);
    assert_int_equal(made.result->counts.reasons[REASON_TIME], 1);
}

static void what_is_no_logfmt_is_a_reject(void **state) {
    (void)state;
    expect_reject(&plain, STR("a=\"x"), REASON_FORMAT, "a quote is open");
    expect_reject(&plain, STR("a=\"x\\"), REASON_FORMAT, "a quote is open");
    expect_reject(&plain, STR("a=\"x\"y"), REASON_FORMAT, "no blank behind a closing quote");
    expect_reject(&plain, STR("=x"), REASON_FORMAT, "no key before =");
    expect_reject(&plain, STR("a\"=x"), REASON_FORMAT, "a quote in a key");
    expect_reject(&plain, STR("a=\xff"), REASON_UTF8, "utf8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_members_in_their_order),   cmocka_unit_test(escapes_in_quotes_are_decoded),
        cmocka_unit_test(keys_that_stand_twice_lose_nothing), cmocka_unit_test(types_times_and_partitions),
        cmocka_unit_test(what_is_no_logfmt_is_a_reject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
