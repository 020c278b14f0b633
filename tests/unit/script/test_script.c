/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what a script makes of a line is a function of the line alone, it ends, and what goes wrong names its line.
 */
#include "script.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct script_limits limits = {
    .instructions_max = 200000, .bytes_max = 4 << 20, .record_bytes_max = 1 << 20};
static const struct script_meta meta = {{"app", 3}, {"file:///x.log", 13}};

/* The body of convert() over `line`: records with spaces between them, or "VERDICT: words". */
static void expect_line(const char *text, const char *line, const char *expected) {
    static const char *const verdicts[] = {"records", "filtered", "rejected", "failed", "limit", "too long", "utf8"};
    struct why why = {0};
    AUTO(script_done) struct script *script = NULL;
    if (script_new(str_of(text), "t.lua", limits, &script, &why) != RC_OK) fail_msg("%s: %s", text, why.text);
    for (int again = 0; again < 2; again++) { /* the second line is as the first */
        struct script_result result;
        enum script_verdict verdict = script_convert(script, str_of(line), &meta, &result);
        char got[4096];
        size_t n = 0;
        if (verdict != SCRIPT_RECORDS)
            n = (size_t)snprintf(got, sizeof got, "%s: %.*s", verdicts[verdict], STR_ARG(result.words));
        for (size_t i = 0; verdict == SCRIPT_RECORDS && i < result.count; i++)
            n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s", i ? " " : "", STR_ARG(result.records[i]));
        if (n != strlen(expected) || strcmp(got, expected) != 0) fail_msg("%s: %s, not %s", text, got, expected);
    }
}

static void expect(const char *body, const char *expected) {
    char text[8192];
    (void)snprintf(text, sizeof text, "function convert(line, meta) %s end", body);
    expect_line(text, "a line", expected);
}

static void tables_are_objects_with_sorted_keys(void **state) {
    (void)state;
    expect("return {b = 1, a = 'x', ['é'] = true, c = {z = {}, y = {1, 'two', {k = null}}}}",
           "{\"a\":\"x\",\"b\":1,\"c\":{\"y\":[1,\"two\",{\"k\":null}],\"z\":{}},\"\xc3\xa9\":true}");
    expect("return {i = math.maxinteger, d = 0.1, e = 2^53, n = -0.0, q = '\"\\n\\0'}",
           "{\"d\":0.1,\"e\":9007199254740992,\"i\":9223372036854775807,\"n\":-0,\"q\":\"\\\"\\n\\u0000\"}");
    expect("return {{a = 1}, {}, {b = meta.source .. meta.uri}}", "{\"a\":1} {} {\"b\":\"appfile:///x.log\"}");
    expect("return {}", "{}");
}

static void no_table_is_filtered_or_a_reject(void **state) {
    (void)state;
    expect("", "filtered: ");
    expect("return nil", "filtered: ");
    expect("return nil, 'too cold'", "rejected: too cold");
    expect("return nil, 7", "rejected: 7");
    expect("return 'x'", "failed: convert() returned no table, and no list of tables");
    expect("return {1, 2}", "failed: convert() returned no table, and no list of tables");
}

static void what_json_does_not_know_is_refused(void **state) {
    (void)state;
    expect("return {a = 0/0}", "failed: a number is not finite, which JSON does not know");
    expect("return {a = print}", "{}");
    expect("return {a = function() end}", "failed: a value is a function, which JSON does not know");
    expect("return {[1.5] = 2}", "failed: a key of an object is not a string");
    expect("return {a = {1, 2, x = 3}}", "failed: a table is neither an array (1 to n) nor an object (names)");
    expect("return {a = '\\xff'}", "utf8: a string is not UTF-8");
    expect("local t = {} t.t = t return t", "failed: tables are nested deeper than 64");
    expect("return {a = ('x'):rep(2000000)}", "too long: the records are too long");
}

