/* SPDX-License-Identifier: Apache-2.0 */
/* script_json: a table of Lua as a JSON object, keys in the order of their bytes. */
#include "script_inner.h"

#include "alloc.h"
#include "json_out.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>

/* NOLINTBEGIN(misc-no-recursion): at most SCRIPT_DEPTH_MAX deep */
static void add_value(struct script *s, struct json_out *json, int depth);

static struct str text_at(lua_State *lua, int index) {
    struct str text = {0};
    text.at = lua_tolstring(lua, index, &text.len);
    return text;
}

static void refuse(struct script *s, enum script_verdict verdict, const char *words) {
    s->verdict = verdict;
    (void)luaL_error(s->lua, "%s", words);
}

static void check_text(struct script *s, struct str text) {
    script_step(s->lua, text.len / 64);
    if (!utf8_valid(text)) refuse(s, SCRIPT_NOT_UTF8, "a string is not UTF-8");
}

static void add_number(struct script *s, struct json_out *json) {
    if (lua_isinteger(s->lua, -1)) {
        json_i64(json, lua_tointeger(s->lua, -1));
        return;
    }
    double value = lua_tonumber(s->lua, -1);
    if (!isfinite(value)) refuse(s, SCRIPT_FAILED, "a number is not finite, which JSON does not know");
    json_double(json, value);
}

static void add_array(struct script *s, struct json_out *json, lua_Unsigned count, int depth) {
    json_open(json, '[');
    lua_Unsigned keys = 0;
    for (lua_pushnil(s->lua); lua_next(s->lua, -2); keys++) lua_pop(s->lua, 1);
    if (keys != count) refuse(s, SCRIPT_FAILED, "a table is neither an array (1 to n) nor an object (names)");
    for (lua_Unsigned i = 1; i <= count; i++) {
        (void)lua_rawgeti(s->lua, -1, (lua_Integer)i);
        add_value(s, json, depth);
        lua_pop(s->lua, 1);
    }
    json_close(json, ']');
}

static int key_order(const void *a, const void *b) {
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* The keys lie in Lua's memory, as a userdata on its stack, so that an error leaks nothing. */
static struct str *sorted_keys(struct script *s, size_t *out_count) {
    size_t count = 0;
    for (lua_pushnil(s->lua); lua_next(s->lua, -2); count++) {
        lua_pop(s->lua, 1);
        if (lua_type(s->lua, -1) != LUA_TSTRING) refuse(s, SCRIPT_FAILED, "a key of an object is not a string");
    }
    struct str *keys = lua_newuserdatauv(s->lua, (count + 1) * sizeof *keys, 0);
    size_t i = 0;
    for (lua_pushnil(s->lua); lua_next(s->lua, -3); i++) {
        lua_pop(s->lua, 1);
        keys[i] = text_at(s->lua, -1);
    }
    qsort(keys, count, sizeof *keys, key_order);
    *out_count = count;
    return keys;
}

static void add_object(struct script *s, struct json_out *json, int depth) {
    size_t count = 0;
    json_open(json, '{');
    struct str *keys = sorted_keys(s, &count);
    script_step(s->lua, count);
    for (size_t i = 0; i < count; i++) {
        check_text(s, keys[i]);
        json_key(json, keys[i]);
        (void)lua_pushlstring(s->lua, keys[i].at, keys[i].len);
        (void)lua_rawget(s->lua, -3);
        add_value(s, json, depth);
        lua_pop(s->lua, 1);
    }
    lua_pop(s->lua, 1);
    json_close(json, '}');
}

static void add_table(struct script *s, struct json_out *json, int depth) {
    if (depth >= SCRIPT_DEPTH_MAX) refuse(s, SCRIPT_FAILED, "tables are nested deeper than 64");
    luaL_checkstack(s->lua, 8, "tables are nested too deep");
    lua_Unsigned count = lua_rawlen(s->lua, -1);
    if (count)
        add_array(s, json, count, depth + 1);
    else
        add_object(s, json, depth + 1);
}

static void add_value(struct script *s, struct json_out *json, int depth) {
    script_step(s->lua, 1);
    if (buf_rc(&s->json) != RC_OK) refuse(s, SCRIPT_TOO_LONG, "the records are too long");
    switch (lua_type(s->lua, -1)) {
    case LUA_TBOOLEAN: json_bool(json, lua_toboolean(s->lua, -1)); return;
    case LUA_TNUMBER: add_number(s, json); return;
    case LUA_TSTRING: {
        struct str text = text_at(s->lua, -1);
        check_text(s, text);
        json_str(json, text);
        return;
    }
    case LUA_TLIGHTUSERDATA: json_null(json); return;
    case LUA_TTABLE: add_table(s, json, depth); return;
    default: refuse(s, SCRIPT_FAILED, "a value is a function, which JSON does not know"); return;
    }
}
/* NOLINTEND(misc-no-recursion) */

void script_add_record(struct script *s) {
    if (lua_type(s->lua, -1) != LUA_TTABLE)
        refuse(s, SCRIPT_FAILED, "convert() returned no table, and no list of tables");
    if (s->count == SCRIPT_RECORDS_MAX) refuse(s, SCRIPT_TOO_LONG, "more than 10,000 records of one line");
    struct json_out json = {.to = &s->json};
    size_t from = s->json.len;
    add_object(s, &json, 1);
    if (buf_rc(&s->json) != RC_OK) refuse(s, SCRIPT_TOO_LONG, "the records are too long");
    alloc_grow(&s->records, &s->room, s->count + 1, sizeof *s->records);
    s->records[s->count++] = (struct str){NULL, s->json.len - from}; /* the buffer may move */
}
