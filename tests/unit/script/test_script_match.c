/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: string.find, match, gmatch and gsub of scripts give what the library of Lua 5.4 gives, for any pattern and
 * text; a pattern that is wrong is an error of both. */
#include "script.h"

#include "own.h"
#include "rng.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROUNDS = 20000 };

/* What both run: all answers as one text. The subject and the pattern are parted by a 0x02. */
#define BODY                                                                                                           \
    "local s, p = line:sub(1, line:find('\\2', 1, true) - 1), line:sub(line:find('\\2', 1, true) + 1)\n"               \
    "local function show(ok, ...)\n"                                                                                   \
    "  if not ok then return 'error' end\n"                                                                            \
    "  local t = {}\n"                                                                                                 \
    "  for i = 1, select('#', ...) do t[i] = tostring((select(i, ...))) end\n"                                         \
    "  return table.concat(t, ',')\n"                                                                                  \
    "end\n"                                                                                                            \
    "local function all()\n"                                                                                           \
    "  local t = {}\n"                                                                                                 \
    "  for a, b in s:gmatch(p) do t[#t + 1] = tostring(a) .. '/' .. tostring(b) end\n"                                 \
    "  return table.concat(t, ';')\n"                                                                                  \
    "end\n"                                                                                                            \
    "local out = table.concat({show(pcall(string.find, s, p)), show(pcall(string.match, s, p, 2)),\n"                  \
    "  show(pcall(string.find, s, p, -2)), show(pcall(all)), show(pcall(string.gsub, s, p, '<%0>')),\n"                \
    "  show(pcall(string.gsub, s, p, function(a) return a == 'a' and 'X' or nil end, 2)),\n"                           \
    "  show(pcall(string.gsub, s, p, {a = 'T', b = false})), show(pcall(string.gsub, s, p, '%1%%'))}, '|')\n"

static char *ask_library(lua_State *lua, const char *line) {
    lua_settop(lua, 0);
    (void)lua_getglobal(lua, "answer");
    (void)lua_pushstring(lua, line);
    if (lua_pcall(lua, 1, 1, 0) != LUA_OK) fail_msg("%s", lua_tostring(lua, -1));
    return (char *)(uintptr_t)lua_tostring(lua, -1);
}

static void make(struct rng *rng, char *line) {
    static const char *const subject[] = {"a", "b", "ab", "1", " ", "(", ")", "]", "%", ".", "-", "A", "\xc3\xa9"};
    static const char *const pattern[] = {"a",    "b",      ".",  "%a", "%d", "%s", "[ab]", "[^a]",   "[a-]", "[%w]",
                                          "[]a]", "(",      ")",  "()", "*",  "+",  "-",    "?",      "^",    "$",
                                          "%b()", "%f[%w]", "%1", "%",  "[",  "]",  "%.",   "[a-z%d]"};
    char *to = line;
    for (uint64_t n = rng_below(rng, 8); n; n--)
        to = stpcpy(to, subject[rng_below(rng, sizeof subject / sizeof subject[0])]);
    *to++ = '\2';
    for (uint64_t n = rng_below(rng, 7); n; n--)
        to = stpcpy(to, pattern[rng_below(rng, sizeof pattern / sizeof pattern[0])]);
    *to = '\0';
}

static void patterns_are_those_of_lua(void **state) {
    (void)state;
    struct why why = {0};
    AUTO(script_done) struct script *script = NULL;
    struct script_limits limits = {.instructions_max = 1000000, .bytes_max = 4 << 20, .record_bytes_max = 1 << 20};
    static const char ours[] = "function convert(line)\n" BODY "return nil, out end";
    static const char theirs[] = "function answer(line)\n" BODY "return out end";
    if (script_new(str_of(ours), "t.lua", limits, &script, &why) != RC_OK) fail_msg("%s", why.text);
    lua_State *lua = luaL_newstate();
    luaL_openlibs(lua);
    assert_int_equal(luaL_dostring(lua, theirs), LUA_OK);
    struct rng rng = rng_from_seed(1);
    size_t found = 0, refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char line[256];
        struct script_result result;
        make(&rng, line);
        const char *expected = ask_library(lua, line);
        enum script_verdict verdict = script_convert(script, str_of(line), &(struct script_meta){0}, &result);
        bool both_refuse = strstr(expected, "error") && memmem(result.words.at, result.words.len, "error", 5);
        if (verdict != SCRIPT_REJECTED || (!both_refuse && !str_equal(result.words, str_of(expected))))
            fail_msg("round %d: %s: %.*s, not %s", i, line, STR_ARG(result.words), expected);
        refused += both_refuse;
        found += expected[0] != 'n' && expected[0] != 'e';
    }
    lua_close(lua);
    assert_true(found > ROUNDS / 10 && refused < ROUNDS * 2 / 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(patterns_are_those_of_lua)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
