/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery: winners are staged while they come in, and united with the ledger's own in one transaction at the end, so
 * that a recoverer that dies, or is taken over, leaves the ledger as it was. */
#include "ledger_sqlite_parts.h"

#include "alloc.h"
#include "num.h"

#include <inttypes.h>

static RC set_meta(struct ledger_sqlite *l, uint64_t epoch, uint64_t target, struct id token, struct why *why) {
    return ledger_db_run(l->db, why, SQL_META_SET, "uud", epoch, target, token);
}

/* ---- begin ---- */

static RC begin(struct ledger_sqlite *l, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                struct why *why) {
    struct ledger_meta meta;
    TRY(ledger_sqlite_meta(l, &meta, why));
    if (meta.epoch != seen.ledger)
        return why_set(why, RC_STALE, "the ledger is at epoch %" PRIu64 ", not %" PRIu64, meta.epoch, seen.ledger);
    if (meta.target && id_equal(meta.token, token)) {
        *out_target = meta.target; /* asked again: the answer was lost */
        return RC_OK;
    }
    *out_target = MAX(MAX(meta.epoch, meta.target), seen.chains) + 1;
    TRY(ledger_db_run(l->db, why, SQL_STAGED_CLEAR, ""));
    TRY(ledger_db_run(l->db, why, SQL_RESET_CLEAR, ""));
    /* A row that is no generation says that the ledger's own winners are doubted. */
    if (seen.sealed > meta.epoch) TRY(ledger_db_run(l->db, why, SQL_RESET_PUT, "i", (int64_t)-1));
    return set_meta(l, meta.epoch, *out_target, token, why);
}

enum rc ledger_sqlite_recover_begin(void *self, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                                    struct why *why) {
    struct ledger_sqlite *l = self;
    uint64_t target = 0;
    if (id_is_none(token) || seen.chains >= INT64_MAX) return why_set(why, RC_BAD, "recovery without a token or epoch");
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_any(l, true, why));
    TRY(ledger_db_end(l->db, begin(l, seen, token, &target, why), why));
    *out_target = target;
    return RC_OK;
}

RC ledger_sqlite_begin_owned(struct ledger_sqlite *l, struct id token, struct ledger_meta *out, struct why *why) {
    TRY(ledger_sqlite_begin_any(l, true, why));
    enum rc rc = ledger_sqlite_meta(l, out, why);
    if (rc == RC_OK && (!out->target || !id_equal(out->token, token)))
        rc = why_set(why, RC_STALE, "somebody else recovers the ledger, or has");
    return rc == RC_OK ? RC_OK : ledger_db_end(l->db, rc, why);
}

enum rc ledger_sqlite_recover_next(void *self, struct id token, uint64_t generation, uint32_t partition,
                                   uint64_t *out_index, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_meta meta;
    bool row = false;
    if (generation > INT64_MAX) return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", generation);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_owned(l, token, &meta, why));
    enum rc rc = ledger_db_first(l->db, &row, why, SQL_PARTITION_GET, "uu", generation, (uint64_t)partition);
    uint64_t next = rc == RC_OK && row ? ledger_db_u64(l->db, SQL_PARTITION_GET, 0) : 0;
    TRY(ledger_db_end(l->db, rc, why));
    *out_index = next;
    return RC_OK;
}

/* ---- winners ---- */

static RC stage_file(struct ledger_sqlite *l, const struct ledger_winner *winner, struct file_row *out,
                     struct why *why) {
    struct file_row newest;
    TRY(ledger_sqlite_file(l, winner->attempt.file, out, why));
    if (out->found) return RC_OK;
    TRY(ledger_sqlite_check_facts(winner->attempt.file, &winner->facts, why));
    TRY(ledger_sqlite_newest(l, &winner->facts, &newest, why));
    TRY(ledger_sqlite_file_add(l, winner->attempt.file, &winner->facts, newest.version + 1, true, why));
    return ledger_sqlite_file_must(l, winner->attempt.file, out, why);
}

