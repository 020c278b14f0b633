/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: lines of RFC 5424 and RFC 3164 become JSON objects with all that is in them; a time without a year is a
 * function of the configuration, never of the clock. */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct made_settings since = {.kind = CONVERTER_SYSLOG, .syslog_year = 2026, .syslog_month = 7};

static void expect(const struct made_settings *settings, const char *line, const char *json) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, str_of(line));
    if (made.result->counts.converted != 1) {
        AUTO(own_free) char *rejects = made_text(made_rejects(&made));
        fail_msg("%s: %s", line, rejects);
    }
    char text[4096];
    (void)snprintf(text, sizeof text, "%s\n", json);
    made_expect(&made, "", text);
}

static void expect_reject(const char *line, enum converter_reason reason) {
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_SYSLOG}, str_of(line));
    if (made.result->counts.reasons[reason] != 1)
        fail_msg("%s is no reject for %s", line, converter_reason_name(reason));
}

static void the_examples_of_rfc_5424(void **state) {
    (void)state;
    expect(&since, "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed",
           "{\"time\":\"2003-10-11T22:14:15.003Z\",\"facility\":\"auth\",\"severity\":\"crit\","
           "\"host\":\"mymachine.example.com\",\"app\":\"su\",\"msgid\":\"ID47\",\"message\":\"'su root' failed\"}");
    expect(&since,
           "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
           "{\"time\":\"2003-08-24T05:14:15.000003-07:00\",\"facility\":\"local4\",\"severity\":\"notice\","
           "\"host\":\"192.0.2.1\",\"app\":\"myproc\",\"pid\":\"8710\","
           "\"message\":\"%% It's time to make the do-nuts.\"}");
    expect(&since,
           "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" "
           "eventSource=\"Application\" eventID=\"1011\"][examplePriority@32473 class=\"high\"]",
           "{\"time\":\"2003-10-11T22:14:15.003Z\",\"facility\":\"local4\",\"severity\":\"notice\","
           "\"host\":\"mymachine.example.com\",\"app\":\"evntslog\",\"msgid\":\"ID47\","
           "\"data\":{\"exampleSDID@32473\":{\"iut\":\"3\",\"eventSource\":\"Application\",\"eventID\":\"1011\"},"
           "\"examplePriority@32473\":{\"class\":\"high\"}}}");
}

static void structured_data_loses_nothing(void **state) {
    (void)state;
    expect(&since, "<0>1 2026-01-01T00:00:00Z - - - - [a x=\"\\\"\\]\\\\ \\n]\" x=\"2\" x=\"3\"][b] m",
           "{\"time\":\"2026-01-01T00:00:00Z\",\"facility\":\"kern\",\"severity\":\"emerg\","
           "\"data\":{\"a\":{\"x\":\"\\\"]\\\\ \\\\n]\",\"x_2\":\"2\",\"x_3\":\"3\"},\"b\":{}},\"message\":\"m\"}");
}

static void lines_of_rfc_3164_with_and_without_a_priority(void **state) {
    (void)state;
    expect(&since, "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
           "{\"time\":\"2026-10-11T22:14:15Z\",\"facility\":\"auth\",\"severity\":\"crit\",\"host\":\"mymachine\","
           "\"app\":\"su\",\"message\":\"'su root' failed for lonvick on /dev/pts/8\"}");
    expect(&since, "Jan  1 00:00:00 h cron[12]: x: y",
           "{\"time\":\"2027-01-01T00:00:00Z\",\"host\":\"h\",\"app\":\"cron\",\"pid\":\"12\",\"message\":\"x: y\"}");
    expect(&since, "Jul 01 00:00:00 h last message repeated 2 times",
           "{\"time\":\"2026-07-01T00:00:00Z\",\"host\":\"h\",\"message\":\"last message repeated 2 times\"}");
    expect(&since, "Jun 30 23:59:59 sshd[7]: no host here",
           "{\"time\":\"2027-06-30T23:59:59Z\",\"app\":\"sshd\",\"pid\":\"7\",\"message\":\"no host here\"}");
    expect(&since, "2026-11-25T01:24:18.123456+01:00 h kernel: [  12.5] x",
           "{\"time\":\"2026-11-25T01:24:18.123456+01:00\",\"host\":\"h\",\"app\":\"kernel\","
           "\"message\":\"[  12.5] x\"}");
    expect(&since, "Oct 11 22:14:15 h /usr/sbin/x.y-z[1]:\ttab",
           "{\"time\":\"2026-10-11T22:14:15Z\",\"host\":\"h\",\"app\":\"/usr/sbin/x.y-z\",\"pid\":\"1\","
           "\"message\":\"\\ttab\"}");
}

