/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a text is one time or it is refused; what is accepted is what libc would say, to the nanosecond, and
 * whatever stands in the text, nothing behind it is read and the output is written only on success. */
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

typedef enum rc parse_function(struct str text, int64_t *out_ns);

static const int64_t SECOND = 1000000000;
static const int64_t UNTOUCHED = 0x5a5a5a5a5a5a5a5a;

/* Parses a copy in memory of exactly its size, so that a sanitizer sees a read behind it. */
static enum rc parse(parse_function *parser, const char *text, size_t len, int64_t *out_ns) {
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    *out_ns = UNTOUCHED;
    enum rc rc = parser((struct str){copy, len}, out_ns);
    free(copy);
    if (rc != RC_OK) assert_true(*out_ns == UNTOUCHED);
    return rc;
}

static void accept_one(parse_function *parser, const char *text, int64_t ns) {
    int64_t out;
    enum rc rc = parse(parser, text, strlen(text), &out);
    if (rc != RC_OK || out != ns)
        fail_msg("\"%s\": rc %s, %lld, not %lld", text, rc_name(rc), (long long)out, (long long)ns);
}

static void refuse_one(parse_function *parser, const char *text) {
    int64_t out;
    if (parse(parser, text, strlen(text), &out) != RC_BAD) fail_msg("\"%s\" was accepted", text);
}

struct accepted {
    const char *text;
    int64_t ns;
};

static void rfc3339_forms_are_understood(void **state) {
    (void)state;
    const struct accepted rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"1970-01-01 00:00:00Z", 0},
        {"1970-01-01T00:00:00", 0},
        {"1970-01-01T00:00:00.5", 500000000},
        {"1970-01-01T00:00:00+00:00", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"1970-01-01T00:00:00+01:30", -5400 * SECOND},
        {"1970-01-01T00:00:00-23:59", (23 * 3600 + 59 * 60) * SECOND},
        {"1970-01-01T00:00:00.1Z", 100000000},
        {"1970-01-01T00:00:00.123456789Z", 123456789},
        {"1970-01-01T00:00:00.1234567899999999999999Z", 123456789},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"2000-02-29T12:00:00Z", 951825600 * SECOND},
        {"2000-10-10T13:55:36-07:00", 971211336 * SECOND},
        {"1985-04-12T23:20:50.52Z", 482196050 * SECOND + 520000000},
        {"1996-12-19T16:39:57-08:00", 851042397 * SECOND},
        {"1990-12-31T23:59:60Z", 662688000 * SECOND - 1},
        {"1990-12-31T15:59:60-08:00", 662688000 * SECOND - 1},
        {"1990-12-31T23:59:60.7Z", 662688000 * SECOND - 1},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
        {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) accept_one(time_parse_rfc3339, rows[i].text, rows[i].ns);
}

static void what_is_no_rfc3339_time_is_refused(void **state) {
    (void)state;
    const char *const rows[] = {
        "",
        "1",
        "1970-01-01",
        "1970-01-01T00:00",
        "1970-01-01T00:00:0",
        "1970-01-01T00:00:00.",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00 Z",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z ",
        "1970-01-01T00:00:00ZZ",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+01",
        "1970-01-01T00:00:00+01:0",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+01:60",
        "1970-01-01T00:00:00*01:00",
        "1970-01-01T00:00:00+1:000",
        "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-04-31T00:00:00Z",
        "1970-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "0000-01-01T00:00:00Z",
        "2262-04-11T23:47:16.854775808Z",
        "1677-09-21T00:12:43.145224191Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "-970-01-01T00:00:00Z",
        "+970-01-01T00:00:00Z",
        "19 0-01-01T00:00:00Z",
        "1970-1 -01T00:00:00Z",
        "1970/01/01T00:00:00Z",
        "1970-01-01X00:00:00Z",
        "1970-01-01\t00:00:00Z",
        "1970-01-01T00:00:00\xc2\xbd",
        "1970-01-01T00:00:00.1\xff",
        "\357\273\2771970-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) refuse_one(time_parse_rfc3339, rows[i]);
}

static void every_wrong_byte_of_an_rfc3339_time_is_refused_or_another_time(void **state) {
    (void)state;
    const char good[] = "2024-02-29T23:59:58.123+05:30";
    int64_t right, out;
    assert_int_equal(parse(time_parse_rfc3339, good, sizeof good - 1, &right), RC_OK);
    for (size_t i = 0; i < sizeof good - 1; i++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof good];
            memcpy(text, good, sizeof good);
            if (text[i] == (char)byte) continue;
            text[i] = (char)byte;
            if (parse(time_parse_rfc3339, text, sizeof good - 1, &out) != RC_OK) continue;
            bool same_meaning = i == 10 && (byte == 't' || byte == ' ');
            assert_true(same_meaning == (out == right));
        }
    }
}

