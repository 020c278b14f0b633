/* SPDX-License-Identifier: Apache-2.0 */
#include "json_scan.h"

#include <string.h>

/* Where the scan stands: the next token, whose place in the text is *next. */
struct walk {
    const uint8_t *text;
    const uint32_t *next;
    size_t end;
};

/* The first byte of the next token, which is gone over; 0 behind the last one. */
static inline uint8_t take(struct walk *w, uint32_t *out_at) {
    uint32_t at = *w->next;
    if (at >= w->end) return 0;
    w->next++;
    *out_at = at;
    return w->text[at];
}

static inline uint8_t peek(const struct walk *w) { return *w->next < w->end ? w->text[*w->next] : 0; }

static inline bool digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }

/* Behind a literal or a number. Other characters belong to the same token, so it is a wrong one. */
static inline bool is_behind(const uint8_t *at, const uint8_t *end) {
    if (at == end) return true;
    return *at == ',' || *at == '}' || *at == ']' || *at == ' ' || *at == '\r' || *at == '\t';
}

static inline const uint8_t *digits(const uint8_t *at, const uint8_t *end) {
    while (at < end && digit(*at)) at++;
    return at;
}

/* The end of a number that begins at `at`; NULL: it is none. */
static const uint8_t *number_end(const uint8_t *at, const uint8_t *end) {
    if (*at == '-') at++;
    if (at == end) return NULL;
    const uint8_t *from = at;
    at = *at == '0' ? at + 1 : digits(at, end);
    if (at == from) return NULL;
    if (at < end && *at == '.') {
        from = ++at;
        at = digits(at, end);
        if (at == from) return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        from = at;
        at = digits(at, end);
        if (at == from) return NULL;
    }
    return is_behind(at, end) ? at : NULL;
}

static bool is_word(const struct walk *w, uint32_t at, struct str word) {
    const uint8_t *from = w->text + at, *end = w->text + w->end;
    return (size_t)(end - from) >= word.len && memcmp(from, word.at, word.len) == 0 && is_behind(from + word.len, end);
}

static bool is_scalar(const struct walk *w, uint8_t first, uint32_t at) {
    switch (first) {
    case '"': return true;
    case 't': return is_word(w, at, STR("true"));
    case 'f': return is_word(w, at, STR("false"));
    case 'n': return is_word(w, at, STR("null"));
    default: return number_end(w->text + at, w->text + w->end) != NULL;
    }
}

static inline bool skip_key(struct walk *w) {
    uint32_t at = 0;
    uint8_t quote = take(w, &at), colon = take(w, &at);
    return quote == '"' && colon == ':';
}

/* What is open: one bit each, the innermost the lowest, set for an object. */
struct nest {
    uint64_t objects;
    unsigned depth;
};

/* Behind a value: over the brackets that close, and the comma before the next value; that value's key too. */
static inline bool go_on(struct walk *w, struct nest *nest) {
    uint32_t at = 0;
    while (nest->depth) {
        uint8_t c = take(w, &at);
        if (c == ',') return nest->objects & 1 ? skip_key(w) : true;
        if (c != (nest->objects & 1 ? '}' : ']')) return false;
        nest->objects >>= 1;
        nest->depth--;
    }
    return true;
}

/* Behind an opening bracket, up to its first value, or what is behind it if it has none. */
static inline bool go_in(struct walk *w, uint8_t bracket, struct nest *nest, bool *out_empty) {
    bool object = bracket == '{';
    if (nest->depth == JSON_SCAN_DEPTH_MAX) return false;
    nest->objects = nest->objects << 1 | (object ? 1U : 0U);
    nest->depth++;
    *out_empty = peek(w) == (object ? '}' : ']');
    return *out_empty || !object || skip_key(w);
}

static bool skip_value(struct walk *w) {
    struct nest nest = {0};
    uint32_t at = 0;
    do {
        uint8_t c = take(w, &at);
        bool opens = c == '{' || c == '[', empty = false;
        if (opens ? !go_in(w, c, &nest, &empty) : !c || !is_scalar(w, c, at)) return false;
        if (opens && !empty) continue;
        if (!go_on(w, &nest)) return false;
    } while (nest.depth);
    return true;
}

/* The text between the quotes, of which the first is at `at`. `before` is the place of the token behind the string,
 * which most often stands directly behind the closing quote. */
