/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_schema.h"

#include "alloc.h"
#include "own.h"
#include "telemetry_members.h"
#include "telemetry_quantity.h"

#include <stdlib.h>

struct dimension {
    struct str field;
    struct json_node allowed;
    bool any;
};

struct telemetry_schema {
    struct json_parser *parser; /* the nodes are in it */
    char *text;
    struct dimension at[TELEMETRY_DIMENSIONS_MAX];
    size_t count;
};

static RC take_dimension(struct telemetry_schema *s, struct json_node node, struct why *why) {
    if (s->count == TELEMETRY_DIMENSIONS_MAX)
        return why_set(why, RC_BAD, "more than %d dimensions", (int)TELEMETRY_DIMENSIONS_MAX);
    struct dimension *d = &s->at[s->count];
    struct str word = {0};
    if (json_get_str(telemetry_member_last(node, STR("field_name")), &d->field) != RC_OK || !d->field.len)
        return why_set(why, RC_BAD, "dimensions[%zu] has no text \"field_name\"", s->count);
    d->allowed = telemetry_member_last(node, STR("allowed_values"));
    if (!json_given(d->allowed) || json_type(d->allowed) == JSON_NULL)
        return why_set(why, RC_BAD, "dimensions[%zu] has no \"allowed_values\": \"*\", a value, a list or min and max",
                       s->count);
    d->any = json_get_str(d->allowed, &word) == RC_OK && str_equal(word, STR("*"));
    s->count++;
    return RC_OK;
}

static RC take(struct telemetry_schema *s, struct str text, struct why *why) {
    struct json_node root, node;
    s->parser = json_parser_new((struct json_parser_limits){.bytes_max = TELEMETRY_SCHEMA_BYTES});
    s->text = alloc_zero(1, text.len + JSON_PADDING);
    if (text.len) memcpy(s->text, text.at, text.len);
    TRY(json_parse(s->parser, (struct str){s->text, text.len}, &root, why));
    node = telemetry_member_last(root, STR("dimensions"));
    if (json_type(node) != JSON_ARRAY || !json_count(node))
        return why_set(why, RC_BAD, "has no list \"dimensions\" of objects with \"field_name\" and \"allowed_values\"");
    struct json_iter each = json_each(node);
    while (json_next(&each, NULL, &node)) TRY(take_dimension(s, node, why));
    return RC_OK;
}

RC telemetry_schema_new(struct str text, struct telemetry_schema **out, struct why *why) {
    AUTO(telemetry_schema_done) struct telemetry_schema *s = ALLOC(struct telemetry_schema);
    TRY(take(s, text, why));
    *out = TAKE(s);
    return RC_OK;
}

void telemetry_schema_free(struct telemetry_schema *s) {
    if (!s) return;
    json_parser_free(s->parser);
    free(s->text);
    free(s);
}

size_t telemetry_schema_count(const struct telemetry_schema *s) { return s->count; }
struct str telemetry_schema_field(const struct telemetry_schema *s, size_t dimension) {
    return s->at[dimension].field;
}

static bool is_text(struct telemetry_value v, struct str *out) {
    *out = v.fixed;
    return v.fixed.at || json_get_str(v.node, out) == RC_OK;
}

/* -1, 0, 1; false: they are of different types. */
static bool compare(struct telemetry_value value, struct json_node with, int *out) {
    struct str a, b;
    double x = 0, y = 0;
    if (is_text(value, &a) && json_get_str(with, &b) == RC_OK) {
        int order = str_compare(a, b);
        *out = order < 0 ? -1 : order > 0;
        return true;
    }
    if (telemetry_number(value.node, &x) != RC_OK || telemetry_number(with, &y) != RC_OK) return false;
    *out = x < y ? -1 : x > y;
    return true;
}

static bool is_one(struct telemetry_value value, struct json_node with) {
    bool a = false, b = false;
    int order = 0;
    if (json_get_bool(value.node, &a) == RC_OK && json_get_bool(with, &b) == RC_OK) return a == b;
    return compare(value, with, &order) && order == 0;
}

static bool is_between(struct telemetry_value value, struct json_node range) {
    struct json_node min = telemetry_member_last(range, STR("min")), max = telemetry_member_last(range, STR("max"));
    int order = 0;
    if (json_given(min) && (!compare(value, min, &order) || order < 0)) return false;
    return !json_given(max) || (compare(value, max, &order) && order <= 0);
}

static bool is_allowed(const struct dimension *d, struct telemetry_value value) {
    struct json_node one;
    if (d->any) return true;
    if (json_type(d->allowed) == JSON_OBJECT) return is_between(value, d->allowed);
    if (json_type(d->allowed) != JSON_ARRAY) return is_one(value, d->allowed);
    struct json_iter each = json_each(d->allowed);
    while (json_next(&each, NULL, &one))
        if (is_one(value, one)) return true;
    return false;
}

static bool is_plain(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

void telemetry_schema_folder(const struct telemetry_schema *s, size_t dimension, struct telemetry_value value,
                             struct buf *to) {
    char digits[JSON_NUMBER_MAX];
    struct str text = value.fixed;
    bool missing = !text.at && (!json_given(value.node) || json_type(value.node) == JSON_NULL);
    if (missing) value.fixed = text = STR("UNKNOWN");
    bool written = text.at || json_text(value.node, digits, &text) == RC_OK;
    if (!written || !is_allowed(&s->at[dimension], value)) text = STR("OTHER");
    size_t from = to->len;
    buf_add(to, text);
    for (size_t i = from; i < to->len; i++)
        if (!is_plain(to->at[i])) to->at[i] = '_';
}
