/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"
#include "own.h"
#include "script_inner.h"

#include <stdlib.h>

enum { HOOK_EVERY = 1000, WORDS_MAX = 1024 };

struct script *script_of(lua_State *lua) {
    void *self = NULL;
    (void)lua_getallocf(lua, &self);
    return self;
}

static void *allocate(void *self, void *old, size_t old_bytes, size_t bytes) {
    struct script *s = self;
    if (!old) old_bytes = 0; /* it is the kind of object then */
    if (bytes > old_bytes && s->bytes + (bytes - old_bytes) > s->limits.bytes_max) return NULL;
    s->bytes = s->bytes - old_bytes + bytes;
    if (bytes) return alloc_resize(old, bytes, 1);
    free(old);
    return NULL;
}

static void stop(lua_State *lua, lua_Debug *debug) {
    (void)debug;
    script_step(lua, lua_gethookcount(lua) == 1 ? 1 : HOOK_EVERY);
}

/* Once over, every instruction is an error: pcall() catches one, and its caller's next instruction is the next. */
void script_step(lua_State *lua, uint64_t steps) {
    struct script *s = script_of(lua);
    s->steps += steps;
    if (s->steps <= s->limits.instructions_max) return;
    s->over = true;
    lua_sethook(lua, stop, LUA_MASKCOUNT, 1);
    (void)luaL_error(lua, "too many instructions for one line");
}

void script_free(struct script *s) {
    if (!s) return;
    s->limits.bytes_max = SIZE_MAX;
    if (s->lua) lua_close(s->lua);
    buf_done(&s->json);
    buf_done(&s->words);
    free(s->records);
    free(s);
}

static void reset(struct script *s) {
    s->steps = 0;
    s->over = false;
    s->verdict = SCRIPT_FAILED;
    s->count = 0;
    buf_reset(&s->json);
    buf_reset(&s->words);
    lua_sethook(s->lua, stop, LUA_MASKCOUNT, HOOK_EVERY);
}

/* The library as far as it may be used, behind the table `base`. */
static int open_library(lua_State *lua) {
    static const struct luaL_Reg parts[] = {{LUA_GNAME, luaopen_base},
                                            {LUA_STRLIBNAME, luaopen_string},
                                            {LUA_TABLIBNAME, luaopen_table},
                                            {LUA_MATHLIBNAME, luaopen_math},
                                            {LUA_UTF8LIBNAME, luaopen_utf8}};
    struct script *s = script_of(lua);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        luaL_requiref(lua, parts[i].name, parts[i].func, 1);
        lua_pop(lua, 1);
    }
    if (luaL_loadbuffer(lua, script_prelude, strlen(script_prelude), "=library") != LUA_OK) return lua_error(lua);
    lua_newtable(lua);
    lua_pushvalue(lua, -1);
    s->base = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pushglobaltable(lua);
    lua_pushlightuserdata(lua, s);
    lua_setfield(lua, -2, "null");
    lua_pushcfunction(lua, script_match);
    lua_call(lua, 3, 0);
    lua_pushglobaltable(lua); /* what was not handed over is gone */
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        lua_pop(lua, 1);
        lua_pushvalue(lua, -1);
        lua_pushnil(lua);
        lua_rawset(lua, -4);
    }
    return 0;
}

/* Runs the file in a new world: its globals are a table of their own that looks into the library. Leaves convert(). */
static void run_file(lua_State *lua, struct script *s) {
    (void)lua_rawgeti(lua, LUA_REGISTRYINDEX, s->chunk);
    lua_newtable(lua);
    lua_newtable(lua);
    (void)lua_rawgeti(lua, LUA_REGISTRYINDEX, s->base);
    lua_setfield(lua, -2, "__index");
    (void)lua_setmetatable(lua, -2);
    lua_pushvalue(lua, -1);
    lua_insert(lua, -3);
    (void)lua_setupvalue(lua, -2, 1); /* _ENV */
    lua_call(lua, 0, 0);
    lua_pushliteral(lua, "convert");
    (void)lua_rawget(lua, -2);
    if (lua_type(lua, -1) != LUA_TFUNCTION) (void)luaL_error(lua, "there is no function convert(line, meta)");
    lua_remove(lua, -2);
}

struct call {
    struct script *s;
    struct str line;
    const struct script_meta *meta;
};

static void push_meta(lua_State *lua, const struct script_meta *meta) {
    lua_newtable(lua);
    (void)lua_pushlstring(lua, meta->source.at ? meta->source.at : "", meta->source.len);
    lua_setfield(lua, -2, "source");
    (void)lua_pushlstring(lua, meta->uri.at ? meta->uri.at : "", meta->uri.len);
    lua_setfield(lua, -2, "uri");
}

