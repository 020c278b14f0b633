/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: of a segment's lines come the records that its rules say: several lines in one, within their bounds; the
 * parts of a container's line joined, whatever stream comes in between. Every line is counted, and a reject is a line.
 */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define T "2026-01-01T00:00:00Z"
#define TIME "\"time\":\"" T "\""

static void expect(const struct made_settings *settings, const char *text, const char *records, const char *counts) {
    AUTO(made_done) struct made made;
    made_open(&made, settings);
    made_segments(&made, str_of(text));
    made_expect(&made, "", records);
    made_expect_counts(&made, counts);
}

static void lines_from_one_start_to_the_next_are_a_record(void **state) {
    (void)state;
    const struct made_settings s = {.kind = CONVERTER_REGEX, .pattern = "(?s)^(?<a>.*)", .start = "^H"};
    expect(&s, "H 1\n x\n\n y\nH 2\nH 3\r\n z\r\n",
           "{\"a\":\"H 1\\n x\\n\\n y\"}\n{\"a\":\"H 2\"}\n{\"a\":\"H 3\\r\\n z\"}\n", "7/7/0/0");
    expect(&s, "before\nany\nH 1\nH 2", "{\"a\":\"before\\nany\"}\n{\"a\":\"H 1\"}\n{\"a\":\"H 2\"}\n", "4/4/0/0");
    expect(&s, "\n\nH", "{\"a\":\"H\"}\n", "3/1/0/2");
}

static void a_record_keeps_its_bounds(void **state) {
    (void)state;
    struct made_settings s = {.kind = CONVERTER_REGEX, .pattern = "(?s)^(?<a>.*)", .start = "^H", .lines_max = 2};
    expect(&s, "H\n1\n2\n3\n4\nH\n", "{\"a\":\"H\\n1\"}\n{\"a\":\"2\\n3\"}\n{\"a\":\"4\"}\n{\"a\":\"H\"}\n", "6/6/0/0");
    s.lines_max = 0;
    s.bytes_max = 5;
    expect(&s, "H\n1\n2\n3\n4567890\n", "{\"a\":\"H\\n1\\n2\"}\n{\"a\":\"3\"}\n{\"a\":\"4567890\"}\n", "5/5/0/0");
    s.line_bytes_max = 4;
    expect(&s, "H\n1\n45678\n2\n3\n", "{\"a\":\"H\\n1\"}\n{\"a\":\"2\\n3\"}\n", "5/4/1/0");
}

static void each_line_of_a_record_that_fails_is_a_reject(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_open(&made, &(struct made_settings){.kind = CONVERTER_REGEX, .pattern = "^ok(?<a>)", .start = "^H"});
    made_segments(&made, STR("H\r\n1\n"));
    made_expect_counts(&made, "2/0/2/0");
    AUTO(own_free) char *text = made_text(made_rejects(&made));
    assert_non_null(strstr(text, "\"line_in_stripe\":10,\"offset\":0,\"length\":1,\"record_offset\":0,"));
    assert_non_null(strstr(text, "\"line_in_stripe\":11,\"offset\":3,\"length\":1,\"record_offset\":0,"));
}

static void parts_are_joined_whatever_comes_in_between(void **state) {
    (void)state;
    const struct made_settings s = {.kind = CONVERTER_CRI};
    expect(&s,
           T " stdout P a\n" T " stderr F e\nno line\n" T " stdout P b\n" T " stderr P:x c\n" T " stdout F d\n" T
             " stderr F:y f\n",
           "{" TIME ",\"stream\":\"stderr\",\"message\":\"e\"}\n{" TIME
           ",\"stream\":\"stdout\",\"message\":\"abd\"}\n{" TIME ",\"stream\":\"stderr\",\"message\":\"cf\"}\n",
           "7/6/1/0");
    expect(&s, T " stdout P \xc3\n" T " stdout F \xa9\n", "{" TIME ",\"stream\":\"stdout\",\"message\":\"\xc3\xa9\"}\n",
           "2/2/0/0");
    expect(&s, T " stdout P a\n" T " stderr P b\n",
           "{" TIME ",\"stream\":\"stdout\",\"partial\":true,\"message\":\"a\"}\n{" TIME
           ",\"stream\":\"stderr\",\"partial\":true,\"message\":\"b\"}\n",
           "2/2/0/0");
}

#define DOCKER(text, stream) "{\"log\":\"" text "\",\"stream\":\"" stream "\",\"time\":\"" T "\"}\n"

static void dockers_parts_are_joined_by_their_text(void **state) {
    (void)state;
    expect(&(struct made_settings){.kind = CONVERTER_CRI},
           DOCKER("a\\\\n\\\"", "stdout") DOCKER("e\\n", "stderr") DOCKER("\\u00e9\\n", "stdout") DOCKER("n", "stderr"),
           "{" TIME ",\"stream\":\"stderr\",\"message\":\"e\"}\n{" TIME
           ",\"stream\":\"stdout\",\"message\":\"a\\\\n\\\"\xc3\xa9\"}\n{" TIME
           ",\"stream\":\"stderr\",\"partial\":true,\"message\":\"n\"}\n",
           "4/4/0/0");
}

static void what_is_joined_keeps_its_bounds(void **state) {
    (void)state;
    struct made_settings s = {.kind = CONVERTER_CRI, .lines_max = 2};
    const char *two = "{" TIME ",\"stream\":\"stdout\",\"partial\":true,\"message\":\"ab\"}\n{" TIME
                      ",\"stream\":\"stdout\",\"message\":\"cd\"}\n";
    const char *text = T " stdout P a\n" T " stdout P b\n" T " stdout P c\n" T " stdout F d\n";
    expect(&s, text, two, "4/4/0/0");
    s = (struct made_settings){.kind = CONVERTER_CRI, .bytes_max = strlen(T " stdout P ab")};
    expect(&s, text, two, "4/4/0/0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_from_one_start_to_the_next_are_a_record),
        cmocka_unit_test(a_record_keeps_its_bounds),
        cmocka_unit_test(each_line_of_a_record_that_fails_is_a_reject),
        cmocka_unit_test(parts_are_joined_whatever_comes_in_between),
        cmocka_unit_test(dockers_parts_are_joined_by_their_text),
        cmocka_unit_test(what_is_joined_keeps_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
