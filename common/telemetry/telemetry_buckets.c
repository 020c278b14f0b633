/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_buckets.h"

#include "alloc.h"
#include "num.h"
#include "own.h"
#include "telemetry_members.h"
#include "telemetry_quantity.h"

#include <math.h>
#include <stdlib.h>

enum { CATEGORIES_MIN = 50 };
#define BOUND_MAX 9e18

static RC quantity(struct json_node definition, struct str key, const int64_t *fallback, int64_t *out) {
    struct json_node node = telemetry_member_last(definition, key);
    if (json_given(node)) return telemetry_quantity(node, out);
    if (!fallback) return RC_BAD;
    *out = *fallback;
    return RC_OK;
}

static RC wide(struct json_node definition, bool exponential, struct telemetry_range *out) {
    static const int64_t one = 1;
    struct telemetry_range range = {.exponential = exponential};
    TRY(quantity(definition, STR("low"), &one, &range.low));
    TRY(quantity(definition, STR("high"), NULL, &range.high));
    TRY(quantity(definition, STR("n_buckets"), NULL, &range.count));
    *out = range;
    return RC_OK;
}

static RC listed(int64_t values, struct telemetry_range *out) {
    if (values < 1 || values >= TELEMETRY_BUCKETS_MAX) return RC_BAD;
    *out = (struct telemetry_range){.low = 1, .high = values, .count = values + 1};
    return RC_OK;
}

static RC categories(struct json_node definition, struct telemetry_range *out) {
    struct json_node labels = telemetry_member_last(definition, STR("labels"));
    int64_t given = 0, count = (int64_t)json_count(labels);
    if (quantity(definition, STR("n_values"), NULL, &given) != RC_OK) given = 0;
    return listed(MAX(MAX(given, count), (int64_t)CATEGORIES_MIN), out);
}

RC telemetry_range_of(struct json_node definition, struct telemetry_range *out) {
    struct str kind;
    int64_t values = 0;
    TRY(json_get_str(telemetry_member_last(definition, STR("kind")), &kind));
    if (str_equal(kind, STR("linear"))) return wide(definition, false, out);
    if (str_equal(kind, STR("exponential"))) return wide(definition, true, out);
    if (str_equal(kind, STR("categorical"))) return categories(definition, out);
    if (str_equal(kind, STR("enumerated"))) {
        TRY(quantity(definition, STR("n_values"), NULL, &values));
        return listed(values, out);
    }
    if (!str_equal(kind, STR("flag")) && !str_equal(kind, STR("boolean")) && !str_equal(kind, STR("count")))
        return RC_BAD;
    *out = (struct telemetry_range){.low = 1, .high = 2, .count = 3};
    return RC_OK;
}

static RC linear(const struct telemetry_range *r, int64_t *bounds) {
    bounds[0] = 0;
    if (r->count < 3) return RC_BAD;
    for (int64_t i = 1; i < r->count; i++) {
        double x =
            ((double)r->low * (double)(r->count - 1 - i) + (double)r->high * (double)(i - 1)) / (double)(r->count - 2);
        if (!(fabs(x) < BOUND_MAX)) return RC_BAD;
        bounds[i] = (int64_t)(x + 0.5);
    }
    return RC_OK;
}

static RC exponential(const struct telemetry_range *r, int64_t *bounds) {
    if (r->low < 1 || r->high < 1) return RC_BAD;
    int64_t now = r->low;
    bounds[0] = 0;
    bounds[1] = now;
    for (int64_t i = 2; i < r->count; i++) {
        double step = (log((double)r->high) - log((double)now)) / (double)(r->count - i);
        double next = floor(exp(log((double)now) + step) + 0.5);
        if (!(fabs(next) < BOUND_MAX) || now >= (int64_t)BOUND_MAX) return RC_BAD;
        now = (int64_t)next > now ? (int64_t)next : now + 1;
        bounds[i] = now;
    }
    return RC_OK;
}

static int by_bound(const void *a, const void *b) {
    const struct telemetry_bucket *x = a, *y = b;
    if (x->bound != y->bound) return x->bound < y->bound ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

RC telemetry_buckets_new(const struct telemetry_range *range, struct telemetry_buckets **out) {
    if (range->count < 2 || range->count > TELEMETRY_BUCKETS_MAX) return RC_BAD;
    size_t count = (size_t)range->count;
    AUTO(own_free) int64_t *bounds = alloc_zero(count, sizeof *bounds);
    TRY(range->exponential ? exponential(range, bounds) : linear(range, bounds));
    struct telemetry_buckets *made = alloc_zero(1, sizeof *made + count * sizeof made->at[0]);
    made->count = count;
    for (size_t i = 0; i < count; i++) made->at[i] = (struct telemetry_bucket){bounds[i], i};
    qsort(made->at, count, sizeof made->at[0], by_bound);
    for (size_t i = 0; i < count; i++) {
        bool again = made->distinct && made->at[made->distinct - 1].bound == made->at[i].bound;
        made->distinct += !again;
        made->at[made->distinct - 1] = made->at[i];
    }
    *out = made;
    return RC_OK;
}

RC telemetry_buckets_index(const struct telemetry_buckets *b, int64_t bound, size_t *out) {
    size_t low = 0, high = b->distinct;
    /* Most bounds of most histograms are their index. */
    if (bound >= 0 && (size_t)bound < b->distinct && b->at[bound].bound == bound) {
        *out = b->at[bound].index;
        return RC_OK;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->at[middle].bound < bound)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == b->distinct || b->at[low].bound != bound) return RC_ABSENT;
    *out = b->at[low].index;
    return RC_OK;
}
