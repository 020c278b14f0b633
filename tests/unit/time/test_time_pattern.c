/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a strptime pattern is refused when it is compiled, with its position, or it parses exactly what it says; for
 * what both know it agrees with libc's strptime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "num.h"
#include "rng.h"
#include "time_parse.h"

/* The patterns are rows of tables. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static const int64_t SECOND = 1000000000;

static enum rc parse(const char *pattern, const char *text, int64_t *out_ns) {
    struct time_parse format;
    struct why why = {0};
    if (time_parse_compile(str_of(pattern), &format, &why) != RC_OK) fail_msg("%s: %s", pattern, why.text);
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    enum rc rc = time_parse_ns(&format, (struct str){copy, len}, out_ns);
    free(copy);
    return rc;
}

static void patterns_parse_what_they_say(void **state) {
    (void)state;
    const struct {
        const char *pattern, *text;
        int64_t ns;
    } rows[] = {
        {"%Y-%m-%d %H:%M:%S", "2000-10-10 20:55:36", 971211336 * SECOND},
        {"%Y-%m-%d %H:%M:%S", "2000-10-10   20:55:36", 971211336 * SECOND},
        {"%Y-%m-%d%n%H:%M:%S", "2000-10-10\t20:55:36", 971211336 * SECOND},
        {"%F%t%T", "2000-10-10 20:55:36", 971211336 * SECOND},
        {"%D %T", "10/10/00 20:55:36", 971211336 * SECOND},
        {"%Y%m%dT%H%M%S%z", "20001010T135536-0700", 971211336 * SECOND},
        {"%FT%T%z", "2000-10-10T13:55:36-07:00", 971211336 * SECOND},
        {"%FT%T%z", "2000-10-10T13:55:36-07", 971211336 * SECOND},
        {"%FT%T%z", "2000-10-10T20:55:36Z", 971211336 * SECOND},
        {"%F %T %Z", "2000-10-10 20:55:36 UTC", 971211336 * SECOND},
        {"%F %T %Z", "2000-10-10 20:55:36 gmt", 971211336 * SECOND},
        {"%FT%T.%f%z", "2000-10-10T20:55:36.25Z", 971211336 * SECOND + 250000000},
        {"%F %T,%f", "2000-10-10 20:55:36,1234567899", 971211336 * SECOND + 123456789},
        {"%a, %d %b %Y %T GMT", "Tue, 10 Oct 2000 20:55:36 GMT", 971211336 * SECOND},
        {"%A %B %e %Y %T", "tuesday october 10 2000 20:55:36", 971211336 * SECOND},
        {"%A %B %e %Y %T", "Wed OCT  1 2000 20:55:36", 970433736 * SECOND},
        {"%b %e %Y %I:%M:%S %p", "Oct 10 2000 08:55:36 PM", 971211336 * SECOND},
        {"%b %e %Y %I:%M %p", "Jan 1 1970 12:30 am", 1800 * SECOND},
        {"%b %e %Y %I:%M %p", "Jan 1 1970 12:30 pm", (12 * 3600 + 1800) * SECOND},
        {"%Y %j %T", "2000 284 20:55:36", 971211336 * SECOND},
        {"%Y %j", "2000 366", 978220800 * SECOND},
        {"%y%j", "68001", 3092601600 * SECOND},
        {"%y%j", "69001", -31536000 * SECOND},
        {"%s", "-1", -SECOND},
        {"%s.%f", "971211336.25", 971211336 * SECOND + 250000000},
        {"%s.%f", "-0.25", -250000000},
        {"[%s]", "[5]", 5 * SECOND},
        {"%H:%M", "01:02", 3720 * SECOND},
        {"100%% at %H", "100% at 7", 7 * 3600 * SECOND},
        {"%F %T", "1990-12-31 23:59:60", 662688000 * SECOND - 1},
        {"%d.%m.%Y", "1.2.1970", 31 * 86400 * SECOND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t out = 0;
        enum rc rc = parse(rows[i].pattern, rows[i].text, &out);
        if (rc != RC_OK || out != rows[i].ns)
            fail_msg("%s of \"%s\": %s, %lld", rows[i].pattern, rows[i].text, rc_name(rc), (long long)out);
    }
}

static void texts_that_do_not_fit_are_refused(void **state) {
    (void)state;
    const struct {
        const char *pattern, *text;
    } rows[] = {
        {"%Y", ""},
        {"%Y", "200"},
        {"%Y", "20000"},
        {"%Y", "0000"},
        {"%Y", "-200"},
        {"%m", "13"},
        {"%m", "0"},
        {"%d", "32"},
        {"%d", "00"},
        {"%F", "2001-02-29"},
        {"%F", "2001-04-31"},
        {"%H", "24"},
        {"%M", "60"},
        {"%S", "61"},
        {"%I %p", "13 AM"},
        {"%I %p", "0 AM"},
        {"%I %p", "1 XM"},
        {"%I %p", "1 A"},
        {"%Y %j", "2001 366"},
        {"%Y %j", "2001 0"},
        {"%b %d", "Jua 1"},
        {"%b %d", "Ja"},
        {"%a %d", "Mun 1"},
        {"%H %M", "0102"},
        {"%H:%M", "01:02 "},
        {"%H:%M", " 01:02"},
        {"%H:%M", "01-02"},
        {"%H:%M", "01:"},
        {"%T%z", "00:00:00"},
        {"%T%z", "00:00:00+1"},
        {"%T%z", "00:00:00+24"},
        {"%T%z", "00:00:00+0160"},
        {"%T%z", "00:00:00+01:"},
        {"%T %Z", "00:00:00 CET"},
        {"%T %Z", "00:00:00 UT"},
        {"%s", ""},
        {"%s", "-"},
        {"%s", "9223372037"},
        {"%s", "99999999999999999999"},
        {"%s.%f", "1."},
        {"%F", "2263-01-01"},
        {"%F", "1600-01-01"},
        {"%b %e %T", "Feb 29 00:00:00"},
        {"%y", "x"},
        {"%B %d", "Octobe 1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t out = 77;
        if (parse(rows[i].pattern, rows[i].text, &out) != RC_BAD || out != 77)
            fail_msg("%s accepted \"%s\"", rows[i].pattern, rows[i].text);
    }
}

static void a_bad_pattern_is_refused_with_its_position(void **state) {
    (void)state;
#define IS_NOT " is not one of %Y %m %d %H %M %S %f %z %Z %b %B %a %A %e %j %y %p %I %s %T %D %F %n %t %%"
    const struct {
        const char *pattern, *why;
    } rows[] = {
        {"%Y-%Q", "position 4: %Q" IS_NOT},
        {"%Y-%-d", "position 4: %-" IS_NOT},
        {"%Y%\xc3\xa9", "position 3: a % and what follows it" IS_NOT},
        {"%Y-%", "position 4: a % at the end; for a percent sign write %%"},
        {"%Y %y", "position 4: %y gives the year a second time"},
        {"%T %H", "position 4: %H gives the hour a second time"},
        {"%b %F", "position 4: %m gives the month a second time"},
        {"%Y %j %d", "%j is the month and the day: neither goes with it"},
        {"%s %Y", "%s is the whole time: only %f goes with it"},
        {"%s %z", "%s is the whole time: only %f goes with it"},
        {"%%", "the pattern names no time"},
        {"%a %n %z", "the pattern names no time"},
        {"%F %I:%M", "%I needs %p, or take %H"},
        {"%F %H:%M %p", "%p needs %I"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct time_parse format;
        struct why why = {0};
        assert_int_equal(time_parse_compile(str_of(rows[i].pattern), &format, &why), RC_BAD);
        assert_string_equal(why.text, rows[i].why);
    }
}

static void a_pattern_may_have_64_parts_and_not_one_more(void **state) {
    (void)state;
    char pattern[128];
    memset(pattern, 'x', sizeof pattern);
    memcpy(pattern, "%Y", 2);
    struct time_parse format;
    struct why why = {0};
    assert_int_equal(time_parse_compile((struct str){pattern, 65}, &format, &why), RC_OK);
    assert_int_equal(time_parse_compile((struct str){pattern, 66}, &format, &why), RC_BAD);
    assert_string_equal(why.text, "position 66: the pattern is longer than 64 conversions and characters");
    memcpy(pattern + 62, "%T", 2);
    assert_int_equal(time_parse_compile((struct str){pattern, 64}, &format, &why), RC_BAD);
}

static void random_times_agree_with_strptime(void **state) {
    (void)state;
    const char *const patterns[] = {"%Y-%m-%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S", "%A %B %e %Y %T",
                                    "%Y%m%d%H%M%S",      "%D %I:%M:%S %p",    "%a %b %d %T %Y"};
    struct rng rng = rng_from_seed(4);
    for (int i = 0; i < 12000; i++) {
        const char *pattern = patterns[i % (int)COUNT_OF(patterns)];
        time_t second = (time_t)rng_below(&rng, 2000000000); /* within %y's reach */
        struct tm tm, again = {0};
        char text[128];
        assert_non_null(gmtime_r(&second, &tm));
        assert_true(strftime(text, sizeof text, pattern, &tm));
        assert_non_null(strptime(text, pattern, &again));
        assert_true(timegm(&again) == second);
        int64_t out;
        assert_int_equal(parse(pattern, text, &out), RC_OK);
        assert_true(out == second * SECOND);
    }
}