static inline struct str string_at(const struct walk *w, uint32_t at, uint32_t before) {
    const char *from = (const char *)w->text + at + 1;
    if (before < w->end && w->text[before - 1] == '"' && before > at + 1)
        return (struct str){from, (size_t)(before - 1 - (at + 1))};
    const char *to = memchr(from, '"', w->end - at - 1);
    return (struct str){from, to ? (size_t)(to - from) : 0};
}

static struct json_found found_at(const struct walk *w, uint32_t at, uint32_t behind) {
    const uint8_t *from = w->text + at;
    switch (*from) {
    case '"': return (struct json_found){JSON_STR, string_at(w, at, behind)};
    case 't': return (struct json_found){JSON_BOOL, {(const char *)from, 4}};
    case 'f': return (struct json_found){JSON_BOOL, {(const char *)from, 5}};
    case 'n': return (struct json_found){JSON_NULL, {(const char *)from, 4}};
    case '{': return (struct json_found){.type = JSON_OBJECT};
    case '[': return (struct json_found){.type = JSON_ARRAY};
    default: {
        const uint8_t *end = number_end(from, w->text + w->end);
        return (struct json_found){JSON_I64, {(const char *)from, (size_t)(end - from)}};
    }
    }
}

/* Moves to the value of the member that `step` names in the container at *w, which is valid; false: it has none. */
static bool enter(struct walk *w, struct str step) {
    uint32_t at = 0;
    size_t wanted = 0, i = 0;
    uint8_t open = take(w, &at);
    bool keys = open == '{';
    if (!keys && !(open == '[' && json_path_index(step, &wanted))) return false;
    if (peek(w) == (keys ? '}' : ']')) return false;
    for (;; i++) {
        bool is_it = i == wanted;
        if (keys) {
            (void)take(w, &at);
            is_it = str_equal(string_at(w, at, *w->next), step);
            (void)take(w, &at);
        }
        if (is_it) return true;
        (void)skip_value(w);
        if (take(w, &at) != ',') return false;
    }
}

/* The first member of that key is known, and where its value begins: the rest of the path. */
static struct json_found follow(struct walk w, const struct json_path *path) {
    for (uint32_t s = 1; s < path->step_count; s++)
        if (!enter(&w, json_path_step(path, s))) return (struct json_found){JSON_ABSENT, {0}};
    return found_at(&w, w.next[0], w.next[1]);
}

/* Which first steps have how many bytes (mod 64): most keys are passed over by that. */
static uint64_t lengths_of(const struct json_scan *scan) {
    uint64_t lengths = 0;
    for (size_t i = 0; i < scan->path_count; i++) lengths |= 1ULL << (json_path_step(&scan->paths[i], 0).len & 63);
    return lengths;
}

/* Notes the member whose key is `key` and whose value is the next token; it is followed when the document is known to
 * be valid. */
static uint64_t note(const struct json_scan *scan, struct str key, uint64_t missing, const struct walk *w,
                     const uint32_t **values) {
    for (uint64_t left = missing; left; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        struct str step = json_path_step(&scan->paths[i], 0);
        if (step.len != key.len || (key.len && step.at[0] != key.at[0]) || !str_equal(step, key)) continue;
        missing &= ~(1ULL << i);
        values[i] = w->next;
    }
    return missing;
}

bool json_scan_object(const struct json_scan *scan, struct json_found *out, size_t *out_used) {
    struct walk w = {scan->text, scan->indexes, scan->end};
    const uint32_t *values[JSON_FIND_MAX] = {0};
    uint64_t missing = (1ULL << scan->path_count) - 1, lengths = lengths_of(scan);
    uint32_t at = 0;
    if (take(&w, &at) != '{') return false;
    bool more = peek(&w) != '}';
    if (!more) (void)take(&w, &at);
    while (more) {
        if (take(&w, &at) != '"') return false;
        uint32_t quote = at;
        if (take(&w, &at) != ':') return false;
        struct str key = missing ? string_at(&w, quote, at) : (struct str){0};
        if (missing && lengths >> (key.len & 63) & 1) missing = note(scan, key, missing, &w, values);
        if (peek(&w) == '"') /* most are strings, and there is nothing to see to in them */
            w.next++;
        else if (!skip_value(&w))
            return false;
        uint8_t c = take(&w, &at);
        if (c != ',' && c != '}') return false;
        more = c == ',';
    }
    if (*w.next < scan->end) return false;
    *out_used = (size_t)(w.next - scan->indexes);
    for (size_t i = 0; i < scan->path_count; i++)
        out[i] = values[i] ? follow((struct walk){w.text, values[i], w.end}, &scan->paths[i])
                           : (struct json_found){JSON_ABSENT, {0}};
    return true;
}
