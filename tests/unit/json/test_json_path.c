/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a field's path is compiled to exactly the steps that it says, or refused with the place of the mistake. */
#include "json_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void expect_steps(struct str text, const char *const *steps, uint32_t count) {
    struct json_path path;
    assert_int_equal(json_path_compile(text, &path, NULL), RC_OK);
    assert_int_equal(path.step_count, count);
    for (uint32_t i = 0; i < count; i++) assert_true(str_equal(json_path_step(&path, i), str_of(steps[i])));
}

static void expect_bad(struct str text, const char *words) {
    struct json_path path = {.step_count = 77};
    struct why why = {0};
    assert_int_equal(json_path_compile(text, &path, &why), RC_BAD);
    assert_int_equal(path.step_count, 77);
    if (!strstr(why.text, words)) fail_msg("\"%s\" does not hold \"%s\"", why.text, words);
}

static void dots_join_keys(void **state) {
    (void)state;
    expect_steps(STR("status"), (const char *[]){"status"}, 1);
    expect_steps(STR("user.geo.country"), (const char *[]){"user", "geo", "country"}, 3);
    expect_steps(STR("a~1b c/d"), (const char *[]){"a~1b c/d"}, 1);
}

static void pointers_are_unescaped(void **state) {
    (void)state;
    expect_steps(STR("/a~1b/0/~01"), (const char *[]){"a/b", "0", "~1"}, 3);
    expect_steps(STR("/a.b"), (const char *[]){"a.b"}, 1);
    expect_steps(STR("/"), (const char *[]){""}, 1);
    expect_steps(STR("//x/"), (const char *[]){"", "x", ""}, 3);
}

static void mistakes_are_named(void **state) {
    (void)state;
    expect_bad(STR(""), "empty");
    expect_bad(STR(".a"), "position 1");
    expect_bad(STR("a."), "position 3");
    expect_bad(STR("a..b"), "position 3");
    expect_bad(STR("/a~2"), "position 3");
    expect_bad(STR("/a~"), "position 3");
}

static void lengths_and_steps_are_bounded(void **state) {
    (void)state;
    char text[JSON_PATH_MAX + 1];
    memset(text, 'x', sizeof text);
    struct json_path path;
    assert_int_equal(json_path_compile((struct str){text, JSON_PATH_MAX}, &path, NULL), RC_OK);
    assert_int_equal(json_path_step(&path, 0).len, JSON_PATH_MAX);
    expect_bad((struct str){text, JSON_PATH_MAX + 1}, "over 256 bytes");
    expect_steps(
        STR("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16"),
        (const char *[]){"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"}, 16);
    expect_bad(STR("1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17"), "more than 16 steps");
    expect_bad(STR("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), "more than 16 steps");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_join_keys),
        cmocka_unit_test(pointers_are_unescaped),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(lengths_and_steps_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
