/* SPDX-License-Identifier: Apache-2.0 */
#include "resemble.h"

#include "decode_kind.h"

#include <string.h>

static struct str name_of(struct str uri) {
    const char *slash = uri.len ? memrchr(uri.at, '/', uri.len) : NULL;
    size_t from = slash ? (size_t)(slash - uri.at) + 1 : 0;
    struct str name = str_sub(uri, from, uri.len);
    size_t ending = decode_kind_ending(name);
    return ending < name.len ? str_sub(name, 0, name.len - ending) : name;
}

static bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The length of a separator and digits up to the next separator or the end; 0: it is something else. */
static size_t number_at(struct str name, size_t at) {
    size_t end = at + 1;
    if (!is_separator(name.at[at])) return 0;
    while (end < name.len && is_digit(name.at[end])) end++;
    bool over = end == name.len || is_separator(name.at[end]);
    return over && end > at + 1 ? end - at : 0;
}

struct str resemble_stem(struct str uri, char out[RESEMBLE_NAME_MAX]) {
    struct str name = name_of(uri);
    size_t len = 0;
    for (size_t at = 0; at < name.len && len < RESEMBLE_NAME_MAX;) {
        size_t number = at ? number_at(name, at) : 0;
        if (number)
            at += number;
        else
            out[len++] = name.at[at++];
    }
    return (struct str){out, len};
}

bool resemble_is_made_of(struct str packed, struct str uri) {
    if (!str_starts(packed, uri)) return false;
    struct str ending = str_sub(packed, uri.len, packed.len);
    return ending.len && decode_kind_ending(ending) == ending.len;
}
