/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: one document is read whole or refused, whatever stands behind its end in memory, and its values are what is
 * written there. */
#include "json.h"

#include "alloc.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static struct json_parser *parser;

/* Parses `text` with `behind` directly after its end. */
static enum rc parse_before(struct str text, const char *behind, struct json_node *out) {
    static char *copy; /* lives until the next call: texts of numbers point into it */
    free(copy);
    copy = alloc_bytes(text.len + JSON_PADDING);
    memset(copy, 'x', text.len + JSON_PADDING);
    if (text.len) memcpy(copy, text.at, text.len);
    memcpy(copy + text.len, behind, strlen(behind));
    return json_parse(parser, (struct str){copy, text.len}, out, NULL);
}

static struct json_node parse(const char *text) {
    struct json_node node;
    assert_int_equal(parse_before(str_of(text), "", &node), RC_OK);
    return node;
}

static void expect_error(struct str text, enum json_error error) {
    struct json_node node = {NULL, 7};
    enum rc rc = parse_before(text, "", &node);
    assert_int_not_equal(rc, RC_OK);
    assert_int_equal(json_failure(parser), error);
    assert_int_equal(node.at, 7);
}

static void expect_text(struct json_node node, const char *text) {
    char digits[JSON_NUMBER_MAX];
    struct str got;
    assert_int_equal(json_text(node, digits, &got), RC_OK);
    if (!str_equal(got, str_of(text))) fail_msg("\"%.*s\" instead of \"%s\"", STR_ARG(got), text);
}

static struct json_node get(struct json_node object, const char *key) {
    struct json_node node;
    assert_int_equal(json_get(object, str_of(key), &node), RC_OK);
    return node;
}

static void types_and_values_are_told(void **state) {
    (void)state;
    struct json_node root = parse(" {\"n\":null,\"b\":true,\"i\":-5,\"u\":18446744073709551615,\"d\":1.5,\"s\":\"x\","
                                  "\"a\":[1,2,3],\"o\":{}} ");
    const char *keys[] = {"n", "b", "i", "u", "d", "s", "a", "o"};
    const enum json_type types[] = {JSON_NULL,   JSON_BOOL, JSON_I64,   JSON_U64,
                                    JSON_DOUBLE, JSON_STR,  JSON_ARRAY, JSON_OBJECT};
    for (size_t i = 0; i < 8; i++) assert_int_equal(json_type(get(root, keys[i])), types[i]);
    bool yes = false;
    int64_t i64 = 0;
    uint64_t u64 = 0;
    double d = 0;
    struct str s;
    assert_int_equal(json_get_bool(get(root, "b"), &yes), RC_OK);
    assert_true(yes);
    assert_int_equal(json_get_i64(get(root, "i"), &i64), RC_OK);
    assert_int_equal(i64, -5);
    assert_int_equal(json_get_u64(get(root, "i"), &u64), RC_BAD);
    assert_int_equal(json_get_u64(get(root, "u"), &u64), RC_OK);
    assert_true(u64 == UINT64_MAX);
    assert_int_equal(json_get_i64(get(root, "u"), &i64), RC_BAD);
    assert_int_equal(json_get_double(get(root, "d"), &d), RC_OK);
    assert_true(d == 1.5);
    assert_int_equal(json_get_double(get(root, "i"), &d), RC_OK);
    assert_true(d == -5);
    assert_int_equal(json_get_str(get(root, "s"), &s), RC_OK);
    assert_true(str_equal(s, STR("x")));
    assert_int_equal(json_get_str(get(root, "i"), &s), RC_BAD);
    assert_int_equal(json_type(JSON_NODE_NONE), JSON_ABSENT);
    assert_int_equal(json_get(root, STR("q"), &root), RC_ABSENT);
    assert_int_equal(json_get(get(root, "a"), STR("q"), &root), RC_BAD);
}

static void members_come_in_order(void **state) {
    (void)state;
    struct json_node root = parse("{\"a\":[1,[2,{\"x\":3}],\"z\"],\"b\":{\"c\":\"\\u0000d\"}}"), value;
    struct str key;
    char seen[8] = "";
    size_t n = 0;
    for (struct json_iter each = json_each(root); json_next(&each, &key, &value);) seen[n++] = key.at[0];
    assert_string_equal(seen, "ab");
    assert_int_equal(json_count(root), 2);
    assert_int_equal(json_count(get(root, "a")), 3);
    struct json_iter each = json_each(get(root, "a"));
    assert_true(json_next(&each, &key, &value));
    expect_text(value, "1");
    assert_int_equal(key.len, 0);
    assert_true(json_next(&each, NULL, &value));
    assert_int_equal(json_type(value), JSON_ARRAY);
    assert_true(json_next(&each, NULL, &value));
    expect_text(value, "z");
    assert_false(json_next(&each, NULL, &value));
    each = json_each(value);
    assert_false(json_next(&each, NULL, &value));
    struct str s;
    assert_int_equal(json_get_str(get(get(root, "b"), "c"), &s), RC_OK);
    assert_true(s.len == 2 && s.at[0] == '\0' && s.at[1] == 'd');
}