static void keep_words(struct script *s, int index) {
    size_t len = 0;
    const char *words = lua_tolstring(s->lua, index, &len);
    buf_add(&s->words, words ? (struct str){words, len < WORDS_MAX ? len : WORDS_MAX} : STR("an error without words"));
}

/* One table, or a list of tables. */
static void take_records(struct script *s) {
    lua_Unsigned count = lua_type(s->lua, -1) == LUA_TTABLE ? lua_rawlen(s->lua, -1) : 0;
    for (lua_Unsigned i = 1; i <= count; i++) {
        (void)lua_rawgeti(s->lua, -1, (lua_Integer)i);
        script_add_record(s);
        lua_pop(s->lua, 1);
    }
    if (!count) script_add_record(s);
}

static int convert(lua_State *lua) {
    struct call *call = lua_touserdata(lua, 1);
    struct script *s = call->s;
    run_file(lua, s);
    (void)lua_pushlstring(lua, call->line.at, call->line.len);
    push_meta(lua, call->meta);
    lua_call(lua, 2, 2);
    bool is_nil = lua_isnil(lua, -2);
    if (is_nil && !lua_isnil(lua, -1)) {
        s->verdict = SCRIPT_REJECTED;
        (void)luaL_tolstring(lua, -1, NULL);
        keep_words(s, -1);
        return 0;
    }
    lua_pop(lua, 1);
    s->verdict = SCRIPT_FILTERED;
    if (is_nil) return 0;
    s->verdict = SCRIPT_FAILED;
    take_records(s);
    s->verdict = SCRIPT_RECORDS;
    return 0;
}

enum script_verdict script_convert(struct script *s, struct str line, const struct script_meta *meta,
                                   struct script_result *out) {
    struct call call = {s, line, meta};
    reset(s);
    lua_pushcfunction(s->lua, convert);
    lua_pushlightuserdata(s->lua, &call);
    int rc = lua_pcall(s->lua, 1, 0, 0);
    if (rc != LUA_OK) keep_words(s, -1);
    lua_settop(s->lua, 0);
    *out = (struct script_result){.records = s->records, .count = s->count, .words = buf_str(&s->words)};
    if (s->over || rc == LUA_ERRMEM) return SCRIPT_LIMIT;
    if (rc != LUA_OK) return s->verdict;
    const char *at = s->json.at;
    for (size_t i = 0; i < s->count; at += s->records[i++].len) s->records[i].at = at;
    return s->verdict;
}

/* ---- opening ---- */

static int compile(lua_State *lua) {
    const struct str *text = lua_touserdata(lua, 1);
    const char *name = lua_touserdata(lua, 2);
    struct script *s = script_of(lua);
    if (luaL_loadbufferx(lua, text->at, text->len, name, "t") != LUA_OK) return lua_error(lua);
    s->chunk = luaL_ref(lua, LUA_REGISTRYINDEX);
    run_file(lua, s);
    return 0;
}

static RC protected(struct script *s, lua_CFunction function, const void *a, const void *b, struct why *why) {
    reset(s);
    lua_pushcfunction(s->lua, function);
    lua_pushlightuserdata(s->lua, (void *)(uintptr_t)a);
    lua_pushlightuserdata(s->lua, (void *)(uintptr_t)b);
    int rc = lua_pcall(s->lua, 2, 0, 0);
    if (rc != LUA_OK) keep_words(s, -1);
    lua_settop(s->lua, 0);
    if (rc == LUA_OK) return RC_OK;
    return why_set(why, RC_BAD, "%.*s", STR_ARG(buf_str(&s->words)));
}

RC script_new(struct str text, const char *name, struct script_limits limits, struct script **out, struct why *why) {
    if (text.len > SCRIPT_BYTES_MAX) return why_set(why, RC_BAD, "%s is longer than 256 KiB", name);
    AUTO(script_done) struct script *s = ALLOC(struct script);
    s->limits = limits;
    s->json = BUF_INIT(limits.record_bytes_max);
    s->words = BUF_INIT((size_t)2 * WORDS_MAX);
    s->lua = lua_newstate(allocate, s);
    if (!s->lua) return why_set(why, RC_BAD, "%zu bytes of memory are not enough for a script", limits.bytes_max);
    AUTO(buf_done) struct buf shown = BUF_INIT(WORDS_MAX);
    buf_add_format(&shown, "=%s", name);
    TRY(protected(s, open_library, NULL, NULL, why));
    TRY(protected(s, compile, &text, buf_text(&shown), why));
    *out = TAKE(s);
    return RC_OK;
}
