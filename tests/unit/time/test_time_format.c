/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every conversion writes what libc's strftime writes for UTC, over the whole range; within one bucket the
 * text is the same; a bad pattern is refused with its position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "num.h"
#include "rng.h"
#include "time_format.h"
#include "time_parse.h"

/* The patterns are rows of tables. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static const int64_t SECOND = 1000000000;

static struct time_format compile(const char *pattern) {
    struct time_format format;
    struct why why = {0};
    if (time_format_compile(str_of(pattern), &format, &why) != RC_OK) fail_msg("%s: %s", pattern, why.text);
    return format;
}

static void check_against_libc(const char *pattern, const struct time_format *format, int64_t ns) {
    time_t second = (time_t)(ns / SECOND - (ns % SECOND < 0));
    struct tm tm;
    char want[TIME_FORMAT_MAX], have[TIME_FORMAT_MAX];
    assert_non_null(gmtime_r(&second, &tm));
    size_t len = strftime(want, sizeof want, pattern, &tm);
    assert_int_equal(time_format_ns(format, ns, have), len);
    if (strcmp(want, have) != 0) fail_msg("%s of %lld: \"%s\", not \"%s\"", pattern, (long long)ns, have, want);
}

/* %s is libc's local time: timegm's inverse only where TZ is UTC, so it is checked apart. */
static const char ALL[] = "%Y|%m|%d|%H|%M|%S|%j|%y|%F|%T|%G|%V|%u|%b|%a|%e|%%|literal";

static void random_times_agree_with_libc(void **state) {
    (void)state;
    struct time_format format = compile(ALL);
    struct rng rng = rng_from_seed(11);
    for (int i = 0; i < 30000; i++) check_against_libc(ALL, &format, (int64_t)rng_next(&rng));
    const int64_t edges[] = {0, -1, 1, INT64_MAX, INT64_MIN, INT64_MIN + 1, SECOND, -SECOND, SECOND - 1};
    for (size_t i = 0; i < COUNT_OF(edges); i++) check_against_libc(ALL, &format, edges[i]);
}

static void every_day_of_the_range_agrees_with_libc(void **state) {
    (void)state;
    static const char pattern[] = "%F %j %G-%V-%u %a %b";
    struct time_format format = compile(pattern);
    for (int64_t day = -106751; day <= 106750; day++) check_against_libc(pattern, &format, day * 86400 * SECOND);
}

