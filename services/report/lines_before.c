/* SPDX-License-Identifier: Apache-2.0 */
#include "lines_before.h"

#include "alloc.h"
#include "own.h"

#include <stdlib.h>

void lines_before_done(struct lines_before *l) {
    for (size_t i = 0; i < LINES_FILES_KEPT; i++) free(l->files[i].before);
}

static int stripe_order(const void *one, const void *two) {
    const struct ledger_stripe_listing *a = one, *b = two;
    return (a->stripe > b->stripe) - (a->stripe < b->stripe);
}

/* Adds up from stripe 0 for as long as each is converted to its end. */
static void add_up(struct lines_file *f, const struct ledger_stripe_listing *stripes, size_t n, uint64_t stripe_bytes) {
    f->before = alloc_zero(n + 1, sizeof *f->before);
    f->known = 1;
    for (size_t i = 0; i < n; i++) {
        if (stripes[i].stripe != i || stripes[i].at < stripe_end(i, stripe_bytes)) return;
        f->before[i + 1] = f->before[i] + stripes[i].counts.lines;
        f->known = i + 2;
    }
}

static RC load(struct lines_before *l, struct id file, struct lines_file *out, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_listing listing;
    struct ledger_stripe_listing *stripes = NULL;
    size_t n = 0;
    struct lines_file fresh = {.file = file};
    enum rc rc = report_file(l->report, file, &arena, &listing, why);
    if (rc == RC_OK) rc = ledger_list_stripes(l->report->ledger, file, &arena, &stripes, &n, why);
    if (rc != RC_OK && rc != RC_ABSENT) return rc;
    if (n) qsort(stripes, n, sizeof *stripes, stripe_order);
    if (rc == RC_OK) add_up(&fresh, stripes, n, listing.facts.stripe_bytes);
    free(out->before);
    *out = fresh;
    return RC_OK;
}

static RC find(struct lines_before *l, struct id file, struct lines_file **out, struct why *why) {
    struct lines_file *oldest = &l->files[0];
    for (size_t i = 0; i < LINES_FILES_KEPT; i++) {
        struct lines_file *f = &l->files[i];
        if (f->used && id_equal(f->file, file)) return *out = f, RC_OK;
        if (f->used < oldest->used) oldest = f;
    }
    TRY(load(l, file, oldest, why));
    *out = oldest;
    return RC_OK;
}

RC lines_before_stripe(struct lines_before *l, struct id file, uint64_t stripe, bool *out_known, uint64_t *out_lines,
                       struct why *why) {
    struct lines_file *f = NULL;
    TRY(find(l, file, &f, why));
    f->used = ++l->uses;
    *out_known = stripe < f->known;
    *out_lines = *out_known ? f->before[stripe] : 0;
    return RC_OK;
}
