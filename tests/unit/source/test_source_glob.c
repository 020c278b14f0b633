/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a glob matches a path the same way whether it is walked by components or compared whole, and exactly the
 * paths that a plain recursive definition says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "rng.h"
#include "source_glob.h"

#include <fnmatch.h>
#include <stdio.h>

static bool matches(const char *pattern, const char *path) {
    AUTO(source_glob_done) struct source_glob glob = {0};
    assert_int_equal(source_glob_parse(str_of(pattern), true, &glob, NULL), RC_OK);
    return source_glob_match(&glob, str_of(path));
}

static void known_patterns_match_known_paths(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool match;
    } rows[] = {
        {"/a/b", "/a/b", true},          {"/a/b", "/a/b/", true},      {"/a/b", "//a//b", true},
        {"/a/b", "/a/bc", false},        {"/a/b", "/a", false},        {"/a/b", "/a/b/c", false},
        {"/a/*", "/a/b", true},          {"/a/*", "/a/.b", false},     {"/a/.*", "/a/.b", true},
        {"/a/*", "/a/b/c", false},       {"/a/**", "/a/b/c", true},    {"/a/**", "/a", false},
        {"/a/**", "/a/.b/c", false},     {"/a/**/c", "/a/c", true},    {"/a/**/c", "/a/b/b/c", true},
        {"/a/**/c", "/a/b/c/d", false},  {"/**", "/a", true},          {"/**/**/a", "/a", true},
        {"/a/b*c", "/a/bc", true},       {"/a/b*c", "/a/bxxc", true},  {"/a/b*c", "/a/b", false},
        {"/a/bb*b", "/a/bb", false},     {"/a/[0-9]?", "/a/7x", true}, {"/a/[0-9]?", "/a/x7", false},
        {"/a/[]x]", "/a/]", true},       {"/a/[^x]", "/a/y", true},    {"/a/[x", "/a/[x", true},
        {"/a/\\*", "/a/*", true},        {"/a/\\*", "/a/b", false},    {"*.gz", "/any/where/x.gz", true},
        {"*.gz", "/any.gz/x", false},    {"x", "/a/x", true},          {"x", "/x/a", false},
        {"/a/?.log", "/a/..log", false}, {"/a/***", "/a/b", true},     {"/a/***", "/a/b/c", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (matches(rows[i].pattern, rows[i].path) != rows[i].match)
            fail_msg("%s on %s", rows[i].pattern, rows[i].path);
}

/* The plain definition, on components in arrays: no states, no shortcuts. */
static bool defined(const char *const *parts, size_t parts_len, const char *const *names, size_t names_len) {
    if (parts_len == 0) return names_len == 0;
    if (strcmp(parts[0], "**") != 0)
        return names_len > 0 && fnmatch(parts[0], names[0], FNM_PERIOD) == 0 &&
               defined(parts + 1, parts_len - 1, names + 1, names_len - 1);
    if (parts_len > 1 && defined(parts + 1, parts_len - 1, names, names_len)) return true; /* none */
    if (names_len == 0 || names[0][0] == '.') return false;
    if (parts_len == 1 && names_len == 1) return true;
    return defined(parts, parts_len, names + 1, names_len - 1);
}

static void join(const char *const *all, size_t len, char out[200]) {
    size_t at = 0;
    for (size_t i = 0; i < len; i++) at += (size_t)snprintf(out + at, 200 - at, "/%s", all[i]);
}

static void random_patterns_match_as_defined(void **state) {
    (void)state;
    static const char *const parts[] = {"**", "a", "*", "a*", "*b", "?", "[ab]", ".*", "a*b", "**"};
    static const char *const names[] = {"a", "b", "ab", ".a", "aab", "ba"};
    struct rng rng = rng_from_seed(11);
    int hits = 0;
    for (int i = 0; i < 60000; i++) {
        const char *pattern[6], *path[6];
        char pattern_text[200], path_text[200];
        size_t pattern_len = 1 + rng_below(&rng, 5), path_len = 1 + rng_below(&rng, 5);
        for (size_t k = 0; k < pattern_len; k++) pattern[k] = parts[rng_below(&rng, COUNT_OF(parts))];
        for (size_t k = 0; k < path_len; k++) path[k] = names[rng_below(&rng, COUNT_OF(names))];
        join(pattern, pattern_len, pattern_text);
        join(path, path_len, path_text);
        bool expected = defined(pattern, pattern_len, path, path_len);
        if (matches(pattern_text, path_text) != expected) fail_msg("%s on %s", pattern_text, path_text);
        hits += expected;
    }
    assert_in_range(hits, 3000, 50000);
}

static void a_way_that_leads_nowhere_has_no_states(void **state) {
    (void)state;
    AUTO(source_glob_done) struct source_glob glob = {0};
    assert_int_equal(source_glob_parse(STR("/var/log/*/x.log"), false, &glob, NULL), RC_OK);
    bool match = true;
    uint64_t states = source_glob_start(&glob);
    assert_string_equal(source_glob_only_name(&glob, states)->text.at, "var");
    assert_int_equal(source_glob_step(&glob, states, STR("usr"), &match), 0);
    assert_false(match);
    states = source_glob_step(&glob, states, STR("var"), &match);
    states = source_glob_step(&glob, states, STR("log"), &match);
    assert_null(source_glob_only_name(&glob, states));
    states = source_glob_step(&glob, states, STR("any"), &match);
    assert_int_equal(source_glob_step(&glob, states, STR("x.log"), &match), 0);
    assert_true(match);
}

static void what_is_no_pattern_is_refused_with_its_reason(void **state) {
    (void)state;
    static char huge[5000];
    memset(huge, 'x', sizeof huge);
    huge[0] = '/';
    const struct {
        struct str pattern;
        enum rc rc;
        const char *word;
    } rows[] = {{STR(""), RC_BAD, "empty"},
                {STR("a/b"), RC_BAD, "absolute"},
                {STR("///./"), RC_BAD, "names no file"},
                {STR("/a\0"), RC_BAD, "NUL"},
                {{huge, sizeof huge}, RC_LIMIT, "4096"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct why why = {0};
        struct source_glob glob = {0};
        assert_int_equal(source_glob_parse(rows[i].pattern, true, &glob, &why), rows[i].rc);
        assert_non_null(strstr(why.text, rows[i].word));
        assert_null(glob.parts);
    }
    char deep[2 * (SOURCE_GLOB_PARTS + 1)];
    for (size_t i = 0; i < sizeof deep; i++) deep[i] = i % 2 ? 'a' : '/';
    struct source_glob glob = {0};
    assert_int_equal(source_glob_parse((struct str){deep, sizeof deep}, false, &glob, NULL), RC_LIMIT);
    assert_int_equal(source_glob_parse((struct str){deep, sizeof deep - 2}, false, &glob, NULL), RC_OK);
    assert_true(source_glob_match(&glob, (struct str){deep, sizeof deep - 2}));
    source_glob_done(&glob);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_patterns_match_known_paths),
        cmocka_unit_test(random_patterns_match_as_defined),
        cmocka_unit_test(a_way_that_leads_nowhere_has_no_states),
        cmocka_unit_test(what_is_no_pattern_is_refused_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