static void numbers_have_the_text_of_the_document(void **state) {
    (void)state;
    struct json_node root = parse("[{\"a\":[1.50,{}],\"b\":[]}, 1.50 ,-0,-0.0,1E5,0,-9223372036854775808,"
                                  "18446744073709551615,true,false,null,100,\"\\u0041\"]");
    const char *texts[] = {"1.50", "-0",    "-0.0", "1E5", "0", "-9223372036854775808", "18446744073709551615",
                           "true", "false", "null", "100", "A"};
    struct json_iter each = json_each(root);
    struct json_node value;
    assert_true(json_next(&each, NULL, &value));
    struct str text;
    char digits[JSON_NUMBER_MAX];
    assert_int_equal(json_text(value, digits, &text), RC_BAD);
    assert_int_equal(json_text(JSON_NODE_NONE, digits, &text), RC_ABSENT);
    for (size_t i = 0; json_next(&each, NULL, &value); i++) expect_text(value, texts[i]);
}

static void numbers_of_any_size_pass_where_asked(void **state) {
    (void)state;
    static const char *const texts[] = {"123456789012345678901234567890", "-123456789012345678901234567890", "1e400",
                                        "-1.5E+99999", "18446744073709551616"};
    struct json_parser *strict = parser;
    AUTO(json_parser_done) struct json_parser *any = json_parser_new((struct json_parser_limits){.any_number = true});
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[128];
        int len =
            snprintf(text, sizeof text, "{\"1e999\":\"1e999\",\"a\":[-0,%s],\"b\":7,\"c\":%s}", texts[i], texts[i]);
        expect_error((struct str){text, (size_t)len}, JSON_ERROR_NUMBER);
        parser = any;
        struct json_node root = parse(text);
        expect_text(get(root, "c"), texts[i]);
        expect_text(get(root, "1e999"), "1e999");
        parser = strict;
    }
    parser = any;
    static const char *const bad[] = {"[1e400,01]", "[1.,1e400]", "[1e400,+1]", "[1e400",    "[1e400e]", "[1e400 1]",
                                      "[-]",        "[1e400x]",   "[1e+]",      "{1e400:1}", "[.5]",     "[--1]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct json_node node;
        if (parse_before(str_of(bad[i]), "", &node) == RC_OK) fail_msg("%s was accepted", bad[i]);
    }
    parser = strict;
}

static void what_stands_behind_the_end_does_not_matter(void **state) {
    (void)state;
    struct json_node node;
    const char *behind[] = {"", "34", "}", "]]]]", "\"", "\n{\"x\":1}", "\\", ".5e7", " 1", "\xff\xfe"};
    for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
        assert_int_equal(parse_before(STR("{\"a\":12}"), behind[i], &node), RC_OK);
        assert_int_equal(parse_before(STR("12"), behind[i], &node), RC_OK);
        expect_text(node, "12");
        assert_int_equal(parse_before(STR("1.50"), behind[i], &node), RC_OK);
        expect_text(node, "1.50");
        assert_int_equal(parse_before(STR("{\"a\":12"), behind[i], &node), RC_BAD);
        assert_int_equal(parse_before(STR("{\"a\":\"x"), behind[i], &node), RC_BAD);
        assert_int_equal(parse_before(STR("[1,"), behind[i], &node), RC_BAD);
        assert_int_equal(parse_before(STR("tru"), "e", &node), RC_BAD);
    }
}

static void errors_have_their_kind(void **state) {
    (void)state;
    expect_error(STR(""), JSON_ERROR_SYNTAX);
    expect_error(STR("  \t "), JSON_ERROR_SYNTAX);
    expect_error(STR("{}{}"), JSON_ERROR_SYNTAX);
    expect_error(STR("[1] 2"), JSON_ERROR_SYNTAX);
    expect_error(STR("[\"\x01\"]"), JSON_ERROR_SYNTAX);
    expect_error(STR("[\"a\nb\"]"), JSON_ERROR_SYNTAX);
    expect_error(STR("[\"\0\"]"), JSON_ERROR_SYNTAX);
    expect_error(STR("{}\0"), JSON_ERROR_SYNTAX);
    expect_error(STR("\xef\xbb\xbf{}"), JSON_ERROR_SYNTAX);
    expect_error(STR("[\"\\ud800\"]"), JSON_ERROR_SYNTAX);
    expect_error(STR("[\"\xff\"]"), JSON_ERROR_UTF8);
    expect_error(STR("{\"\xed\xa0\x80\":1}"), JSON_ERROR_UTF8);
    expect_error(STR("[01]"), JSON_ERROR_NUMBER);
    expect_error(STR("[1e400]"), JSON_ERROR_NUMBER);
}