static RC stage(struct ledger_sqlite *l, uint64_t target, const struct ledger_winner *winner, struct why *why) {
    const struct attempt *attempt = &winner->attempt;
    struct file_row file;
    struct ledger_at at = {target, attempt->generation};
    if (attempt->generation > INT64_MAX)
        return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", attempt->generation);
    TRY(stage_file(l, winner, &file, why));
    TRY(rules_check(attempt, at, file.stripe_bytes, why));
    if (winner->closed) TRY(ledger_sqlite_end_add(l, &file, attempt->to, file.gone, why));
    if (winner->first_end > INT64_MAX)
        return why_set(why, RC_BAD, "a line cannot start at %" PRIu64, winner->first_end);
    if (winner->first_end) TRY(ledger_sqlite_end_add(l, &file, winner->first_end, file.gone, why));
    TRY(ledger_sqlite_claims_put(l, file.n, attempt, winner->claims, why));
    return ledger_db_run(l->db, why, SQL_STAGED_PUT, "uuuududuuuc", file.n, attempt->generation, attempt->stripe,
                         attempt->from, attempt->id, attempt->to, attempt->predecessor, (uint64_t)winner->has_counts,
                         winner->tail_hash, (uint64_t)winner->messages, &winner->counts);
}

enum rc ledger_sqlite_recover_winners(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                                      struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_meta meta;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_owned(l, token, &meta, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = stage(l, meta.target, &winners[i], why);
    return ledger_db_end(l->db, rc, why);
}

enum rc ledger_sqlite_recover_reset_durable(void *self, struct id token, uint64_t generation, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_meta meta;
    if (generation > INT64_MAX) return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", generation);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_owned(l, token, &meta, why));
    return ledger_db_end(l->db, ledger_db_run(l->db, why, SQL_RESET_PUT, "u", generation), why);
}

/* ---- end ---- */

struct given_list {
    struct rules_given *at;
    size_t len, room;
};

static RC load_given(struct ledger_sqlite *l, const struct stripe_row *row, struct given_list *out, struct why *why) {
    enum ledger_sql sql = SQL_STAGED_OF;
    bool more = false;
    out->len = 0;
    TRY(ledger_db_first(l->db, &more, why, sql, "uuu", row->file, row->generation, row->stripe));
    while (more) {
        alloc_grow(&out->at, &out->room, out->len + 1, sizeof *out->at);
        out->at[out->len++] = (struct rules_given){.winner = {.from = ledger_db_u64(l->db, sql, 0),
                                                              .to = ledger_db_u64(l->db, sql, 1),
                                                              .attempt = ledger_db_id(l->db, sql, 2),
                                                              .messages = (uint32_t)ledger_db_u64(l->db, sql, 3),
                                                              .tail_hash = ledger_db_u64(l->db, sql, 5),
                                                              .counts = ledger_db_counts(l->db, sql, 6)},
                                                   .predecessor = ledger_db_id(l->db, sql, 12),
                                                   .has_counts = ledger_db_u64(l->db, sql, 13) != 0};
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC store_recovered(struct ledger_sqlite *l, struct stripe_row *row, struct rules_recovered *made,
                          struct str reason, struct why *why) {
    bool moved = made->winners_len > 0 && made->winners[made->winners_len - 1].to > rules_at(&row->rules);
    if (row->stored_history)
        TRY(ledger_db_run(l->db, why, SQL_HISTORY_DELETE, "uuu", row->file, row->generation, row->stripe));
    row->rules.winners = made->winners;
    row->rules.winners_len = made->winners_len;
    row->rules.voids_len = 0;
    row->counts = made->counts;
    if (moved) {
        row->failures = 0;
        row->set_aside = false;
    }
    for (size_t i = 0; i + 1 < made->winners_len; i++) TRY(ledger_sqlite_history_put(l, row, &made->winners[i], why));
    return ledger_sqlite_stripe_put(l, row, reason, why);
}

static RC unite(struct ledger_sqlite *l, uint64_t n, uint64_t generation, uint64_t stripe, bool doubted,
                struct given_list *given, struct why *why) {
    struct file_row file;
    struct stripe_row row;
    bool found = false;
    char name[ID_TEXT];
    TRY(ledger_db_first(l->db, &found, why, SQL_FILE_BY_N, "u", n));
    ledger_sqlite_file_read(l, SQL_FILE_BY_N, &file);
    TRY(ledger_sqlite_stripe_get(l, &file, generation, stripe, &row, why));
    struct str reason = row.set_aside ? ledger_db_str(l->db, SQL_STRIPE_GET, 22) : STR("");
    TRY(load_given(l, &row, given, why));
    row.rules.doubted = doubted;
    AUTO(own_free) struct rules_winner *room = alloc_zero(row.rules.winners_len + given->len, sizeof *room);
    struct rules_recovered made = {.winners = room};
    enum rc rc = rules_recover(&row.rules, &row.counts, given->at, given->len, &made, why);
    if (rc != RC_OK) return why_wrap(why, rc, "file %s, stripe %" PRIu64, id_format(file.id, name), stripe);
    return store_recovered(l, &row, &made, reason, why);
}

/* The stripes that `next` names, one after the other. Uniting one twice is uniting it once. */
static RC unite_all(struct ledger_sqlite *l, enum ledger_sql next, bool doubted, struct why *why) {
    struct given_list given = {0};
    int64_t n = -1, generation = -1, stripe = -1;
    enum rc rc = RC_OK;
    for (bool row = true; row && rc == RC_OK;) {
        rc = ledger_db_first(l->db, &row, why, next, "iii", n, generation, stripe);
        if (rc != RC_OK || !row) break;
        n = ledger_db_i64(l->db, next, 0);
        generation = ledger_db_i64(l->db, next, 1);
        stripe = ledger_db_i64(l->db, next, 2);
        rc = unite(l, (uint64_t)n, (uint64_t)generation, (uint64_t)stripe, doubted, &given, why);
    }
    free(given.at);
    return rc;
}

static RC end(struct ledger_sqlite *l, const struct ledger_meta *meta, struct why *why) {
    static const enum ledger_sql steps[] = {SQL_VOIDS_CLEAR,      SQL_STRIPE_VOIDS_CLEAR, SQL_RESET_STRIPES,
                                            SQL_RESET_HISTORY,    SQL_RESET_OUTSTANDING,  SQL_RESET_BATCHES,
                                            SQL_RESET_PARTITIONS, SQL_PROGRESS_ZERO,      SQL_PROGRESS_REBUILD,
                                            SQL_WORK_REBUILD,     SQL_STAGED_CLEAR,       SQL_RESET_CLEAR};
    bool doubted = false;
    TRY(ledger_db_first(l->db, &doubted, why, SQL_DOUBT_GET, ""));
    TRY(ledger_db_run(l->db, why, SQL_FORGET_STAGED, ""));
    TRY(ledger_db_run(l->db, why, SQL_FORGET_LEFT, ""));
    TRY(ledger_db_run(l->db, why, SQL_FORGET_LEFT_HISTORY, ""));
    TRY(ledger_db_run(l->db, why, SQL_FORGET_LEFT_CLAIMS, ""));
    TRY(unite_all(l, SQL_STAGED_NEXT, doubted, why));
    if (doubted) TRY(unite_all(l, SQL_DOUBTED_NEXT, true, why));
    TRY(ledger_db_run(l->db, why, SQL_CLAIMS_FALLEN, ""));
    for (size_t i = 0; i < COUNT_OF(steps); i++) TRY(ledger_db_run(l->db, why, steps[i], ""));
    return set_meta(l, meta->target, 0, meta->token, why);
}

enum rc ledger_sqlite_recover_end(void *self, struct id token, uint64_t *out_epoch, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_meta meta;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_any(l, true, why));
    enum rc rc = ledger_sqlite_meta(l, &meta, why);
    bool mine = rc == RC_OK && id_equal(meta.token, token);
    if (mine && meta.target)
        rc = end(l, &meta, why);
    else if (rc == RC_OK && !mine)
        rc = why_set(why, RC_STALE, "somebody else recovers the ledger, or has");
    TRY(ledger_db_end(l->db, rc, why));
    *out_epoch = meta.target ? meta.target : meta.epoch; /* asked again after the end: the answer was lost */
    return RC_OK;
}
