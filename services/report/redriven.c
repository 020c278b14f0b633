/* SPDX-License-Identifier: Apache-2.0 */
#include "redriven.h"

#include "alloc.h"
#include "manifests.h"
#include "reject_uri.h"

#include <stdlib.h>

void redriven_add(struct redriven *r, const struct manifest *m) {
    for (size_t i = 0; i < m->attempts_len; i++) {
        const struct manifest_attempt *a = &m->attempts[i];
        if (!reject_uri_is(a->uri)) continue;
        struct str key = reject_uri_key(a->uri);
        bool same = r->len && str_equal(r->at[r->len - 1].key, key);
        alloc_grow(&r->at, &r->room, r->len + 1, sizeof *r->at);
        r->at[r->len] = (struct redriven_range){.key = same ? r->at[r->len - 1].key : arena_str(&r->keys, key),
                                                .from = a->attempt.from,
                                                .to = a->attempt.to,
                                                .lines = a->counts.lines};
        r->len++;
    }
}

static enum rc take_attempts(void *context, const struct manifest *m, struct why *why) {
    (void)why;
    redriven_add(context, m);
    return RC_OK;
}

static int order(const void *left, const void *right) {
    const struct redriven_range *a = left, *b = right;
    int by_key = str_compare(a->key, b->key);
    return by_key ? by_key : (a->from > b->from) - (a->from < b->from);
}

void redriven_sort(struct redriven *r) {
    if (r->len) qsort(r->at, r->len, sizeof *r->at, order);
}

RC redriven_read(const struct report *report, struct redriven *out, struct why *why) {
    *out = (struct redriven){0};
    enum rc rc = manifests_each(report, take_attempts, out, why);
    if (rc != RC_OK) {
        redriven_done(out);
        return rc;
    }
    redriven_sort(out);
    return RC_OK;
}

void redriven_done(struct redriven *r) {
    free(r->at);
    arena_done(&r->keys);
    *r = (struct redriven){0};
}

/* The first range that is not before the place. */
static size_t lower(const struct redriven *r, struct str key, uint64_t from) {
    size_t low = 0, high = r->len;
    struct redriven_range asked = {.key = key, .from = from};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&r->at[middle], &asked) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void redriven_of(const struct redriven *r, struct str key, size_t *out_from, size_t *out_to) {
    *out_from = *out_to = lower(r, key, 0);
    while (*out_to < r->len && str_equal(r->at[*out_to].key, key)) (*out_to)++;
}

bool redriven_has(const struct redriven *r, struct str key, uint64_t offset) {
    size_t behind = lower(r, key, offset + 1);
    if (!behind || !str_equal(r->at[behind - 1].key, key)) return false;
    return offset < r->at[behind - 1].to;
}