static void every_prefix_of_a_time_is_read_within_its_bounds(void **state) {
    (void)state;
    const struct {
        parse_function *parser;
        const char *text;
    } rows[] = {{time_parse_rfc3339, "2024-02-29T23:59:58.123456789123+05:30"},
                {time_parse_clf, "[29/Feb/2024:23:59:58 +0530]"},
                {time_parse_epoch_s, "-1709251198.123456789123"},
                {time_parse_epoch_ms, "-1709251198123.123456789"}};
    int64_t out;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t len = 0; len <= strlen(rows[i].text); len++) (void)!parse(rows[i].parser, rows[i].text, len, &out);
}

/* Any second of the years that fit. */
static int64_t random_second(struct rng *rng) { return (int64_t)rng_below(rng, 18446744070) - 9223372035; }

static void random_times_agree_with_libc(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(20261121);
    for (int i = 0; i < 20000; i++) {
        time_t second = (time_t)random_second(&rng);
        int ns = (int)rng_below(&rng, 1000000000), offset = (int)rng_below(&rng, 24 * 60 * 2 - 1) - (24 * 60 - 1);
        time_t local = second + offset * 60;
        struct tm tm;
        assert_non_null(gmtime_r(&local, &tm));
        char date[64], text[128], sign = offset < 0 ? '-' : '+';
        assert_true(strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm));
        snprintf(text, sizeof text, "%s.%09d%c%02d:%02d", date, ns, sign, abs(offset) / 60, abs(offset) % 60);
        if (second > 9223372034 || second < -9223372034) continue;
        accept_one(time_parse_rfc3339, text, second * SECOND + ns);
        assert_true(strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S", &tm));
        snprintf(text, sizeof text, "%s %c%02d%02d", date, sign, abs(offset) / 60, abs(offset) % 60);
        accept_one(time_parse_clf, text, second * SECOND);
    }
}

static void every_day_of_the_range_agrees_with_libc(void **state) {
    (void)state;
    for (int64_t day = -106751; day <= 106750; day++) {
        time_t second = (time_t)(day * 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&second, &tm));
        char text[64];
        int64_t out;
        size_t len = strftime(text, sizeof text, "%Y-%m-%dT00:00:00Z", &tm);
        assert_int_equal(time_parse_rfc3339((struct str){text, len}, &out), RC_OK);
        assert_true(out == second * SECOND);
    }
}

