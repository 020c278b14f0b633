/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a text becomes the JSON value that its type says, with every digit that it had, or it is refused. */
#include "value.h"

#include "scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static void expect(enum value_type type, const char *text, const char *json, const char *written) {
    char in[128] = {0}, out[1024] = {0};
    memcpy(in, text, strlen(text));
    struct str seen = STR("?");
    char *end = value_write(out, (struct str){in, strlen(text)}, type, false, &seen);
    if (!json) {
        assert_null(end);
        return;
    }
    if (!end) fail_msg("\"%s\" is refused", text);
    assert_true((size_t)(end - out) <= strlen(text) * VALUE_GROWTH + VALUE_EXTRA);
    *end = '\0';
    assert_string_equal(out, json);
    if (!written)
        assert_null(seen.at);
    else if (!str_equal(seen, str_of(written)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(seen), written);
}

static void text_is_escaped(void **state) {
    (void)state;
    expect(VALUE_TEXT, "", "\"\"", "");
    expect(VALUE_TEXT, "a\"b\\c\nd\x01", "\"a\\\"b\\\\c\\nd\\u0001\"", "a\"b\\c\nd\x01");
    expect(VALUE_TEXT, "\x7f\xc3\xa9", "\"\x7f\xc3\xa9\"", "\x7f\xc3\xa9");
    expect(VALUE_TEXT, "0123456789abcde\"0123456789abcdef\"", "\"0123456789abcde\\\"0123456789abcdef\\\"\"",
           "0123456789abcde\"0123456789abcdef\"");
}

static void integers_keep_all_their_digits(void **state) {
    (void)state;
    expect(VALUE_INTEGER, "123456789012345678901234567890", "123456789012345678901234567890",
           "123456789012345678901234567890");
    expect(VALUE_INTEGER, "-007", "-7", "-7");
    expect(VALUE_INTEGER, "+5", "5", "5");
    expect(VALUE_INTEGER, "000", "0", "0");
    expect(VALUE_INTEGER, "", "null", NULL);
    static const char *const bad[] = {"-", "+", "1.0", "1e3", "0x10", " 1", "1 ", "--1", "a", "1,0"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) expect(VALUE_INTEGER, bad[i], NULL, NULL);
}

static void numbers_are_json_numbers(void **state) {
    (void)state;
    expect(VALUE_NUMBER, "1.50", "1.50", "1.50");
    expect(VALUE_NUMBER, "-0.1e+400", "-0.1e+400", "-0.1e+400");
    expect(VALUE_NUMBER, "007.5E1", "7.5E1", "7.5E1");
    static const char *const bad[] = {".5", "5.", "1e", "1e+", "NaN", "inf", "1.2.3", "-.1", "1_000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) expect(VALUE_NUMBER, bad[i], NULL, NULL);
}

static void booleans(void **state) {
    (void)state;
    expect(VALUE_BOOLEAN, "TRUE", "true", "true");
    expect(VALUE_BOOLEAN, "0", "false", "false");
    expect(VALUE_BOOLEAN, "", "null", NULL);
    expect(VALUE_BOOLEAN, "yes", NULL, NULL);
}

static void auto_is_what_json_would_say(void **state) {
    (void)state;
    expect(VALUE_AUTO, "12", "12", "12");
    expect(VALUE_AUTO, "012", "\"012\"", "012");
    expect(VALUE_AUTO, "+1", "\"+1\"", "+1");
    expect(VALUE_AUTO, "true", "true", "true");
    expect(VALUE_AUTO, "True", "\"True\"", "True");
    expect(VALUE_AUTO, "null", "null", NULL);
    expect(VALUE_AUTO, "", "\"\"", "");
    expect(VALUE_AUTO, "-", "\"-\"", "-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(integers_keep_all_their_digits),
        cmocka_unit_test(numbers_are_json_numbers),
        cmocka_unit_test(booleans),
        cmocka_unit_test(auto_is_what_json_would_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
