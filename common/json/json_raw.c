/* SPDX-License-Identifier: Apache-2.0 */
#include "json_raw.h"

static size_t behind_string(struct str json, size_t at) {
    for (at++; json.at[at] != '"'; at++)
        if (json.at[at] == '\\') at++;
    return at + 1;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool ends_scalar(char c) { return (unsigned char)c <= ' ' || c == ',' || c == '}' || c == ']'; }

static size_t behind_blanks(struct str json, size_t at) {
    while (is_blank(json.at[at])) at++;
    return at;
}

static size_t behind_value(struct str json, size_t at) {
    if (json.at[at] == '"') return behind_string(json, at);
    if (json.at[at] != '{' && json.at[at] != '[') {
        while (!ends_scalar(json.at[at])) at++;
        return at;
    }
    for (int depth = 0;;) {
        char c = json.at[at];
        if (c == '"') {
            at = behind_string(json, at);
            continue;
        }
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        at++;
        if (!depth) return at;
    }
}

size_t json_raw_open(struct str json) { return behind_blanks(json, 0) + 1; }

struct str json_raw_next(struct str json, size_t *at, struct str *out_key) {
    size_t key = behind_blanks(json, *at);
    if (json.at[key] == ',') key = behind_blanks(json, key + 1);
    size_t behind = behind_string(json, key);
    size_t colon = behind_blanks(json, behind);
    size_t from = behind_blanks(json, colon + 1), to = behind_value(json, from);
    if (out_key) *out_key = str_sub(json, key, behind);
    *at = to;
    return str_sub(json, from, to);
}

void json_raw_compact(struct str value, struct buf *to) {
    if (buf_reserve(to, value.len) != RC_OK) return; /* which buf_rc() tells */
    char *out = to->at + to->len;
    for (size_t at = 0; at < value.len;) {
        char c = value.at[at];
        if (c == '"') {
            size_t end = behind_string(value, at);
            memcpy(out, value.at + at, end - at);
            out += end - at;
            at = end;
            continue;
        }
        *out = c;
        out += !is_blank(c);
        at++;
    }
    to->len = (size_t)(out - to->at);
}