static void epoch_seconds_are_integers_or_decimals_with_a_sign(void **state) {
    (void)state;
    const struct accepted rows[] = {
        {"0", 0},
        {"-0", 0},
        {"+1", SECOND},
        {"-1", -SECOND},
        {"970351200", 970351200 * SECOND},
        {"000000000000000000000000000000001", SECOND},
        {"970351200.25", 970351200 * SECOND + 250000000},
        {"-0.5", -500000000},
        {"-1.000000001", -1000000001},
        {"0.0000000019999", 1},
        {"9223372036.854775807", INT64_MAX},
        {"-9223372036.854775808", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) accept_one(time_parse_epoch_s, rows[i].text, rows[i].ns);
    const char *const bad[] = {"",
                               "-",
                               "+",
                               ".",
                               "1.",
                               ".5",
                               "-.5",
                               "1e9",
                               "1 ",
                               " 1",
                               "--1",
                               "1.2.3",
                               "0x10",
                               "nan",
                               "9223372036.854775808",
                               "-9223372036.854775809",
                               "9223372037",
                               "-9223372037",
                               "99999999999999999999",
                               "1,5",
                               "1_000",
                               "\xd9\xa1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) refuse_one(time_parse_epoch_s, bad[i]);
}

static void epoch_milliseconds_are_integers_or_decimals_with_a_sign(void **state) {
    (void)state;
    const struct accepted rows[] = {
        {"0", 0},
        {"-1", -1000000},
        {"970351200250", 970351200 * SECOND + 250000000},
        {"970351200250.5", 970351200 * SECOND + 250500000},
        {"-1500.25", -1500250000},
        {"0.0000019", 1},
        {"9223372036854.775807", INT64_MAX},
        {"-9223372036854.775808", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) accept_one(time_parse_epoch_ms, rows[i].text, rows[i].ns);
    const char *const bad[] = {
        "",  "-", "1.", ".5", "1e3", "9223372036854.775808", "9223372036855", "-9223372036855", "9223372036854775808",
        "1 "};
    for (size_t i = 0; i < COUNT_OF(bad); i++) refuse_one(time_parse_epoch_ms, bad[i]);
}

static void clf_forms_are_understood(void **state) {
    (void)state;
    const struct accepted rows[] = {
        {"10/Oct/2000:13:55:36 -0700", 971211336 * SECOND},     {"[10/Oct/2000:13:55:36 -0700]", 971211336 * SECOND},
        {"10/oct/2000:13:55:36 -0700", 971211336 * SECOND},     {"10/OCT/2000:20:55:36", 971211336 * SECOND},
        {"31/Dec/1990:23:59:60 +0000", 662688000 * SECOND - 1}, {"29/Feb/2000:12:00:00 +0000", 951825600 * SECOND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) accept_one(time_parse_clf, rows[i].text, rows[i].ns);
    const char *const bad[] = {"",
                               "-",
                               "[]",
                               "10/Okt/2000:13:55:36 -0700",
                               "10/10/2000:13:55:36 -0700",
                               "1/Oct/2000:13:55:36 -0700",
                               "10/Oct/2000:13:55:36 -07:00",
                               "10/Oct/2000:13:55:36-0700",
                               "10/Oct/2000:13:55:36 -2400",
                               "10/Oct/2000:13:55:36 -0760",
                               "30/Feb/2000:13:55:36 -0700",
                               "[10/Oct/2000:13:55:36 -0700",
                               "10/Oct/2000:13:55:36 -0700]",
                               "10/Oct/2000 13:55:36 -0700",
                               "00/Oct/2000:13:55:36 -0700",
                               "10/Oct/2000:24:55:36 -0700",
                               "10/Oct/2000:13:55:36 Z0700",
                               "[[10/Oct/2000:13:55:36 -0700]]",
                               "10/O\xe3t/2000:13:55:36 -0700"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) refuse_one(time_parse_clf, bad[i]);
}

static void a_format_is_found_by_its_name(void **state) {
    (void)state;
    const struct {
        const char *name, *text;
    } rows[] = {{"rfc3339", "2000-10-10T20:55:36Z"},
                {"epoch_s", "971211336"},
                {"epoch_ms", "971211336000"},
                {"clf", "10/Oct/2000:20:55:36"},
                {"%s", "971211336"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct time_parse format;
        int64_t out;
        assert_int_equal(time_parse_compile(str_of(rows[i].name), &format, NULL), RC_OK);
        assert_int_equal(time_parse_ns(&format, str_of(rows[i].text), &out), RC_OK);
        assert_true(out == 971211336 * SECOND);
    }
}

static void an_unknown_format_is_named_with_what_is_allowed(void **state) {
    (void)state;
    struct why why = {0};
    struct time_parse format;
    assert_int_equal(time_parse_compile(STR("rfc3389"), &format, &why), RC_BAD);
    assert_string_equal(why.text, "\"rfc3389\" is not one of rfc3339, epoch_s, epoch_ms, clf, or a pattern with %; did "
                                  "you mean \"rfc3339\"?");
    assert_int_equal(time_parse_compile(STR("iso"), &format, &why), RC_BAD);
    assert_string_equal(why.text, "\"iso\" is not one of rfc3339, epoch_s, epoch_ms, clf, or a pattern with %");
    assert_int_equal(time_parse_compile((struct str){0}, &format, &why), RC_BAD);
    assert_string_equal(why.text, "\"\" is not one of rfc3339, epoch_s, epoch_ms, clf, or a pattern with %");
    assert_int_equal(time_parse_compile(STR("RFC3339"), &format, NULL), RC_BAD);
}

static void random_bytes_are_refused_without_reading_behind_them(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(99);
    static const char alphabet[] = "0123456789-+:.TZtz /[]OctFeb\xff\0";
    parse_function *const parsers[] = {time_parse_rfc3339, time_parse_epoch_s, time_parse_epoch_ms, time_parse_clf};
    for (int i = 0; i < 20000; i++) {
        char text[40];
        size_t len = rng_below(&rng, sizeof text);
        for (size_t j = 0; j < len; j++) text[j] = alphabet[rng_below(&rng, sizeof alphabet)];
        int64_t out;
        for (size_t p = 0; p < COUNT_OF(parsers); p++) (void)!parse(parsers[p], text, len, &out);
    }
}

/* A memory of the minute before changes no answer: texts that differ little from one another, right and wrong ones. */
static void a_time_near_the_last_one_is_what_it_is_alone(void **state) {
    (void)state;
    static const char *const seeds[] = {"2024-02-29T23:59:58.123Z",       "2024-02-29T23:59:60.5Z",
                                        "1969-12-31T23:59:59.999999999Z", "2262-04-11T23:47:16.854775807Z",
                                        "1677-09-21T00:12:43.145224192Z", "2024-02-29T23:59:58Z"};
    static const char alphabet[] = "0123456789Zz.:+-6";
    struct time_parse format;
    assert_int_equal(time_parse_compile(STR("rfc3339"), &format, NULL), RC_OK);
    struct rng rng = rng_from_seed(11);
    struct time_minute minute = {0};
    int same = 0;
    for (int i = 0; i < 200000; i++) {
        char text[40];
        const char *seed = seeds[rng_below(&rng, COUNT_OF(seeds))];
        size_t len = strlen(seed);
        memcpy(text, seed, len);
        if (rng_below(&rng, 2)) text[rng_below(&rng, len)] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
        if (rng_below(&rng, 4) == 0) len -= rng_below(&rng, len);
        int64_t alone = 7, near = 7;
        enum rc rc = time_parse_ns(&format, (struct str){text, len}, &alone);
        assert_int_equal(time_parse_near(&format, &minute, (struct str){text, len}, &near), rc);
        assert_int_equal(near, alone);
        same += rc == RC_OK && memcmp(minute.text, text, sizeof minute.text) == 0;
    }
    assert_true(same > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_near_the_last_one_is_what_it_is_alone),
        cmocka_unit_test(rfc3339_forms_are_understood),
        cmocka_unit_test(what_is_no_rfc3339_time_is_refused),
        cmocka_unit_test(every_wrong_byte_of_an_rfc3339_time_is_refused_or_another_time),
        cmocka_unit_test(every_prefix_of_a_time_is_read_within_its_bounds),
        cmocka_unit_test(random_times_agree_with_libc),
        cmocka_unit_test(every_day_of_the_range_agrees_with_libc),
        cmocka_unit_test(epoch_seconds_are_integers_or_decimals_with_a_sign),
        cmocka_unit_test(epoch_milliseconds_are_integers_or_decimals_with_a_sign),
        cmocka_unit_test(clf_forms_are_understood),
        cmocka_unit_test(a_format_is_found_by_its_name),
        cmocka_unit_test(an_unknown_format_is_named_with_what_is_allowed),
        cmocka_unit_test(random_bytes_are_refused_without_reading_behind_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
