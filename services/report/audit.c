/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include "audit_inner.h"
#include "names.h"
#include "status.h"
#include "tombstone.h"
#include "own.h"

static void audit_done(struct audit *a) {
    audit_chains_done(a);
    audit_rows_done(&a->known);
    audit_rows_done(&a->stripes);
    audit_rows_done(&a->attempts);
    audit_rows_done(&a->objects);
    arena_done(&a->arena);
    buf_done(&a->told_uri);
    redriven_done(&a->redriven);
}

/* One window; it may have been narrowed when this returns. */
static RC pass(struct audit *a, struct why *why) {
    a->known.len = a->stripes.len = a->attempts.len = a->objects.len = 0;
    a->result->passes++;
    TRY(audit_read_ledger(a, why));
    if (!a->report->store.ops) return audit_check_ranges(a, why); /* what is converted is nowhere */
    TRY(audit_read_chains(a, why));
    TRY(audit_check_chains(a, why));
    TRY(audit_read_manifests(a, why));
    TRY(audit_check_ranges(a, why));
    TRY(audit_check_objects(a, why));
    return audit_check_receipts(a, why);
}

/* ---- telling the files ---- */

static RC tell_file(struct audit *a, const struct ledger_listing *listing) {
    const struct audit_known *known = audit_known_find(a, listing->file);
    if (!known) return RC_OK; /* new since the pass began */
    struct audit_file file = {.listing = *listing, .manifests = known->manifests, .findings = known->findings};
    a->result->files++;
    counts_add(&a->result->ledger, &listing->counts);
    counts_add(&a->result->manifests_counts, &known->manifests);
    return a->options->file ? a->options->file(a->options->context, &file) : RC_OK;
}

/* The listings again, for the texts that no row keeps. */
static RC tell_files(struct audit *a, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    const struct audit_known *files = (const struct audit_known *)a->known.at;
    struct id after = a->known.len ? report_id_before(files[0].id) : (struct id){0};
    for (size_t n = a->known.len ? STATUS_PAGE : 0; n == STATUS_PAGE;) {
        struct ledger_listing *page = NULL;
        arena_reset(&arena);
        TRY(ledger_list(a->report->ledger, after, STATUS_PAGE, &arena, &page, &n, why));
        for (size_t i = 0; i < n; i++) {
            if (audit_spot(page[i].file) > a->high) return RC_OK;
            TRY(tell_file(a, &page[i]));
            after = page[i].file;
        }
    }
    return RC_OK;
}

static enum rc see_loss(void *context, struct str key, uint64_t bytes) {
    struct audit_result *result = context;
    struct name_loss loss;
    (void)bytes;
    if (name_loss_parse(key, &loss) != RC_OK) return RC_OK;
    result->lost_attempts++;
    result->lost_lines += loss.lines;
    result->lost_bytes += loss.to - loss.from;
    return RC_OK;
}

static RC count_losses(struct audit *a, struct why *why) {
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES);
    TRY(name_losses_prefix(a->report->generation, &prefix));
    return a->report->store.ops ? store_list(a->report->store, buf_str(&prefix), STR(""), see_loss, a->result, why)
                                : RC_OK;
}

static RC run(struct audit *a, struct why *why) {
    uint64_t next = 0;
    int64_t when = 0;
    if (a->report->store.ops)
        TRY(tombstone_look(a->report->store, a->queue, a->report->generation, &a->result->removed, &when, why));
    if (a->result->removed) return RC_OK;
    TRY(count_losses(a, why));
    for (bool more = true; more;) {
        a->low = next;
        a->high = UINT64_MAX;
        a->first = next == 0;
        TRY(pass(a, why));
        TRY(tell_files(a, why));
        more = a->high < UINT64_MAX;
        next = a->high + 1;
    }
    if (a->report->store.ops) TRY(audit_check_redriven(a, why));
    return a->options->deep ? audit_check_deep(a, why) : RC_OK;
}

RC audit_run(const struct report *report, const struct audit_options *options, struct audit_result *out,
             struct why *why) {
    struct audit_result result = {0};
    AUTO(audit_done)
    struct audit a = {.report = report,
                      .options = options,
                      .result = &result,
                      .queue = report->queue,
                      .rows_max = options->rows_max ? options->rows_max : AUDIT_ROWS_MAX,
                      .known = {.size = sizeof(struct audit_known)},
                      .stripes = {.size = sizeof(struct audit_stripe)},
                      .attempts = {.size = sizeof(struct audit_attempt)},
                      .objects = {.size = sizeof(struct audit_object)},
                      .chains = {.size = sizeof(struct audit_chain)},
                      .told_uri = BUF_INIT(LEDGER_TEXT_MAX)};
    TRY(run(&a, why));
    *out = result;
    return RC_OK;
}
