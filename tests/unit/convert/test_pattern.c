/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the named groups of a pattern become a JSON object; a line that does not match is a reject, and no pattern
 * takes longer than a bounded time over any line (a pattern that ran away would run into the test's limit). */
#include "made.h"

#include "alloc.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void expect(const struct made_settings *settings, const char *line, const char *json) {
    AUTO(made_done) struct made made;
    made_init(&made, settings, str_of(line));
    if (made.result->counts.converted != 1) fail_msg("%s is no record", line);
    char text[4096];
    (void)snprintf(text, sizeof text, "%s\n", json);
    made_expect(&made, "", text);
}

static enum converter_reason reason_of(const char *pattern, struct str line) {
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_REGEX, .pattern = pattern}, line);
    for (enum converter_reason r = REASON_NONE; r < REASON_COUNT; r++)
        if (made.result->counts.reasons[r]) return r;
    return REASON_NONE;
}

static void named_groups_are_fields_in_their_order(void **state) {
    (void)state;
    struct made_settings s = {.kind = CONVERTER_REGEX,
                              .pattern = "^(?<z>\\S+) \\[(?<a>[^\\]]*)\\](?: (?<opt>\\d+))?$",
                              .types = "opt=integer"};
    expect(&s, "host [x \"y\"] 007", "{\"z\":\"host\",\"a\":\"x \\\"y\\\"\",\"opt\":7}");
    expect(&s, "h\xc3\xb6st []", "{\"z\":\"h\xc3\xb6st\",\"a\":\"\"}");
    expect(&(struct made_settings){.kind = CONVERTER_REGEX, .pattern = "(?<all>(?<first>\\w+) .*)"}, "a b c",
           "{\"all\":\"a b c\",\"first\":\"a\"}");
}

static void lines_that_do_not_fit_are_rejects(void **state) {
    (void)state;
    assert_int_equal(reason_of("^(?<a>\\d+)$", STR("x")), REASON_NO_MATCH);
    assert_int_equal(reason_of("^(?<a>.*)$", STR("\xff")), REASON_UTF8);
    assert_int_equal(reason_of("^(?<a>.)$", STR("\xc3\xa9")), REASON_NONE);
}

static void no_pattern_runs_away(void **state) {
    (void)state;
    static const char *const evil[] = {"(?<x>(a+)+)$", "(?<x>(a|aa)+)!$", "(?<x>.*)(.*)(.*)(.*)(.*)q!",
                                       "(?<x>(?:.|.)*(?:.|.)*)\\d", "(?<x>(\\w+\\s?)+)\\d!"};
    enum { BYTES = 1 << 20 };
    AUTO(own_free) char *line = alloc_bytes(BYTES);
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        memset(line, 'a', BYTES);
        line[BYTES - 1] = '!';
        for (size_t len = 64; len <= BYTES; len *= 128) {
            enum converter_reason reason = reason_of(evil[i], (struct str){line + BYTES - len, len});
            assert_true(reason == REASON_NO_MATCH || reason == REASON_LIMIT || reason == REASON_NONE);
        }
    }
    assert_int_equal(reason_of("^(?<x>(a+)+)$", (struct str){line + BYTES - 100, 100}), REASON_LIMIT);
}

static void groups_that_overlap_are_bounded(void **state) {
    (void)state;
    AUTO(own_free) char *line = alloc_bytes(1 << 20);
    memset(line, 'a', 1 << 20);
    assert_int_equal(reason_of("^(?<a>(?<b>(?<c>(?<d>(?<e>.*)))))$", (struct str){line, 1 << 20}), REASON_TOO_LONG);
    assert_int_equal(reason_of("^(?<a>(?<b>(?<c>(?<d>(?<e>.*)))))$", (struct str){line, 100000}), REASON_NONE);
}

static void a_bad_pattern_is_refused_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *words;
    } cases[] = {{"\xc3\xa9(?<a>x", "at character 8 of the pattern: missing closing parenthesis"},
                 {"x", "the pattern has no named group such as (?<status>\\d+)"},
                 {"(?<a>[b-a])", "at character 9 of the pattern: range out of order in character class"},
                 {"(?<a>\\C)", "using \\C is disabled by the application"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct why why = {0};
        struct converter *converter = NULL;
        struct converter_settings s = {
            .kind = CONVERTER_REGEX, .source = STR("s"), .pattern = str_of(cases[i].pattern)};
        assert_int_equal(converter_new(&s, &converter, &why), RC_BAD);
        if (!strstr(why.text, cases[i].words)) fail_msg("%s", why.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_groups_are_fields_in_their_order),
        cmocka_unit_test(lines_that_do_not_fit_are_rejects),
        cmocka_unit_test(no_pattern_runs_away),
        cmocka_unit_test(groups_that_overlap_are_bounded),
        cmocka_unit_test(a_bad_pattern_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
