/* SPDX-License-Identifier: Apache-2.0 */
#include "aggregate.h"

#include "alloc.h"
#include "converter_impl.h"
#include "json.h"
#include "json_out.h"
#include "own.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    NAMES_BYTES_MAX = 64 * 1024,
    DETAIL_MAX = 8 * 1024,
    COUNT_BYTES = 32, /* of `,"count":18446744073709551615}` and the LF */
};

struct aggregate {
    struct converter_aggregate settings;              /* its lists are the configuration's */
    struct json_path paths[2 * AGGREGATE_FIELDS_MAX]; /* of the groups, then of the sums */
    struct json_parser *parser;
    struct buf in; /* the record with padding */
    struct buf group, detail, names;
    size_t name_ends[AGGREGATE_FIELDS_MAX]; /* in .names: `,"consumed":` of each sum */
    struct decimal sums[AGGREGATE_FIELDS_MAX];
};

static struct str field_name(const struct converter_aggregate *s, size_t i) {
    return i < s->group_by_len ? s->group_by[i] : s->sum[i - s->group_by_len];
}

static RC check_name(const struct converter_aggregate *s, size_t i, struct why *why) {
    struct str name = field_name(s, i);
    if (str_equal(name, STR(AGGREGATE_COUNT)))
        return why_set(why, RC_BAD, "\"" AGGREGATE_COUNT "\" is the name of the number of records; rename the field");
    for (size_t j = 0; j < i; j++)
        if (str_equal(name, field_name(s, j))) return why_set(why, RC_BAD, "\"%.*s\" stands twice", STR_ARG(name));
    return RC_OK;
}

static RC check(const struct converter_aggregate *s, struct why *why) {
    if (!s->group_by_len || !s->sum_len || s->group_by_len > AGGREGATE_FIELDS_MAX || s->sum_len > AGGREGATE_FIELDS_MAX)
        return why_set(why, RC_BAD, "\"group_by\" and \"sum\" need 1 to %d fields each", AGGREGATE_FIELDS_MAX);
    for (size_t i = 0; i < s->group_by_len + s->sum_len; i++) TRY(check_name(s, i, why));
    return RC_OK;
}

static void take_names(struct aggregate *a) {
    for (size_t i = 0; i < a->settings.sum_len; i++) {
        struct json_out json = {.to = &a->names, .need_comma = true};
        json_key(&json, a->settings.sum[i]);
        a->name_ends[i] = a->names.len;
    }
}

RC aggregate_new(const struct converter_aggregate *settings, size_t record_bytes_max, struct aggregate **out,
                 struct why *why) {
    *out = NULL;
    if (!settings->group_by_len && !settings->sum_len) return RC_OK;
    TRY(check(settings, why));
    AUTO(aggregate_done) struct aggregate *a = ALLOC(struct aggregate);
    a->settings = *settings;
    a->in = BUF_INIT(record_bytes_max + JSON_PADDING);
    a->group = BUF_INIT(AGGREGATE_GROUP_MAX);
    a->detail = BUF_INIT(DETAIL_MAX);
    a->names = BUF_INIT(NAMES_BYTES_MAX);
    for (size_t i = 0; i < settings->group_by_len + settings->sum_len; i++)
        TRY(json_path_compile(field_name(settings, i), &a->paths[i], why));
    a->parser = json_parser_new((struct json_parser_limits){.bytes_max = record_bytes_max, .any_number = true});
    take_names(a);
    if (buf_rc(&a->names) != RC_OK) return why_set(why, RC_BAD, "the names of the fields are too long");
    *out = TAKE(a);
    return RC_OK;
}

void aggregate_free(struct aggregate *a) {
    if (!a) return;
    json_parser_free(a->parser);
    buf_done(&a->in);
    buf_done(&a->group);
    buf_done(&a->detail);
    buf_done(&a->names);
    free(a);
}

size_t aggregate_sums(const struct aggregate *a) { return a->settings.sum_len; }

static void reject_field(struct aggregate *a, struct converted *out, struct str name, const char *words) {
    converter_reject(out, REASON_TYPE);
    buf_reset(&a->detail);
    buf_add(&a->detail, name);
    buf_add(&a->detail, str_of(words));
    out->detail = buf_str(&a->detail);
}

static bool take_group(struct aggregate *a, const struct json_node *nodes, struct converted *out) {
    struct json_out json = {.to = &a->group};
    buf_reset(&a->group);
    json_open(&json, '{');
    for (size_t i = 0; i < a->settings.group_by_len; i++) {
        struct str name = a->settings.group_by[i], text;
        char digits[JSON_NUMBER_MAX];
        if (json_type(nodes[i]) == JSON_NULL || json_text(nodes[i], digits, &text) != RC_OK) {
            reject_field(a, out, name, " is missing, null, an object or an array, and records are grouped by it");
            return false;
        }
        json_key(&json, name);
        if (json_type(nodes[i]) == JSON_STR)
            json_str(&json, text);
        else
            json_raw(&json, text);
    }
    if (buf_rc(&a->group) == RC_OK) return true;
    converter_reject(out, REASON_TOO_LONG);
    return false;
}

static bool take_sums(struct aggregate *a, const struct json_node *nodes, struct converted *out) {
    for (size_t i = 0; i < a->settings.sum_len; i++) {
        char digits[JSON_NUMBER_MAX];
        struct str text;
        struct json_node node = nodes[a->settings.group_by_len + i];
        if (json_type(node) == JSON_NULL || json_text(node, digits, &text) != RC_OK ||
            decimal_parse(text, &a->sums[i]) != RC_OK || !decimal_is_value(a->sums[i])) {
            reject_field(a, out, a->settings.sum[i],
                         " is no number of at most 20 digits before the point and 9 behind it, without an exponent");
            return false;
        }
    }
    return true;
}

void aggregate_look(struct aggregate *a, struct converted *out) {
    struct json_node root, nodes[2 * AGGREGATE_FIELDS_MAX];
    buf_reset(&a->in);
    buf_add(&a->in, out->record);
    if (buf_reserve(&a->in, JSON_PADDING) != RC_OK) {
        converter_reject(out, REASON_TOO_LONG);
        return;
    }
    if (json_parse(a->parser, buf_str(&a->in), &root, NULL) != RC_OK) {
        converter_reject(out, REASON_JSON);
        return;
    }
    json_find_all(root, a->paths, a->settings.group_by_len + a->settings.sum_len, nodes);
    if (!take_group(a, nodes, out) || !take_sums(a, nodes, out)) return;
    out->group = buf_str(&a->group);
    out->sums = a->sums;
}

size_t aggregate_bytes(const struct aggregate *a, struct str group) {
    return group.len + a->names.len + a->settings.sum_len * DECIMAL_MAX + COUNT_BYTES;
}

void aggregate_write(const struct aggregate *a, struct str group, const struct decimal *sums, uint64_t count,
                     struct buf *out) {
    struct str names = buf_str(&a->names);
    buf_add(out, group);
    for (size_t i = 0; i < a->settings.sum_len; i++) {
        char text[DECIMAL_MAX];
        buf_add(out, str_sub(names, i ? a->name_ends[i - 1] : 0, a->name_ends[i]));
        buf_add(out, (struct str){text, decimal_format(sums[i], text)});
    }
    buf_add_format(out, ",\"" AGGREGATE_COUNT "\":%" PRIu64 "}\n", count);
}
