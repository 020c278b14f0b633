/* SPDX-License-Identifier: Apache-2.0 */
/* The ranges of every stripe: from its start to its checkpoint without gap and overlap, each attempt whole, and the sum
 * of their counts that of the ledger.
 *
 * What is missing may be on its way: a won message that is not durable yet counts in the ledger's `outstanding`. So a
 * stripe's missing messages are findings only when they are more than its outstanding ones were before the manifests
 * were listed; a trailer that is nowhere stands for one message, and so does a range that nobody mentions. */
#include "audit_inner.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>
#include <string.h>

/* The attempts of one stripe, and what the ledger knew of it. */
struct cell {
    struct id file;
    uint64_t stripe, start;
    const struct audit_attempt *attempts;
    size_t len;
    const struct audit_stripe *known; /* NULL: nothing */
    uint64_t at;                      /* the checkpoint; .start without one */
};

static struct audit_finding about(enum audit_kind kind, const struct cell *cell, uint64_t from, uint64_t to,
                                  const struct audit_attempt *attempt) {
    return (struct audit_finding){.kind = kind,
                                  .has_file = true,
                                  .file = cell->file,
                                  .has_range = true,
                                  .stripe = cell->stripe,
                                  .from = from,
                                  .to = to,
                                  .attempt = attempt ? attempt->id : (struct id){{0}}};
}

static struct audit_finding about_attempt(enum audit_kind kind, const struct cell *cell,
                                          const struct audit_attempt *attempt) {
    return about(kind, cell, attempt->from, attempt->to, attempt);
}

/* ---- what is missing ---- */

/* Messages of the attempt that are in no manifest. */
static uint64_t missing_of(const struct audit_attempt *t) {
    if (!t->trailers) return 1;
    return t->blocks_said > t->blocks_seen ? t->blocks_said - t->blocks_seen : 0;
}

static void tell_missing(struct audit *a, const struct cell *cell, const struct audit_attempt *t) {
    if (!t->trailers)
        audit_found(a, about_attempt(AUDIT_TRAILER_MISSING, cell, t),
                    "%" PRIu64 " of its blocks are in manifests, its trailer in none", t->blocks_seen);
    else if (missing_of(t))
        audit_found(a, about_attempt(AUDIT_BLOCKS_MISSING, cell, t),
                    "%" PRIu64 " of its %" PRIu64 " blocks are in manifests", t->blocks_seen, t->blocks_said);
}

/* Goes through the stripe up to the checkpoint; gives the missing messages, and tells them if asked. */
static uint64_t walk(struct audit *a, const struct cell *cell, bool tell) {
    uint64_t missing = 0, reached = cell->start;
    for (size_t i = 0; i < cell->len; i++) {
        const struct audit_attempt *t = &cell->attempts[i];
        if (t->from >= cell->at) break;
        if (t->from > reached) {
            missing++;
            if (tell) audit_found(a, about(AUDIT_GAP, cell, reached, t->from, NULL), "no manifest holds these bytes");
        }
        missing += missing_of(t);
        if (tell) tell_missing(a, cell, t);
        reached = MAX(reached, t->to);
    }
    if (reached < cell->at) {
        missing++;
        if (tell)
            audit_found(a, about(AUDIT_GAP, cell, reached, cell->at, NULL),
                        "the ledger says that these bytes are converted, and no manifest holds them");
    }
    return missing;
}

/* ---- what is wrong whatever is missing ---- */

static void check_attempt(struct audit *a, const struct cell *cell, const struct audit_attempt *t) {
    if (t->trailers > 1)
        audit_found(a, about_attempt(AUDIT_TRAILER_TWICE, cell, t), "its trailer is in manifests %" PRIu32 " times",
                    t->trailers);
    if (!t->trailers) return;
    if (!counts_hold(&t->said))
        audit_found(a, about_attempt(AUDIT_COUNTS_LAW, cell, t),
                    "its %" PRIu64 " lines are not the sum of what came of them", t->said.lines);
    if (t->blocks_seen > t->blocks_said)
        audit_found(a, about_attempt(AUDIT_BLOCKS_EXTRA, cell, t),
                    "%" PRIu64 " blocks are in manifests, and it has made %" PRIu64, t->blocks_seen, t->blocks_said);
    if (t->blocks_seen != t->blocks_said) return;
    if (t->records_seen != t->said.records || t->rejects_seen != t->said.rejects)
        audit_found(a, about_attempt(AUDIT_RECORDS, cell, t),
                    "the objects hold %" PRIu64 " records and %" PRIu64 " rejects of it, and it has made %" PRIu64
                    " and %" PRIu64,
                    t->records_seen, t->rejects_seen, t->said.records, t->said.rejects);
}

/* `before` is the attempt that reaches furthest of those before; NULL for the first. */
static void check_order(struct audit *a, const struct cell *cell, const struct audit_attempt *t,
                        const struct audit_attempt *before) {
    uint64_t reached = before ? before->to : cell->start;
    struct id expected = before ? before->id : (struct id){0};
    char one[ID_TEXT], two[ID_TEXT];
    if (t->from < reached)
        audit_found(a, about(AUDIT_OVERLAP, cell, t->from, MIN(reached, t->to), t), "%s %s",
                    before ? "they are held too by attempt" : "they are before the stripe", id_format(expected, one));
    if (t->from == reached && t->trailers && !id_equal(t->predecessor, expected))
        audit_found(a, about_attempt(AUDIT_PREDECESSOR, cell, t), "it says that it follows %s, and there ends %s",
                    id_format(t->predecessor, one), id_format(expected, two));
}

