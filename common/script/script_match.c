/* SPDX-License-Identifier: Apache-2.0 */
/* script_match: Lua's patterns as the manual of Lua 5.4, section 6.4.1, describes them, with every step counted: the
 * library's own can take hours over one line, and no hook of the interpreter sees it. */
#include "script_inner.h"

#include <ctype.h>

enum { CAPTURES_MAX = 32, DEPTH_MAX = 180, UNFINISHED = -1, POSITION = -2, NO_MATCH = -1 };

struct capture {
    long from, len;
};

struct matcher {
    lua_State *lua;
    const char *s, *p;
    long len, plen;
    int level, depth;
    struct capture captures[CAPTURES_MAX];
};

/* NOLINTBEGIN(misc-no-recursion): at most DEPTH_MAX deep, see match() */
static long match(struct matcher *m, long s, long p);

static bool in_class(int c, int class) {
    bool found = false;
    switch (tolower(class)) {
    case 'a': found = isalpha(c); break;
    case 'c': found = iscntrl(c); break;
    case 'd': found = isdigit(c); break;
    case 'g': found = isgraph(c); break;
    case 'l': found = islower(c); break;
    case 'p': found = ispunct(c); break;
    case 's': found = isspace(c); break;
    case 'u': found = isupper(c); break;
    case 'w': found = isalnum(c); break;
    case 'x': found = isxdigit(c); break;
    default: return class == c;
    }
    return isupper(class) ? !found : found;
}

/* Behind the single character, class or set at p. */
static long item_end(struct matcher *m, long p) {
    char c = m->p[p++];
    if (c == '%') {
        if (p == m->plen) luaL_error(m->lua, "malformed pattern (ends with '%%')");
        return p + 1;
    }
    if (c != '[') return p;
    if (p < m->plen && m->p[p] == '^') p++;
    do { /* a ']' right at the start is one of the set */
        if (p == m->plen) luaL_error(m->lua, "malformed pattern (missing ']')");
        c = m->p[p++];
        if (c == '%' && p < m->plen) p++;
    } while (p >= m->plen || m->p[p] != ']');
    return p + 1;
}

/* p is at '[', end at ']'. */
static bool in_set(const struct matcher *m, int c, long p, long end) {
    bool inverted = m->p[p + 1] == '^';
    p += inverted ? 2 : 1;
    for (; p < end; p++) {
        if (m->p[p] == '%') {
            p++;
            if (in_class(c, (unsigned char)m->p[p])) return !inverted;
        } else if (p + 2 < end && m->p[p + 1] == '-') {
            if ((unsigned char)m->p[p] <= c && c <= (unsigned char)m->p[p + 2]) return !inverted;
            p += 2;
        } else if ((unsigned char)m->p[p] == c) {
            return !inverted;
        }
    }
    return inverted;
}

static bool one(struct matcher *m, long s, long p, long end) {
    script_step(m->lua, 1);
    if (s >= m->len) return false;
    int c = (unsigned char)m->s[s];
    switch (m->p[p]) {
    case '.': return true;
    case '%': return in_class(c, (unsigned char)m->p[p + 1]);
    case '[': script_step(m->lua, (uint64_t)(end - p)); return in_set(m, c, p, end - 1);
    default: return (unsigned char)m->p[p] == c;
    }
}

/* %bxy: behind the y that belongs to the x at s. */
static long balanced(struct matcher *m, long s, long p) {
    if (p + 1 >= m->plen) luaL_error(m->lua, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->len || m->s[s] != m->p[p]) return NO_MATCH;
    long open = 1;
    for (long i = s + 1; i < m->len; i++) {
        script_step(m->lua, 1);
        if (m->s[i] == m->p[p + 1]) {
            if (--open == 0) return i + 1;
        } else if (m->s[i] == m->p[p]) {
            open++;
        }
    }
    return NO_MATCH;
}

static long longest(struct matcher *m, long s, long p, long end) {
    long n = 0;
    while (one(m, s + n, p, end)) n++;
    for (; n >= 0; n--) {
        long found = match(m, s + n, end + 1);
        if (found != NO_MATCH) return found;
    }
    return NO_MATCH;
}

static long shortest(struct matcher *m, long s, long p, long end) {
    for (;;) {
        long found = match(m, s, end + 1);
        if (found != NO_MATCH) return found;
        if (!one(m, s, p, end)) return NO_MATCH;
        s++;
    }
}

static long open_capture(struct matcher *m, long s, long p) {
    bool position = p + 1 < m->plen && m->p[p + 1] == ')';
    if (m->level >= CAPTURES_MAX) luaL_error(m->lua, "too many captures");
    m->captures[m->level++] = (struct capture){s, position ? POSITION : UNFINISHED};
    long found = match(m, s, p + (position ? 2 : 1));
    if (found == NO_MATCH) m->level--;
    return found;
}

static long close_capture(struct matcher *m, long s, long p) {
    int level = m->level - 1;
    while (level >= 0 && m->captures[level].len != UNFINISHED) level--;
    if (level < 0) luaL_error(m->lua, "invalid pattern capture");
    m->captures[level].len = s - m->captures[level].from;
    long found = match(m, s, p + 1);
    if (found == NO_MATCH) m->captures[level].len = UNFINISHED;
    return found;
}

