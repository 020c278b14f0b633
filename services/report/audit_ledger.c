/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger knows of the window's files. It is read before seals and manifests, so that whatever it says to be
 * durable has to be found in them. */
#include "audit_inner.h"
#include "status.h"
#include "own.h"

#include <inttypes.h>
#include <string.h>

static bool same_counts(const struct counts *a, const struct counts *b) { return memcmp(a, b, sizeof *a) == 0; }

static struct audit_finding about_file(enum audit_kind kind, const struct ledger_listing *l) {
    return (struct audit_finding){.kind = kind, .has_file = true, .file = l->file, .uri = l->facts.uri};
}

/* The listing is older than the stripes: they may be further, never less. */
static void check_sums(struct audit *a, const struct ledger_listing *l, const struct counts *sum, uint64_t bytes) {
    if (l->converted_bytes > bytes || (l->converted_bytes == bytes && !same_counts(&l->counts, sum)))
        audit_found(a, about_file(AUDIT_LEDGER_COUNTS, l),
                    "the ledger says %" PRIu64 " lines in %" PRIu64 " bytes of the file, and %" PRIu64 " in %" PRIu64
                    " bytes of its stripes",
                    l->counts.lines, l->converted_bytes, sum->lines, bytes);
    if (!counts_hold(sum))
        audit_found(a, about_file(AUDIT_COUNTS_LAW, l),
                    "%" PRIu64 " lines are not %" PRIu64 " converted + %" PRIu64 " rejects + %" PRIu64
                    " filtered + %" PRIu64 " blank",
                    sum->lines, sum->converted, sum->rejects, sum->filtered, sum->blank);
}

static RC read_stripes(struct audit *a, const struct ledger_listing *l, struct arena *arena, struct why *why) {
    struct ledger_stripe_listing *stripes = NULL;
    size_t n = 0;
    TRY(ledger_list_stripes(a->report->ledger, l->file, arena, &stripes, &n, why));
    struct counts sum = {0};
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct audit_stripe *row = audit_rows_add(&a->stripes);
        *row = (struct audit_stripe){.spot = audit_spot(l->file),
                                     .file = l->file,
                                     .stripe = stripes[i].stripe,
                                     .at = stripes[i].at,
                                     .outstanding = stripes[i].outstanding,
                                     .counts = stripes[i].counts};
        counts_add(&sum, &stripes[i].counts);
        bytes += stripes[i].at - stripe_start(stripes[i].stripe, l->facts.stripe_bytes);
    }
    check_sums(a, l, &sum, bytes);
    return RC_OK;
}

static RC read_file(struct audit *a, const struct ledger_listing *l, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct audit_known *row = audit_rows_add(&a->known);
    *row = (struct audit_known){.spot = audit_spot(l->file),
                                .id = l->file,
                                .stripe_bytes = l->facts.stripe_bytes,
                                .closed_end = l->closed_end,
                                .closed = l->closed,
                                .receipted = l->state == LEDGER_RECEIPTED};
    if (l->stripes) TRY(read_stripes(a, l, &arena, why));
    audit_fit(a);
    return RC_OK;
}

/* The largest id below all of the window; none when there is nothing below. */
static struct id before_window(const struct audit *a) {
    struct id first = {0};
    for (int i = 0; i < 8; i++) first.bytes[i] = (uint8_t)(a->low >> (8 * (7 - i)));
    return a->low ? report_id_before(first) : first;
}

static int stripe_order(const void *one, const void *two) {
    const struct audit_stripe *a = one, *b = two;
    int order = id_compare(a->file, b->file);
    return order ? order : (a->stripe > b->stripe) - (a->stripe < b->stripe);
}

/* Reads a page behind *after; *out_more is false behind the window's or the ledger's end. */
static RC read_page(struct audit *a, struct id *after, bool *out_more, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_listing *page = NULL;
    size_t n = 0;
    TRY(ledger_list(a->report->ledger, *after, STATUS_PAGE, &arena, &page, &n, why));
    *out_more = n == STATUS_PAGE;
    for (size_t i = 0; i < n; i++) {
        if (audit_spot(page[i].file) > a->high) {
            *out_more = false;
            return RC_OK;
        }
        TRY(read_file(a, &page[i], why));
        *after = page[i].file;
    }
    return RC_OK;
}

RC audit_read_ledger(struct audit *a, struct why *why) {
    struct id after = before_window(a);
    for (bool more = a->report->ledger.ops != NULL; more;) TRY(read_page(a, &after, &more, why));
    audit_rows_sort(&a->stripes, stripe_order);
    return RC_OK;
}

RC audit_stripes_now(struct audit *a, struct id file, struct arena *arena, bool *out_known,
                     struct ledger_stripe_listing **out, size_t *out_n, struct why *why) {
    *out_known = false;
    *out_n = 0;
    if (!a->report->ledger.ops) return RC_OK;
    enum rc rc = ledger_list_stripes(a->report->ledger, file, arena, out, out_n, why);
    if (rc == RC_ABSENT) return RC_OK;
    *out_known = rc == RC_OK;
    return rc;
}

RC audit_knows_now(struct audit *a, struct id file, bool *out, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_stripe_listing *stripes = NULL;
    size_t n = 0;
    return audit_stripes_now(a, file, &arena, out, &stripes, &n, why);
}