static void epoch_seconds_are_rounded_down(void **state) {
    (void)state;
    struct time_format format = compile("%s");
    char text[TIME_FORMAT_MAX];
    const struct {
        int64_t ns;
        const char *text;
    } rows[] = {{0, "0"},
                {999999999, "0"},
                {SECOND, "1"},
                {-1, "-1"},
                {-SECOND, "-1"},
                {-SECOND - 1, "-2"},
                {INT64_MAX, "9223372036"},
                {INT64_MIN, "-9223372037"},
                {971211336 * SECOND, "971211336"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(time_format_ns(&format, rows[i].ns, text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void the_step_is_that_of_the_finest_conversion(void **state) {
    (void)state;
    const struct {
        const char *pattern;
        int64_t step_s;
    } rows[] = {{"%F", 86400}, {"%Y", 86400}, {"%G-%V", 86400}, {"%F-%H", 3600}, {"%H", 3600},
                {"%H%M", 60},  {"%T", 1},     {"%s", 1},        {"%F %S", 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(compile(rows[i].pattern).step_ns == rows[i].step_s * SECOND);
    assert_true(compile("all").step_ns == INT64_MAX);
    assert_true(compile("").step_ns == INT64_MAX);
    assert_true(compile("%%").step_ns == INT64_MAX);
}

static void times_of_one_bucket_have_one_text(void **state) {
    (void)state;
    const char *const patterns[] = {"%F", "%F-%H", "%H%M", "%T", "%s", "constant"};
    struct rng rng = rng_from_seed(12);
    for (size_t p = 0; p < COUNT_OF(patterns); p++) {
        struct time_format format = compile(patterns[p]);
        for (int i = 0; i < 2000; i++) {
            int64_t ns = (int64_t)rng_next(&rng) / 2, start = time_format_bucket(&format, ns);
            int64_t first, last;
            if (__builtin_mul_overflow(start, format.step_ns, &first) ||
                __builtin_add_overflow(first, format.step_ns - 1, &last))
                continue;
            assert_true(first <= ns && ns <= last);
            assert_true(time_format_bucket(&format, first) == start && time_format_bucket(&format, last) == start);
            char a[TIME_FORMAT_MAX], b[TIME_FORMAT_MAX];
            time_format_ns(&format, first, a);
            time_format_ns(&format, last, b);
            assert_string_equal(a, b);
        }
    }
}

static void a_bad_pattern_is_refused_with_its_position(void **state) {
    (void)state;
#define IS_NOT " is not one of %Y %m %d %H %M %S %j %s %y %F %T %G %V %u %b %a %e %%"
    const struct {
        const char *pattern, *why;
    } rows[] = {
        {"dt=%Y-%Q", "position 7: %Q" IS_NOT},
        {"%f", "position 1: %f" IS_NOT},
        {"%\x01", "position 1: a % and what follows it" IS_NOT},
        {"%Y%", "position 3: a % at the end; for a percent sign write %%"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct time_format format = {.step_ns = 42};
        struct why why = {0};
        assert_int_equal(time_format_compile(str_of(rows[i].pattern), &format, &why), RC_BAD);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(format.step_ns, 42);
    }
}

static void a_pattern_whose_text_could_be_too_long_is_refused(void **state) {
    (void)state;
    char pattern[256];
    memset(pattern, 'x', sizeof pattern);
    struct time_format format;
    struct why why = {0};
    assert_int_equal(time_format_compile((struct str){pattern, 64}, &format, &why), RC_OK);
    assert_int_equal(time_format_compile((struct str){pattern, 65}, &format, &why), RC_BAD);
    for (size_t i = 0; i < 24; i++) memcpy(pattern + i * 2, "%s", 2);
    assert_int_equal(time_format_compile((struct str){pattern, 46}, &format, &why), RC_OK);
    char text[TIME_FORMAT_MAX];
    assert_int_equal(time_format_ns(&format, INT64_MIN, text), 253);
    assert_int_equal(time_format_compile((struct str){pattern, 48}, &format, &why), RC_BAD);
    assert_string_equal(why.text, "position 47: the pattern is longer than 64 conversions and characters, or its text "
                                  "than 255 bytes");
}

static void rfc3339_reads_back_to_the_same_time(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(13);
    char text[TIME_FORMAT_RFC3339_MAX];
    for (int i = 0; i < 20000; i++) {
        int64_t ns = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : (int64_t)rng_next(&rng), out;
        assert_int_equal(time_parse_rfc3339(str_of(time_format_rfc3339(ns, 9, text)), &out), RC_OK);
        assert_true(out == ns);
    }
    assert_string_equal(time_format_rfc3339(971211336 * SECOND + 987654321, 3, text), "2000-10-10T20:55:36.987Z");
    assert_string_equal(time_format_rfc3339(971211336 * SECOND + 987654321, 0, text), "2000-10-10T20:55:36Z");
    assert_string_equal(time_format_rfc3339(-1, 1, text), "1969-12-31T23:59:59.9Z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_times_agree_with_libc),
        cmocka_unit_test(every_day_of_the_range_agrees_with_libc),
        cmocka_unit_test(epoch_seconds_are_rounded_down),
        cmocka_unit_test(the_step_is_that_of_the_finest_conversion),
        cmocka_unit_test(times_of_one_bucket_have_one_text),
        cmocka_unit_test(a_bad_pattern_is_refused_with_its_position),
        cmocka_unit_test(a_pattern_whose_text_could_be_too_long_is_refused),
        cmocka_unit_test(rfc3339_reads_back_to_the_same_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