/* %1: behind what the capture held; NO_MATCH when it is something else here. */
static long back_reference(struct matcher *m, long s, char digit) {
    int level = digit - '1';
    if (level < 0 || level >= m->level || m->captures[level].len == UNFINISHED)
        return luaL_error(m->lua, "invalid capture index %%%d", level + 1);
    const struct capture *c = &m->captures[level];
    if (c->len < 0 || m->len - s < c->len || memcmp(m->s + c->from, m->s + s, (size_t)c->len) != 0) return NO_MATCH;
    script_step(m->lua, (uint64_t)c->len);
    return s + c->len;
}

/* %f[set]: between a character that is not in the set and one that is. */
static bool frontier(struct matcher *m, long s, long p, long *out_end) {
    if (p >= m->plen || m->p[p] != '[') luaL_error(m->lua, "missing '[' after '%%f' in pattern");
    long end = *out_end = item_end(m, p);
    int before = s ? (unsigned char)m->s[s - 1] : 0, here = s < m->len ? (unsigned char)m->s[s] : 0;
    script_step(m->lua, (uint64_t)(end - p));
    return !in_set(m, before, p, end - 1) && in_set(m, here, p, end - 1);
}

/* %b, %f and %1 at p: where to go on in the text, and in *p; NO_MATCH. `*out_special` false: it is none of them. */
static long special(struct matcher *m, long s, long *p, bool *out_special) {
    char c = *p + 1 < m->plen ? m->p[*p + 1] : '\0';
    *out_special = true;
    if (c == 'b') {
        s = balanced(m, s, *p + 2);
        *p += 4;
        return s;
    }
    if (c == 'f') return frontier(m, s, *p + 2, p) ? s : NO_MATCH;
    if (isdigit((unsigned char)c)) {
        *p += 2;
        return back_reference(m, s, c);
    }
    *out_special = false;
    return s;
}

/* A single item at p with what stands behind it. `*out_done`: the answer is final; else go on at *s, *p. */
static long item(struct matcher *m, long *s, long *p, bool *out_done) {
    long end = item_end(m, *p);
    char behind = end < m->plen ? m->p[end] : '\0';
    *out_done = true;
    switch (behind) {
    case '*': return longest(m, *s, *p, end);
    case '+': return one(m, *s, *p, end) ? longest(m, *s + 1, *p, end) : NO_MATCH;
    case '-': return shortest(m, *s, *p, end);
    case '?':
        if (one(m, *s, *p, end)) {
            long found = match(m, *s + 1, end + 1);
            if (found != NO_MATCH) return found;
        }
        *p = end + 1;
        break;
    default:
        if (!one(m, *s, *p, end)) return NO_MATCH;
        *s += 1;
        *p = end;
        break;
    }
    *out_done = false;
    return 0;
}

static long run(struct matcher *m, long s, long p) {
    while (p < m->plen) {
        script_step(m->lua, 1);
        bool is_special = false, done = false;
        if (m->p[p] == '(') return open_capture(m, s, p);
        if (m->p[p] == ')') return close_capture(m, s, p);
        if (m->p[p] == '$' && p + 1 == m->plen) return s == m->len ? s : NO_MATCH;
        if (m->p[p] == '%') s = special(m, s, &p, &is_special);
        if (is_special && s == NO_MATCH) return NO_MATCH;
        if (is_special) continue;
        long found = item(m, &s, &p, &done);
        if (done) return found;
    }
    return s;
}

static long match(struct matcher *m, long s, long p) {
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): it loses sight of *m behind a write to a capture */
    if (++m->depth > DEPTH_MAX) luaL_error(m->lua, "pattern too complex");
    long found = run(m, s, p);
    m->depth--;
    return found;
}
/* NOLINTEND(misc-no-recursion) */

static void push_capture(struct matcher *m, int level) {
    const struct capture *c = &m->captures[level];
    if (c->len == UNFINISHED) luaL_error(m->lua, "unfinished capture");
    if (c->len == POSITION)
        lua_pushinteger(m->lua, c->from + 1);
    else
        (void)lua_pushlstring(m->lua, m->s + c->from, (size_t)c->len);
}

int script_match(lua_State *lua) {
    size_t len = 0, plen = 0;
    struct matcher m = {.lua = lua, .level = 0, .depth = 0};
    m.s = luaL_checklstring(lua, 1, &len);
    m.p = luaL_checklstring(lua, 2, &plen);
    lua_Integer from = luaL_checkinteger(lua, 3);
    m.len = (long)len;
    m.plen = (long)plen;
    lua_settop(lua, 3);
    lua_pushnil(lua); /* the answer when there is none */
    if (from > m.len + 1) return 1;
    bool anchored = plen && m.p[0] == '^';
    for (long s = (long)from - 1; s <= m.len; s++) {
        m.level = m.depth = 0;
        long end = match(&m, s, anchored ? 1 : 0);
        if (end != NO_MATCH) {
            lua_pushinteger(lua, s + 1);
            lua_pushinteger(lua, end);
            luaL_checkstack(lua, m.level, "too many captures");
            for (int i = 0; i < m.level; i++) push_capture(&m, i);
            return m.level + 2;
        }
        if (anchored) break;
    }
    lua_settop(lua, 4);
    return 1;
}
