/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a line whose members are looked for without a tree is valid or not, and has the values, exactly as when a
 * tree is built of it alone. */
#include "find_same.h"

#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static size_t objects_of(struct str lines) {
    struct str line = {0};
    size_t objects = 0;
    if (!find_same(lines, &line, &objects)) fail_msg("\"%.*s\" of \"%.*s\"", STR_ARG(line), STR_ARG(lines));
    return objects;
}

static void members_are_found_at_every_depth(void **state) {
    (void)state;
    assert_int_equal(objects_of(STR("{\"a\":1,\"b\":\"x\",\"ab\":null,\"ok\":true}\n")), 1);
    assert_int_equal(objects_of(STR("{\"a\":{\"b\":[],\"a\":{\"b\":\"deep\"}}}\n{\"a\":{\"a\":[]}}\n{\"a\":{}}\n")), 3);
    assert_int_equal(objects_of(STR("{\"a\":[[\"x\"],2],\"b\":[1,{\"a\":-0.5e-7}]}\n{\"a\":[]}\n{\"a\":\"[0]\"}\n")),
                     3);
    assert_int_equal(objects_of(STR("{\"a/\":1,\"a~\":{\"b\":2},\" \":3,\"ab\":[0,1,2,3,4,5,6,7,8,9,\"ten\"]}\n")), 1);
    assert_int_equal(objects_of(STR("{ \"a\" : 1 , \"b\" : \"x\" }\r\n{}\n{ }\n  {\"a\":1}  \n")), 4);
}

static void the_first_of_equal_keys_counts(void **state) {
    (void)state;
    assert_int_equal(
        objects_of(STR("{\"a\":1,\"a\":2}\n{\"a\":{\"c\":1},\"a\":{\"b\":2}}\n{\"a\":{\"b\":1,\"b\":2}}\n")), 3);
}

static void numbers_stay_as_they_are_written(void **state) {
    (void)state;
    assert_int_equal(
        objects_of(STR("{\"a\":0,\"b\":-0,\"ab\":18446744073709551616}\n{\"a\":1e400,\"b\":1E+5,\"ab\":0.10}\n"
                       "{\"a\":123456789012345678901234567890}\n")),
        3);
    assert_int_equal(
        objects_of(STR("{\"a\":01}\n{\"a\":1.}\n{\"a\":.5}\n{\"a\":+1}\n{\"a\":1e}\n{\"a\":-}\n{\"a\":1x}\n"
                       "{\"a\":1.5.2}\n{\"a\":0x1}\n{\"a\":1e5e}\n{\"a\":--1}\n{\"a\":1\"}\n")),
        0);
}

static void what_is_no_object_is_refused_alike(void **state) {
    (void)state;
    assert_int_equal(
        objects_of(STR("{\"a\":truex}\n{\"a\":tru}\n{\"a\":nul\n{\"a\"}\n{\"a\":}\n{\"a\":1,}\n{,}\n{\"a\":1 2}\n"
                       "{\"a\":[1,]}\n{\"a\":[1}\n{\"a\":{]}\n{\"a\":1}}\n{\"a\":1}]\n{\"a\"\"b\"}\n{a:1}\n"
                       "{\"a\":\"x\"y}\n{\"a\":[1 2]}\n{1:2}\n{\"a\":1\n{\"b\":2}{\"c\":3}\n[{\"a\":1}]\n")),
        0);
    assert_int_equal(objects_of(STR("{\"a\":")), 0);
    assert_int_equal(objects_of(STR("{\"a\":1")), 0);
    assert_int_equal(objects_of(STR("{\"a\":1}")), 1);
}

static void backslashes_and_depth_are_for_the_tree(void **state) {
    (void)state;
    assert_int_equal(objects_of(STR("{\"a\":\"x\\n\",\"\\u0062\":1}\n{\"b\":2}\n{\"a\":\"\\x\"}\n{\"a\":\"\\\\\"}\n")),
                     3);
    char deep[4096];
    size_t len = 0;
    for (size_t depth = 28; depth < 38; depth++) {
        memcpy(deep + len, "{\"a\":", 5);
        memset(deep + len + 5, '[', depth);
        memset(deep + len + 5 + depth, ']', depth);
        memcpy(deep + len + 5 + 2 * depth, "}\n", 2);
        len += 7 + 2 * depth;
    }
    assert_int_equal(objects_of((struct str){deep, len}), 10);
}

/* Objects that are right, and then a byte or two of them changed, removed or doubled. */
static void random_objects_get_the_same_answer(void **state) {
    (void)state;
    static const char *const keys[] = {"a", "b", "ab", "ok", "a/", "time", "", "x"};
    static const char *const values[] = {"1",
                                         "-0.5",
                                         "\"x\"",
                                         "\"\"",
                                         "true",
                                         "null",
                                         "[1,[2]]",
                                         "{}",
                                         "[]",
                                         "{\"b\":\"c\"}",
                                         "{\"a\":{\"b\":1}}",
                                         "12345678901234567890123",
                                         "false",
                                         "1e9",
                                         "\"\\t\"",
                                         "[[\"q\"],{\"a\":0}]"};
    static const char bytes[] = "{}[]:,\"\\ \r0-.e1tx\x01\xc3";
    size_t objects = 0;
    for (uint64_t seed = 0; seed < 6000; seed++) {
        struct rng rng = rng_from_seed(seed);
        char text[4096];
        size_t len = 0;
        for (uint64_t lines = 1 + rng_below(&rng, 6); lines; lines--) {
            size_t from = len;
            text[len++] = '{';
            for (uint64_t n = rng_below(&rng, 6); n; n--) {
                const char *key = keys[rng_below(&rng, 8)], *value = values[rng_below(&rng, 16)];
                const char *space = rng_below(&rng, 6) ? "" : " ";
                len += (size_t)snprintf(text + len, sizeof text - len, "%s\"%s\"%s:%s%s%s", space, key, space, space,
                                        value, n > 1 ? "," : space);
            }
            text[len++] = '}';
            for (uint64_t changes = rng_below(&rng, 3); changes; changes--)
                text[from + rng_below(&rng, len - from)] = bytes[rng_below(&rng, sizeof bytes - 1)];
            text[len++] = '\n';
        }
        objects += objects_of((struct str){text, len});
    }
    assert_true(objects > 6000); /* many are right */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_at_every_depth),       cmocka_unit_test(the_first_of_equal_keys_counts),
        cmocka_unit_test(numbers_stay_as_they_are_written),       cmocka_unit_test(what_is_no_object_is_refused_alike),
        cmocka_unit_test(backslashes_and_depth_are_for_the_tree), cmocka_unit_test(random_objects_get_the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
