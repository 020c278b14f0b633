/* SPDX-License-Identifier: Apache-2.0 */
#include "document_cut.h"

#include "alloc.h"
#include "document.h"

#include <stdlib.h>
#include <string.h>

void document_list_done(struct document_list *list) {
    free(list->elements);
    list->elements = NULL;
    list->len = list->room = 0;
}

static size_t skip_blank(struct str s, size_t at) {
    while (at < s.len && (s.at[at] == ' ' || s.at[at] == '\n' || s.at[at] == '\r' || s.at[at] == '\t')) at++;
    return at;
}

/* Behind the string that begins at `at`; the end of the text where it does not end. */
static size_t skip_string(struct str s, size_t at) {
    for (at++; at < s.len && s.at[at] != '"'; at++)
        if (s.at[at] == '\\') at++;
    return at < s.len ? at + 1 : s.len;
}

/* To the ',' or the closing bracket behind the value that begins at `at`. */
static size_t skip_value(struct str s, size_t at) {
    for (size_t depth = 0; at < s.len;) {
        char c = s.at[at];
        if (c == '"') {
            at = skip_string(s, at);
            continue;
        }
        if (!depth && (c == ',' || c == ']' || c == '}')) return at;
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        at++;
    }
    return at;
}

/* *at is behind the '[', and then at the ']'. */
static RC take_elements(struct str s, size_t *at, struct document_list *list, struct why *why) {
    list->found = true;
    size_t from = skip_blank(s, *at);
    for (bool more = from < s.len && s.at[from] != ']'; more;) {
        size_t to = skip_value(s, from);
        if (list->len == s.len / DOCUMENT_ELEMENT_MIN)
            return why_set(why, RC_BAD, "%s is not a list of objects", list->key);
        alloc_grow(&list->elements, &list->room, list->len + 1, sizeof *list->elements);
        list->elements[list->len++] = (struct str){s.at + from, to - from};
        more = to < s.len && s.at[to] == ',';
        from = more ? skip_blank(s, to + 1) : to;
    }
    if (from >= s.len || s.at[from] != ']') return why_set(why, RC_BAD, "%s is a list without an end", list->key);
    *at = from;
    return RC_OK;
}

/* The list whose key is the string [from, to), when a '[' comes behind it; *to is then behind that. */
static struct document_list *list_of(struct str s, size_t from, size_t *to, struct document_list *lists, size_t count) {
    size_t colon = skip_blank(s, *to);
    if (colon >= s.len || s.at[colon] != ':') return NULL;
    size_t open = skip_blank(s, colon + 1);
    if (open >= s.len || s.at[open] != '[') return NULL;
    struct str key = {s.at + from + 1, *to - from - 2};
    for (size_t i = 0; i < count; i++) {
        if (lists[i].found || !str_equal(key, str_of(lists[i].key))) continue;
        *to = open + 1;
        return &lists[i];
    }
    return NULL;
}

RC document_cut(struct str s, struct document_list *lists, size_t count, struct buf *rest, struct why *why) {
    size_t depth = 0, copied = 0;
    for (size_t at = 0; at < s.len;) {
        char c = s.at[at];
        if (c != '"') {
            if (c == '{' || c == '[') depth++;
            if (c == '}' || c == ']') depth--;
            at++;
            continue;
        }
        size_t from = at;
        at = skip_string(s, at);
        struct document_list *list = depth == 1 ? list_of(s, from, &at, lists, count) : NULL;
        if (!list) continue;
        buf_add(rest, str_sub(s, copied, at));
        TRY(take_elements(s, &at, list, why));
        copied = at++;
    }
    buf_add(rest, str_sub(s, copied, s.len));
    return buf_rc(rest);
}
