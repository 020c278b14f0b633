/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"
#include "own.h"
#include "where_impl.h"

#include <stdlib.h>

enum { NUMBER_MAX = 400 };

struct where_value where_number(struct str text) {
    struct where_value value = {.type = WHERE_INTEGER};
    if (str_parse_i64(text, &value.integer) == RC_OK) {
        value.number = (double)value.integer;
        return value;
    }
    char copy[NUMBER_MAX + 1], *end = NULL;
    if (!text.len || text.len > NUMBER_MAX) return (struct where_value){.type = WHERE_OTHER};
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    value.type = WHERE_DOUBLE;
    value.number = strtod(copy, &end);
    return *end ? (struct where_value){.type = WHERE_OTHER} : value;
}

static struct where_value value_of(struct json_node node, char digits[JSON_NUMBER_MAX]) {
    struct where_value value = {.type = WHERE_OTHER};
    struct str text;
    switch (json_type(node)) {
    case JSON_ABSENT:
    case JSON_NULL: value.type = WHERE_NULL; break;
    case JSON_BOOL:
        value.type = WHERE_BOOL;
        if (json_get_bool(node, &value.truth) != RC_OK) value.type = WHERE_NULL;
        break;
    case JSON_STR:
        if (json_get_str(node, &value.text) == RC_OK) value.type = WHERE_TEXT;
        break;
    case JSON_I64:
    case JSON_U64:
    case JSON_DOUBLE:
        if (json_text(node, digits, &text) == RC_OK) return where_number(text);
        break;
    default: break;
    }
    return value;
}

static struct where_value operand(const struct where *w, const struct where_operand *o, char digits[JSON_NUMBER_MAX]) {
    return o->field < 0 ? o->literal : value_of(w->found[o->field], digits);
}

static bool is_number(const struct where_value *v) { return v->type == WHERE_INTEGER || v->type == WHERE_DOUBLE; }

/* -1, 0, 1; 2: they cannot be ordered, 3: nor be equal. */
static int order(const struct where_value *a, const struct where_value *b) {
    if (is_number(a) && is_number(b)) {
        if (a->type == WHERE_INTEGER && b->type == WHERE_INTEGER)
            return (a->integer > b->integer) - (a->integer < b->integer);
        return (a->number > b->number) - (a->number < b->number);
    }
    if (a->type != b->type || a->type == WHERE_OTHER) return 3;
    if (a->type == WHERE_TEXT) {
        int way = str_compare(a->text, b->text);
        return (way > 0) - (way < 0);
    }
    return a->type == WHERE_NULL || a->truth == b->truth ? 0 : 2;
}

static bool compare(enum where_compare how, const struct where_value *a, const struct where_value *b) {
    int way = order(a, b);
    bool ordered = is_number(a) || a->type == WHERE_TEXT;
    switch (how) {
    case WHERE_EQ: return way == 0;
    case WHERE_NE: return way != 0;
    case WHERE_LT: return ordered && way == -1;
    case WHERE_LE: return ordered && (way == -1 || way == 0);
    case WHERE_GT: return ordered && way == 1;
    case WHERE_GE: return ordered && (way == 1 || way == 0);
    }
    return false;
}

static bool is_in(const struct where_node *n, const struct where_value *value) {
    for (size_t i = 0; i < n->list_len; i++)
        if (order(value, &n->list[i]) == 0) return true;
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most WHERE_DEPTH_MAX deep, as the parser saw */
static bool holds(const struct where *w, const struct where_node *n) {
    char digits[2][JSON_NUMBER_MAX];
    struct where_value a, b;
    switch (n->kind) {
    case WHERE_AND: return holds(w, n->left) && holds(w, n->right);
    case WHERE_OR: return holds(w, n->left) || holds(w, n->right);
    case WHERE_NOT: return !holds(w, n->left);
    default: break;
    }
    a = operand(w, &n->a, digits[0]);
    if (n->kind == WHERE_TRUE) return a.type == WHERE_BOOL && a.truth;
    if (n->kind == WHERE_IN) return is_in(n, &a);
    if (n->kind == WHERE_MATCHES) return a.type == WHERE_TEXT && regex_match(n->regex, a.text, NULL) == REGEX_MATCH;
    b = operand(w, &n->b, digits[1]);
    return compare(n->compare, &a, &b);
}

bool where_holds(struct where *w, struct json_node record) {
    json_find_all(record, w->fields, w->field_count, w->found);
    return holds(w, w->root);
}

RC where_new(struct str text, struct where **out, struct why *why) {
    AUTO(where_done) struct where *w = ALLOC(struct where);
    TRY(where_parse(w, text, why));
    *out = TAKE(w);
    return RC_OK;
}

void where_free(struct where *w) {
    if (!w) return;
    for (size_t i = 0; i < w->regex_count; i++) regex_free(w->regexes[i]);
    arena_done(&w->arena);
    free(w);
}