static void a_time_without_a_year_needs_one(void **state) {
    (void)state;
    expect_reject("Oct 11 22:14:15 h su: x", REASON_TIME);
    expect(&(struct made_settings){.kind = CONVERTER_SYSLOG, .time_optional = true}, "Oct 11 22:14:15 h su: x",
           "{\"time_raw\":\"Oct 11 22:14:15\",\"host\":\"h\",\"app\":\"su\",\"message\":\"x\"}");
    struct made_settings leap = since;
    AUTO(made_done) struct made made;
    made_init(&made, &leap, STR("Feb 29 00:00:00 h su: 2027 has none\nFeb 28 00:00:00 h su: it has\n"));
    made_expect_counts(&made, "2/1/1/0");
    assert_int_equal(made.result->counts.reasons[REASON_TIME], 1);
}

static void partitions_see_fields_and_structured_data(void **state) {
    (void)state;
    struct made_settings s = {.kind = CONVERTER_SYSLOG, .partition = "{time:%Y}/{severity}/{data.a@1.x}/{message.x}"};
    AUTO(made_done) struct made made;
    made_init(&made, &s,
              STR("<14>1 2026-01-01T00:00:00Z h a - - [a@1 x=\"v w\"] m\n<14>1 2026-01-01T00:00:00Z h a - - -\n"));
    assert_int_equal(made_output(&made, "2026/info/v%20w/__HIVE_DEFAULT_PARTITION__")->records, 1);
    assert_int_equal(made_output(&made, "2026/info/__HIVE_DEFAULT_PARTITION__/__HIVE_DEFAULT_PARTITION__")->records, 1);
}

static void what_is_no_syslog_is_a_reject(void **state) {
    (void)state;
    static const char *const bad[] = {"x",
                                      "<192>Oct 11 22:14:15 h a: b",
                                      "<>Oct 11 22:14:15 h a: b",
                                      "<1 Oct 11 22:14:15 h a: b",
                                      "<1>1 2026-01-01T00:00:00Z h a - -",
                                      "<1>1 2026-01-01T00:00:00Z h a - - [",
                                      "<1>1 2026-01-01T00:00:00Z h a - - [a x=\"1]",
                                      "<1>1 2026-01-01T00:00:00Z h a - - [a x=1]",
                                      "<1>1 2026-01-01T00:00:00Z h a - - [a][a]",
                                      "<1>1 2026-01-01T00:00:00Z h a - - [a]x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) expect_reject(bad[i], REASON_FORMAT);
    expect_reject("<1>1 - h a - - - m", REASON_TIME);
    expect_reject("<1>1 2026-13-01T00:00:00Z h a - - - m", REASON_TIME);
    expect_reject("Oct 11 22:14:15 h a: \xff", REASON_UTF8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_rfc_5424),
        cmocka_unit_test(structured_data_loses_nothing),
        cmocka_unit_test(lines_of_rfc_3164_with_and_without_a_priority),
        cmocka_unit_test(a_time_without_a_year_needs_one),
        cmocka_unit_test(partitions_see_fields_and_structured_data),
        cmocka_unit_test(what_is_no_syslog_is_a_reject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
