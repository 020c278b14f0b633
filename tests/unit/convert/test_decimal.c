/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: decimals are added exactly, in any order, and have one text; what is none is refused. */
#include "decimal.h"
#include "num.h"
#include "rng.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void expect(const char *text, const char *shortest) {
    struct decimal value;
    char out[DECIMAL_MAX + 1];
    if (decimal_parse(str_of(text), &value) != RC_OK) fail_msg("%s is refused", text);
    out[decimal_format(value, out)] = 0;
    assert_string_equal(out, shortest);
}

static void each_value_has_one_text(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"+0.000", "0"},
        {"7", "7"},
        {"007.50", "7.5"},
        {"-1.25", "-1.25"},
        {"0.000000001", "0.000000001"},
        {"-0.1", "-0.1"},
        {"100", "100"},
        {"1.0000000000000", "1"},
        {"18446744073709551616", "18446744073709551616"},
        {"170141183460469231731687303715.884105727", "170141183460469231731687303715.884105727"}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) expect(pairs[i][0], pairs[i][1]);
}

static void what_is_no_decimal_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "-",
                                        "+",
                                        ".",
                                        "1.",
                                        ".5",
                                        "1e3",
                                        "1E3",
                                        "0x1",
                                        "1 ",
                                        " 1",
                                        "--1",
                                        "1.2.3",
                                        "1.0000000001",
                                        "NaN",
                                        "inf",
                                        "1,5",
                                        "170141183460469231731687303715.884105728",
                                        "1701411834604692317316873037158"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct decimal value = {42};
        if (decimal_parse(str_of(texts[i]), &value) == RC_OK) fail_msg("%s is taken", texts[i]);
        assert_true(value.units == 42);
    }
    struct decimal value;
    assert_int_equal(decimal_parse((struct str){"1\0", 2}, &value), RC_BAD);
}

static void a_value_has_up_to_twenty_digits(void **state) {
    (void)state;
    struct decimal value;
    assert_int_equal(decimal_parse(STR("-99999999999999999999.999999999"), &value), RC_OK);
    assert_true(decimal_is_value(value));
    assert_int_equal(decimal_parse(STR("100000000000000000000"), &value), RC_OK);
    assert_false(decimal_is_value(value));
}

/* Against 64-bit numbers, which are exact where all is small. */
static void sums_are_those_of_whole_numbers(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(7);
    for (int round = 0; round < 200; round++) {
        struct decimal there = {0}, back = {0}, values[100];
        int64_t sum = 0;
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            int64_t micros = (int64_t)rng_below(&rng, 2000000000000) - 1000000000000;
            uint64_t size = (uint64_t)(micros < 0 ? -micros : micros);
            char text[64];
            (void)snprintf(text, sizeof text, "%s%" PRIu64 ".%06" PRIu64, micros < 0 ? "-" : "", size / 1000000,
                           size % 1000000);
            assert_int_equal(decimal_parse(str_of(text), &values[i]), RC_OK);
            sum += micros;
        }
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            assert_int_equal(decimal_add(&there, values[i]), RC_OK);
            assert_int_equal(decimal_add(&back, values[COUNT_OF(values) - 1 - i]), RC_OK);
        }
        assert_true(there.units == (__int128)sum * 1000 && back.units == there.units);
    }
}

static void a_sum_that_is_too_large_is_told_and_changes_nothing(void **state) {
    (void)state;
    struct decimal sum, more;
    assert_int_equal(decimal_parse(STR("170141183460469231731687303715.884105727"), &sum), RC_OK);
    assert_int_equal(decimal_parse(STR("0.000000001"), &more), RC_OK);
    struct decimal before = sum;
    assert_int_equal(decimal_add(&sum, more), RC_LIMIT);
    assert_true(sum.units == before.units);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_value_has_one_text),
        cmocka_unit_test(what_is_no_decimal_is_refused),
        cmocka_unit_test(a_value_has_up_to_twenty_digits),
        cmocka_unit_test(sums_are_those_of_whole_numbers),
        cmocka_unit_test(a_sum_that_is_too_large_is_told_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
