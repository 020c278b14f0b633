/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"
#include "json_raw.h"
#include "telemetry_ping_impl.h"

enum { SUMMARIES = 5, SHOWN = 64 };

static const struct str summaries[SUMMARIES] = {
    {"sum", 3}, {"log_sum", 7}, {"log_sum_squares", 15}, {"sum_squares_lo", 14}, {"sum_squares_hi", 14}};

struct parts {
    struct json_node values;
    struct str raw_values;
    struct str summaries[SUMMARIES]; /* .at NULL: missing or no number */
};

static bool is_number(struct json_node node) {
    enum json_type type = json_type(node);
    return type == JSON_I64 || type == JSON_U64 || type == JSON_DOUBLE;
}

/* Of each the last counts. */
static struct parts parts_of(const struct telemetry_member *histogram) {
    struct parts parts = {.values = JSON_NODE_NONE};
    struct json_iter each = json_each(histogram->node);
    size_t at = json_raw_open(histogram->raw);
    struct json_node node;
    struct str name;
    while (json_next(&each, &name, &node)) {
        struct str raw = json_raw_next(histogram->raw, &at, NULL);
        if (str_equal(name, STR("values"))) {
            parts.values = node;
            parts.raw_values = raw;
            continue;
        }
        for (size_t i = 0; i < SUMMARIES; i++)
            if (str_equal(name, summaries[i])) parts.summaries[i] = is_number(node) ? raw : (struct str){0};
    }
    return parts;
}

static bool is_integer(struct str raw) {
    size_t i = raw.len && raw.at[0] == '-' ? 1 : 0;
    if (i == raw.len) return false;
    for (; i < raw.len; i++)
        if (raw.at[i] < '0' || raw.at[i] > '9') return false;
    return true;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f); }

/* As int() of Python reads it: blanks around it, a sign, digits. RC_LIMIT: too large for any bucket. */
static RC bound_of(struct str text, int64_t *out) {
    int64_t value = 0;
    while (text.len && is_space(text.at[0])) text = str_sub(text, 1, text.len);
    while (text.len && is_space(text.at[text.len - 1])) text.len--;
    bool minus = text.len && text.at[0] == '-';
    if (minus || (text.len && text.at[0] == '+')) text = str_sub(text, 1, text.len);
    if (!text.len) return RC_BAD;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9') return RC_BAD;
    for (size_t i = 0; i < text.len; i++) {
        bool over =
            __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text.at[i] - '0', &value);
        if (over) return RC_LIMIT;
    }
    *out = minus ? -value : value;
    return RC_OK;
}

#define NAME(s) (int)((s).len < SHOWN ? (s).len : SHOWN), (s).at

static enum telemetry_outcome fill(struct telemetry_ping *p, struct str name, const struct telemetry_buckets *buckets) {
    for (size_t i = 0; i < p->values.count; i++) {
        const struct telemetry_member *value = &p->values.at[i];
        int64_t bound = 0;
        size_t index = 0;
        if (!is_integer(value->raw))
            return telemetry_reject(p, "non-integer bucket value %.*s[%.*s]", NAME(name), NAME(value->name));
        enum rc rc = bound_of(value->name, &bound);
        if (rc == RC_BAD) return telemetry_reject(p, "non-integer bucket %.*s[%.*s]", NAME(name), NAME(value->name));
        if (rc != RC_OK || telemetry_buckets_index(buckets, bound, &index) != RC_OK)
            return telemetry_reject(p, "invalid bucket %.*s[%.*s]", NAME(name), NAME(value->name));
        p->counts[index] = value->raw;
    }
    return TELEMETRY_DONE;
}

static void put_array(struct json_out *json, const struct str *counts, size_t count, const struct parts *parts) {
    struct buf *to = json->to;
    buf_add_char(to, '[');
    for (size_t i = 0; i < count; i++) {
        if (counts[i].at)
            buf_add(to, counts[i]);
        else
            buf_add_char(to, '0');
        buf_add_char(to, ',');
    }
    for (size_t i = 0; i < SUMMARIES; i++) {
        buf_add(to, parts->summaries[i].at ? parts->summaries[i] : STR("-1"));
        buf_add_char(to, i + 1 < SUMMARIES ? ',' : ']');
    }
    json->need_comma = true;
}

static enum telemetry_outcome put_histogram(struct telemetry_ping *p, const struct telemetry_member *histogram,
                                            struct telemetry_definition *definition, struct json_out *json) {
    const struct telemetry_buckets *buckets = telemetry_definition_buckets(definition);
    struct str name = histogram->name;
    if (!buckets) return telemetry_reject(p, "the definition of %.*s gives no buckets", NAME(name));
    if (json_type(histogram->node) != JSON_OBJECT)
        return telemetry_reject(p, "histogram %.*s is not an object", NAME(name));
    struct parts parts = parts_of(histogram);
    if (json_type(parts.values) != JSON_OBJECT)
        return telemetry_reject(p, "histogram %.*s has no values object", NAME(name));
    telemetry_members_read(&p->values, parts.values, parts.raw_values);
    if (p->counts_room < buckets->count) alloc_grow(&p->counts, &p->counts_room, buckets->count, sizeof *p->counts);
    memset(p->counts, 0, buckets->count * sizeof *p->counts);
    enum telemetry_outcome outcome = fill(p, name, buckets);
    if (outcome != TELEMETRY_DONE) return outcome;
    telemetry_put_key(json, histogram->key);
    put_array(json, p->counts, buckets->count, &parts);
    return TELEMETRY_DONE;
}

enum telemetry_outcome telemetry_histograms(struct telemetry_ping *p, const struct telemetry_member *member,
                                            struct json_out *json) {
    telemetry_members_read(&p->histograms, member->node, member->raw);
    telemetry_put_key(json, member->key);
    json_open(json, '{');
    for (size_t i = 0; i < p->histograms.count; i++) {
        const struct telemetry_member *one = &p->histograms.at[i];
        struct telemetry_definition *definition = telemetry_definitions_find(p->definitions, one->name, one->hash);
        if (!definition) {
            p->dropped++;
            continue;
        }
        enum telemetry_outcome outcome = put_histogram(p, one, definition, json);
        if (outcome != TELEMETRY_DONE) return outcome;
    }
    json_close(json, '}');
    return TELEMETRY_DONE;
}
