/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: of every converter's records those are written that the condition wants, with the fields that are wanted,
 * their values byte for byte; partitions and times see the record as it was. */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void expect(const struct made_settings *settings, const char *text, const char *records) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, str_of(text));
    made_expect(&made, "", records);
}

static const struct made_settings json = {.kind = CONVERTER_NDJSON};

static void fields_are_kept_dropped_renamed_and_added(void **state) {
    (void)state;
    static const char line[] = " { \"a\" : 1.50 , \"b\\u0062\":{\"x\":[\"}\",\"\\\"\"]}, \"c\":null,\"\":\"e\" } \n";
    struct made_settings s = json;
    s.keep = "a,bb,c";
    expect(&s, line, "{\"a\":1.50,\"bb\":{\"x\":[\"}\",\"\\\"\"]},\"c\":null}\n");
    s.drop = "c";
    s.rename = "a=z,bb=a";
    s.add = "dc=eu \"1\",z=no";
    expect(&s, line, "{\"z\":1.50,\"a\":{\"x\":[\"}\",\"\\\"\"]},\"dc\":\"eu \\\"1\\\"\"}\n");
    expect(&(struct made_settings){.kind = CONVERTER_NDJSON, .rename = "a=c"}, line,
           "{\"c\":1.50,\"bb\":{\"x\":[\"}\",\"\\\"\"]},\"c_2\":null,\"\":\"e\"}\n");
    expect(&(struct made_settings){.kind = CONVERTER_NDJSON, .drop = "x"}, "{}\n{\"n\":1e999,\"n\":2}\n",
           "{}\n{\"n\":1e999,\"n_2\":2}\n");
}

static void a_condition_filters_and_is_counted(void **state) {
    (void)state;
    struct made_settings s = json;
    s.where = "n > 1";
    AUTO(made_done) struct made made;
    made_init(&made, &s, STR("{\"n\":1}\n {\"n\":2}\n\n{\"n\":\n{\"m\":3}\n"));
    made_expect(&made, "", " {\"n\":2}\n");
    made_expect_counts(&made, "5/1/1/1");
    assert_int_equal(made.result->counts.filtered, 2);
}

static void partitions_and_times_see_what_is_dropped(void **state) {
    (void)state;
    struct made_settings s = {.kind = CONVERTER_CSV,
                              .partition = "{time:%Y}/{n}",
                              .time_field = "t",
                              .types = "n=integer",
                              .where = "n = 7",
                              .drop = "n,t"};
    AUTO(made_done) struct made made;
    made_init(&made, &s, STR("n,t,x\n007,2026-01-01T00:00:00Z,a\n8,2026-01-01T00:00:00Z,b\n"));
    made_expect(&made, "2026/7", "{\"x\":\"a\"}\n");
    assert_int_equal(made.result->counts.filtered, 1);
}

static void every_converter_with_fields_can_be_shaped(void **state) {
    (void)state;
    static const struct {
        struct made_settings settings;
        const char *line, *record;
    } cases[] = {
        {{.kind = CONVERTER_COMBINED, .keep = "status", .where = "status = 200"},
         "h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 1\n",
         "{\"status\":200}\n"},
        {{.kind = CONVERTER_LOGFMT, .drop = "b", .where = "a = 'x'"}, "a=x b\n", "{\"a\":\"x\"}\n"},
        {{.kind = CONVERTER_REGEX, .pattern = "(?<a>.)(?<b>.)", .rename = "a=c"},
         "xy\n",
         "{\"c\":\"x\",\"b\":\"y\"}\n"},
        {{.kind = CONVERTER_DELIMITED, .columns = "a,b", .separator = "|", .keep = "b"}, "x|y\n", "{\"b\":\"y\"}\n"},
        {{.kind = CONVERTER_SYSLOG, .keep = "data", .where = "data.i.p matches 'v'"},
         "<1>1 2026-01-01T00:00:00Z - - - - [i p=\"v\"]\n",
         "{\"data\":{\"i\":{\"p\":\"v\"}}}\n"},
        {{.kind = CONVERTER_CRI, .keep = "message", .add = "x=y"},
         "2026-01-01T00:00:00Z stdout F m\n",
         "{\"message\":\"m\",\"x\":\"y\"}\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(&cases[i].settings, cases[i].line, cases[i].record);
    struct why why = {0};
    struct converter *converter = NULL;
    struct converter_settings raw = {.kind = CONVERTER_RAW, .source = STR("s"), .shape = {.where = STR("a")}};
    assert_int_equal(converter_new(&raw, &converter, &why), RC_BAD);
}

static void too_many_fields_are_a_reject(void **state) {
    (void)state;
    char line[16384], *to = line;
    *to++ = '{';
    for (int i = 0; i < 257; i++) to += sprintf(to, "%s\"k%d\":%d", i ? "," : "", i, i);
    (void)sprintf(to, "}\n");
    struct made_settings s = json;
    s.drop = "x";
    AUTO(made_done) struct made many, fewer;
    made_init(&many, &s, str_of(line));
    assert_int_equal(many.result->counts.reasons[REASON_FIELDS], 1);
    s.drop = "k7";
    made_init(&fewer, &s, str_of(line));
    assert_int_equal(fewer.result->counts.converted, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_kept_dropped_renamed_and_added),
        cmocka_unit_test(a_condition_filters_and_is_counted),
        cmocka_unit_test(partitions_and_times_see_what_is_dropped),
        cmocka_unit_test(every_converter_with_fields_can_be_shaped),
        cmocka_unit_test(too_many_fields_are_a_reject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