/* Behind the checkpoint: it may have moved since. */
static RC check_won(struct audit *a, const struct cell *cell, const struct audit_attempt *t, struct why *why) {
    if (t->to <= cell->at) return RC_OK;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_stripe_listing *stripes = NULL;
    size_t n = 0;
    bool known = false;
    uint64_t now = cell->start;
    TRY(audit_stripes_now(a, cell->file, &arena, &known, &stripes, &n, why));
    for (size_t i = 0; i < n; i++)
        if (stripes[i].stripe == cell->stripe) now = stripes[i].at;
    if (known && now < t->to)
        audit_found(a, about_attempt(AUDIT_NOT_WON, cell, t), "the stripe's checkpoint is %" PRIu64, now);
    return RC_OK;
}

static void check_counts(struct audit *a, const struct cell *cell) {
    struct counts sum = {0};
    for (size_t i = 0; i < cell->len && cell->attempts[i].to <= cell->at; i++)
        counts_add(&sum, &cell->attempts[i].said);
    const struct counts *known = &cell->known->counts;
    if (memcmp(&sum, known, sizeof sum) == 0) return;
    audit_found(a, about(AUDIT_COUNTS, cell, cell->start, cell->at, NULL),
                "lines %" PRIu64 ", converted %" PRIu64 ", rejects %" PRIu64 ", filtered %" PRIu64 ", blank %" PRIu64
                ", records %" PRIu64 " in the ledger; %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64
                ", %" PRIu64 " in manifests",
                known->lines, known->converted, known->rejects, known->filtered, known->blank, known->records,
                sum.lines, sum.converted, sum.rejects, sum.filtered, sum.blank, sum.records);
}

static RC check_cell(struct audit *a, struct cell *cell, struct audit_known *file, struct why *why) {
    uint64_t outstanding = cell->known ? cell->known->outstanding : 0;
    uint64_t missing = walk(a, cell, false);
    if (missing > outstanding)
        (void)walk(a, cell, true);
    else
        a->result->in_progress += missing;
    const struct audit_attempt *furthest = NULL;
    for (size_t i = 0; i < cell->len; i++) {
        const struct audit_attempt *t = &cell->attempts[i];
        check_attempt(a, cell, t);
        check_order(a, cell, t, furthest);
        TRY(check_won(a, cell, t, why));
        counts_add(&file->manifests, &t->said);
        if (!furthest || t->to > furthest->to) furthest = t;
    }
    if (cell->known && !missing) check_counts(a, cell);
    a->result->attempts += cell->len;
    return RC_OK;
}

/* ---- by stripes and files ---- */

static RC unknown_file(struct audit *a, const struct audit_attempt *t, struct why *why) {
    bool known = false;
    TRY(audit_knows_now(a, t->file, &known, why)); /* it may be new */
    if (!known)
        audit_found(
            a, (struct audit_finding){.kind = AUDIT_FILE_UNKNOWN, .has_file = true, .file = t->file, .attempt = t->id},
            "manifests list attempts of it, and the ledger does not know it");
    return RC_OK;
}

static int stripe_of_attempt(const struct audit_stripe *s, const struct audit_attempt *t) {
    int order = id_compare(s->file, t->file);
    return order ? order : (s->stripe > t->stripe) - (s->stripe < t->stripe);
}

static size_t run_of(const struct audit_rows *attempts, size_t from) {
    const struct audit_attempt *t = (const struct audit_attempt *)attempts->at;
    size_t to = from + 1;
    while (to < attempts->len && id_equal(t[to].file, t[from].file) && t[to].stripe == t[from].stripe) to++;
    return to;
}

RC audit_check_ranges(struct audit *a, struct why *why) {
    const struct audit_attempt *t = (const struct audit_attempt *)a->attempts.at;
    const struct audit_stripe *s = (const struct audit_stripe *)a->stripes.at;
    struct id unknown = {0};
    for (size_t i = 0, k = 0; i < a->attempts.len || k < a->stripes.len;) {
        int order = k == a->stripes.len ? 1 : i == a->attempts.len ? -1 : stripe_of_attempt(&s[k], &t[i]);
        struct cell cell = {.file = order > 0 ? t[i].file : s[k].file, .stripe = order > 0 ? t[i].stripe : s[k].stripe};
        size_t to = order >= 0 ? run_of(&a->attempts, i) : i;
        cell.attempts = t + i;
        cell.len = to - i;
        if (order <= 0) cell.known = &s[k++];
        struct audit_known *file = audit_known_find(a, cell.file);
        if (file) {
            cell.start = stripe_start(cell.stripe, file->stripe_bytes);
            cell.at = cell.known ? cell.known->at : cell.start;
            a->result->stripes++;
            TRY(check_cell(a, &cell, file, why));
        } else if (!id_equal(unknown, cell.file)) {
            unknown = cell.file;
            TRY(unknown_file(a, &t[i], why));
        }
        i = to;
    }
    return RC_OK;
}