static void errors_name_the_line(void **state) {
    (void)state;
    expect_line("function convert(line)\n\n  return line.x.y\nend", "x",
                "failed: t.lua:3: attempt to index a nil value (field 'x')");
    expect("error({})", "failed: an error without words");
    static const struct {
        const char *text, *words;
    } bad[] = {{"function convert(", "t.lua:1: <name> or '...' expected near <eof>"},
               {"x = 1", "there is no function convert(line, meta)"},
               {"\nlocal x = nil + 1", "t.lua:2: attempt to perform arithmetic on a nil value"},
               {"while true do end", "too many instructions for one line"},
               {"\x1bLua", "attempt to load a binary chunk"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct why why = {0};
        struct script *script = NULL;
        assert_int_equal(script_new(str_of(bad[i].text), "t.lua", limits, &script, &why), RC_BAD);
        if (!strstr(why.text, bad[i].words)) fail_msg("%s", why.text);
    }
}

static void nothing_is_remembered_from_line_to_line(void **state) {
    (void)state;
    expect("n = (n or 0) + 1 return {n = n}", "{\"n\":1}");
    expect_line("local n = 0 function convert() n = n + 1 return {n = n} end", "x", "{\"n\":1}");
    expect_line("local t = {} function convert() t[#t + 1] = 1 return {n = #t} end", "x", "{\"n\":1}");
    expect("string.x = 1", "failed: t.lua:1: the library cannot be changed");
    expect("table.insert(string, 1)", "failed: the library cannot be changed");
    expect("pairs = nil return {p = pairs == nil}", "{\"p\":false}");
}

static void nothing_but_the_line_can_be_known(void **state) {
    (void)state;
    expect(
        "local t = {} for _, name in ipairs{'io', 'os', 'package', 'require', 'load', 'loadfile', 'dofile', 'debug', "
        "'coroutine', 'setmetatable', 'getmetatable', 'rawset', 'rawget', 'next', 'print', 'collectgarbage', '_G', "
        "'loadstring'} do "
        "t[#t + 1] = _ENV[name] and name end return {left = #t, r = math.random, s = math.randomseed, d = string.dump, "
        "m = table.move}",
        "{\"left\":0}");
    expect("return {a = tostring({}), b = tostring(error), c = tostring(null), d = tostring(1.5)}",
           "{\"a\":\"table\",\"b\":\"function\",\"c\":\"null\",\"d\":\"1.5\"}");
    expect("return {a = ('%p'):format('x')}", "failed: t.lua:1: format: %p is not known");
    expect("return {a = ('%s'):format({})}", "failed: t.lua:1: format: argument 1 is a table");
    expect("local k = {} for key in pairs{z = 1, a = 2, [3] = 1, [1] = 1, [true] = 1, m = 1} do k[#k + 1] = "
           "tostring(key) end "
           "return {k = k}",
           "{\"k\":[\"1\",\"3\",\"a\",\"m\",\"z\",\"true\"]}");
    expect("local t = {} for i = 1, 300 do t[i] = {i % 3, i} end table.sort(t, function(a, b) return a[1] < b[1] end) "
           "return {a = t[1][2], b = t[100][2], c = t[101][2], d = t[300][2]}",
           "{\"a\":3,\"b\":300,\"c\":1,\"d\":299}");
}

static void every_script_ends(void **state) {
    (void)state;
    expect("while true do end", "limit: too many instructions for one line");
    expect("while true do pcall(function() while true do end end) end", "limit: too many instructions for one line");
    expect("local function f() return pcall(f) end while true do f() end", "limit: too many instructions for one line");
    expect("local s = 'x' while true do s = s .. s end", "limit: not enough memory");
    expect("local ok = pcall(string.rep, 'x', 1e9) return {ok = ok}", "{\"ok\":false}");
    expect("return {a = ('a'):rep(3000):find('.-.-.-.-b')}", "limit: library:81: too many instructions for one line");
    expect("return {a = #('a'):rep(1000):match('^(a-)$')}", "{\"a\":1000}");
    expect("return {a = ('('):rep(150000):match('%b()')}", "limit: library:90: too many instructions for one line");
    expect("local function f() return f() + 1 end return {a = f()}", "limit: not enough memory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_objects_with_sorted_keys),
        cmocka_unit_test(no_table_is_filtered_or_a_reject),
        cmocka_unit_test(what_json_does_not_know_is_refused),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(nothing_is_remembered_from_line_to_line),
        cmocka_unit_test(nothing_but_the_line_can_be_known),
        cmocka_unit_test(every_script_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