static void random_patterns_and_texts_stay_within_their_bounds(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(5);
    static const char letters[] = "YmdHMSfzZbBaAejypIsTDFnt%", bytes[] = "0123456789+-:/ ZJanFebMonUTCpmAM.\xff";
    for (int i = 0; i < 20000; i++) {
        char pattern[24], text[32];
        size_t len = 0;
        for (size_t parts = 1 + rng_below(&rng, 7); parts; parts--) {
            pattern[len++] = '%';
            pattern[len++] = letters[rng_below(&rng, sizeof letters - 1)];
            if (rng_below(&rng, 3) == 0) pattern[len++] = bytes[rng_below(&rng, sizeof bytes - 1)];
        }
        struct time_parse format;
        if (time_parse_compile((struct str){pattern, len}, &format, NULL) != RC_OK) continue;
        size_t text_len = rng_below(&rng, sizeof text);
        char *copy = malloc(text_len ? text_len : 1);
        for (size_t j = 0; j < text_len; j++) copy[j] = bytes[rng_below(&rng, sizeof bytes - 1)];
        int64_t out;
        (void)!time_parse_ns(&format, (struct str){copy, text_len}, &out);
        free(copy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_parse_what_they_say),
        cmocka_unit_test(texts_that_do_not_fit_are_refused),
        cmocka_unit_test(a_bad_pattern_is_refused_with_its_position),
        cmocka_unit_test(a_pattern_may_have_64_parts_and_not_one_more),
        cmocka_unit_test(random_times_agree_with_strptime),
        cmocka_unit_test(random_patterns_and_texts_stay_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
