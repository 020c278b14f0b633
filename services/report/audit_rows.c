/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"
#include "audit_inner.h"

#include <stdlib.h>
#include <string.h>

void audit_rows_done(struct audit_rows *rows) {
    free(rows->at);
    *rows = (struct audit_rows){.size = rows->size};
}

void *audit_rows_add(struct audit_rows *rows) {
    alloc_grow(&rows->at, &rows->room, rows->len + 1, rows->size);
    void *row = rows->at + rows->size * rows->len++;
    memset(row, 0, rows->size);
    return row;
}

void audit_rows_sort(struct audit_rows *rows, int (*compare)(const void *, const void *)) {
    if (rows->len > 1) qsort(rows->at, rows->len, rows->size, compare);
}

uint64_t audit_spot(struct id file) {
    uint64_t spot = 0;
    for (int i = 0; i < 8; i++) spot = spot << 8 | file.bytes[i];
    return spot;
}

/* ---- attempts ---- */

static int order_u64(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

int audit_attempt_order(const void *one, const void *two) {
    const struct audit_attempt *a = one, *b = two;
    int order = id_compare(a->file, b->file);
    if (!order) order = order_u64(a->stripe, b->stripe);
    if (!order) order = order_u64(a->from, b->from);
    if (!order) order = order_u64(a->to, b->to);
    return order ? order : id_compare(a->id, b->id);
}

static void merge(struct audit_attempt *to, const struct audit_attempt *more) {
    if (more->trailers && !to->trailers) {
        to->predecessor = more->predecessor;
        to->said = more->said;
        to->blocks_said = more->blocks_said;
    }
    to->trailers += more->trailers;
    to->blocks_seen += more->blocks_seen;
    to->records_seen += more->records_seen;
    to->rejects_seen += more->rejects_seen;
}

void audit_attempts_merge(struct audit_rows *rows) {
    audit_rows_sort(rows, audit_attempt_order);
    struct audit_attempt *at = (struct audit_attempt *)rows->at;
    size_t kept = 0;
    for (size_t i = 0; i < rows->len; i++) {
        if (kept && audit_attempt_order(&at[kept - 1], &at[i]) == 0)
            merge(&at[kept - 1], &at[i]);
        else
            at[kept++] = at[i];
    }
    rows->len = kept;
}

/* The first attempt whose file is not below `file` (above it, if `behind`). */
static size_t bound(const struct audit_rows *rows, struct id file, bool behind) {
    const struct audit_attempt *at = (const struct audit_attempt *)rows->at;
    size_t low = 0, high = rows->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = id_compare(at[middle].file, file);
        if (order < 0 || (behind && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void audit_attempts_of(const struct audit *a, struct id file, size_t *out_from, size_t *out_to) {
    *out_from = bound(&a->attempts, file, false);
    *out_to = bound(&a->attempts, file, true);
}

static int by_id(const void *key, const void *row) {
    return id_compare(*(const struct id *)key, ((const struct audit_known *)row)->id);
}

struct audit_known *audit_known_find(const struct audit *a, struct id file) {
    if (!a->known.len) return NULL;
    return bsearch(&file, a->known.at, a->known.len, a->known.size, by_id);
}

/* ---- the window ---- */

static void drop_behind(struct audit_rows *rows, uint64_t high) {
    size_t kept = 0;
    for (size_t i = 0; i < rows->len; i++) {
        const char *row = rows->at + i * rows->size;
        uint64_t spot = 0;
        memcpy(&spot, row, sizeof spot);
        if (spot > high) continue;
        if (kept != i) memcpy(rows->at + kept * rows->size, row, rows->size);
        kept++;
    }
    rows->len = kept;
}

static bool too_many(const struct audit *a) {
    return a->known.len > a->rows_max || a->stripes.len > a->rows_max || a->attempts.len > a->rows_max ||
           a->objects.len > a->rows_max;
}

void audit_fit(struct audit *a) {
    if (!too_many(a)) return;
    audit_attempts_merge(&a->attempts);
    while (a->high > a->low && too_many(a)) {
        a->high = a->low + (a->high - a->low) / 2;
        drop_behind(&a->known, a->high);
        drop_behind(&a->stripes, a->high);
        drop_behind(&a->attempts, a->high);
        drop_behind(&a->objects, a->high);
    }
}
