/* SPDX-License-Identifier: Apache-2.0 */
#include "config_env.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 128 };

static bool is_name(struct str s) {
    if (!s.len || s.len >= NAME_MAX_BYTES) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return true;
}

/* `inner` is what stands between ${ and }. */
static RC expand_one(struct str inner, struct buf *out, struct why *why) {
    struct str name = inner, fallback = {0};
    const char *colon = inner.len ? memchr(inner.at, ':', inner.len) : NULL;
    if (colon) {
        name.len = (size_t)(colon - inner.at);
        fallback = str_sub(inner, name.len, inner.len);
        if (!str_starts(fallback, STR(":-"))) name.len = 0;
    }
    if (!name.at || !is_name(name))
        return why_set(why, RC_DENIED, "a $ that is neither ${NAME}, ${NAME:-text} nor $$ (a dollar sign)");
    char text[NAME_MAX_BYTES];
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    const char *value = getenv(text);
    if (colon && (!value || !*value))
        buf_add(out, str_sub(fallback, 2, fallback.len));
    else if (value)
        buf_add(out, str_of(value));
    else
        return why_set(why, RC_DENIED, "the environment has no %s; set it, or write ${%s:-text}", text, text);
    return RC_OK;
}

RC config_env_expand(struct str text, struct buf *out, struct why *why) {
    for (size_t i = 0; i < text.len;) {
        if (text.at[i] != '$') {
            buf_add_char(out, text.at[i++]);
            continue;
        }
        char next = i + 1 < text.len ? text.at[i + 1] : '\0';
        if (next == '$') {
            buf_add_char(out, '$');
            i += 2;
            continue;
        }
        const char *end = next == '{' ? memchr(text.at + i, '}', text.len - i) : NULL;
        size_t to = end ? (size_t)(end - text.at) : i;
        TRY(expand_one(end ? str_sub(text, i + 2, to) : (struct str){0}, out, why));
        i = to + 1;
    }
    return RC_OK;
}