static void depth_and_length_are_bounded(void **state) {
    (void)state;
    AUTO(json_parser_done)
    struct json_parser *small = json_parser_new((struct json_parser_limits){.bytes_max = 100, .depth_max = 4});
    struct json_parser *big = parser;
    parser = small;
    parse("[[[1]]]");
    expect_error(STR("[[[[[1]]]]]"), JSON_ERROR_DEPTH);
    char text[101];
    memset(text, ' ', sizeof text);
    text[0] = '1';
    struct json_node node;
    assert_int_equal(parse_before((struct str){text, 100}, "", &node), RC_OK);
    expect_error((struct str){text, 101}, JSON_ERROR_TOO_LONG);
    parser = big;
}

static void the_first_of_equal_keys_counts(void **state) {
    (void)state;
    struct json_node root = parse("{\"a\":1,\"\\u0061\":2,\"u\":5,\"u\":{\"c\":\"x\"}}"), nodes[2];
    struct json_path paths[2];
    expect_text(get(root, "a"), "1");
    assert_int_equal(json_path_compile(STR("a"), &paths[0], NULL), RC_OK);
    assert_int_equal(json_path_compile(STR("u.c"), &paths[1], NULL), RC_OK);
    json_find_all(root, paths, 2, nodes);
    expect_text(nodes[0], "1");
    assert_false(json_given(nodes[1]));
    assert_int_equal(json_find(root, &paths[1], &root), RC_ABSENT);
}

static void paths_lead_through_objects_and_arrays(void **state) {
    (void)state;
    static const struct {
        const char *path, *text; /* NULL: absent */
    } cases[] = {{"user.country", "DE"},   {"/user/country", "DE"}, {"/user/a~1b", "1"}, {"/list/1", "y"},
                 {"list.1", "y"},          {"/list/2", NULL},       {"/list/01", NULL},  {"/list/-", NULL},
                 {"/list/x", NULL},        {"/user/none", NULL},    {"/e/", "empty"},    {"/list/9999999999", NULL},
                 {"user.country.x", NULL}, {"/\xc3\xa9", "e"},      {"n", "null"}};
    enum { COUNT = sizeof cases / sizeof cases[0] };
    struct json_node root = parse("{\"n\":null,\"user\":{\"a/b\":1,\"country\":\"DE\"},\"list\":[\"x\",\"y\"],"
                                  "\"e\":{\"\":\"empty\"},\"\\u00e9\":\"e\"}");
    struct json_path paths[COUNT];
    struct json_node nodes[COUNT], one;
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(json_path_compile(str_of(cases[i].path), &paths[i], NULL), RC_OK);
    json_find_all(root, paths, COUNT, nodes);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(json_given(nodes[i]), cases[i].text != NULL);
        assert_int_equal(json_find(root, &paths[i], &one), cases[i].text ? RC_OK : RC_ABSENT);
        if (cases[i].text) expect_text(nodes[i], cases[i].text);
    }
    json_find_all(parse("[[5,6]]"), &(struct json_path){.step_count = 2, .steps = {{0, 1}, {1, 2}}, .text = "01"}, 1,
                  nodes);
    expect_text(nodes[0], "6");
}

static void the_vector_set_of_this_machine_is_used(void **state) {
    (void)state;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        assert_true(strcmp(json_implementation(), "haswell") == 0 || strcmp(json_implementation(), "icelake") == 0);
    }
#endif
    assert_true(strlen(json_implementation()) > 0);
}

static int set_up(void **state) {
    (void)state;
    parser = json_parser_new((struct json_parser_limits){0});
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    struct json_node node;
    (void)parse_before(STR("1"), "", &node);
    json_parser_free(parser);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_values_are_told),
        cmocka_unit_test(members_come_in_order),
        cmocka_unit_test(numbers_have_the_text_of_the_document),
        cmocka_unit_test(numbers_of_any_size_pass_where_asked),
        cmocka_unit_test(what_stands_behind_the_end_does_not_matter),
        cmocka_unit_test(errors_have_their_kind),
        cmocka_unit_test(depth_and_length_are_bounded),
        cmocka_unit_test(the_first_of_equal_keys_counts),
        cmocka_unit_test(paths_lead_through_objects_and_arrays),
        cmocka_unit_test(the_vector_set_of_this_machine_is_used),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
