/* SPDX-License-Identifier: Apache-2.0 */
/* A stripe between its rows and the plain struct that the rules decide on. */
#include "ledger_sqlite_parts.h"

#include "alloc.h"

#include <inttypes.h>

static RC broken(const struct stripe_row *row, const char *what, struct why *why) {
    return why_set(why, RC_BROKEN, "the ledger is damaged: file number %" PRIu64 ", stripe %" PRIu64 ": %s", row->file,
                   row->stripe, what);
}

struct rules_winner *ledger_sqlite_winner_room(struct ledger_sqlite *l, struct stripe_row *row) {
    alloc_grow(&l->winners, &l->winners_room, row->rules.winners_len + 1, sizeof *l->winners);
    row->rules.winners = l->winners;
    return &l->winners[row->rules.winners_len++];
}

static RC load_history(struct ledger_sqlite *l, struct stripe_row *row, struct why *why) {
    enum ledger_sql sql = SQL_HISTORY_OF;
    bool more = false;
    TRY(ledger_db_first(l->db, &more, why, sql, "uuu", row->file, row->generation, row->stripe));
    while (more) {
        *ledger_sqlite_winner_room(l, row) = (struct rules_winner){.from = ledger_db_u64(l->db, sql, 0),
                                                                   .to = ledger_db_u64(l->db, sql, 1),
                                                                   .attempt = ledger_db_id(l->db, sql, 2),
                                                                   .messages = (uint32_t)ledger_db_u64(l->db, sql, 3),
                                                                   .durable = (uint32_t)ledger_db_u64(l->db, sql, 4),
                                                                   .tail_hash = ledger_db_u64(l->db, sql, 5),
                                                                   .counts = ledger_db_counts(l->db, sql, 6)};
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC load_voids(struct ledger_sqlite *l, struct stripe_row *row, struct why *why) {
    enum ledger_sql sql = SQL_VOID_OF;
    bool more = false;
    TRY(ledger_db_first(l->db, &more, why, sql, "uuu", row->file, row->generation, row->stripe));
    while (more) {
        alloc_grow(&l->voids, &l->voids_room, row->rules.voids_len + 1, sizeof *l->voids);
        l->voids[row->rules.voids_len++] =
            (struct rules_void){ledger_db_u64(l->db, sql, 0), ledger_db_id(l->db, sql, 1)};
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    row->rules.voids = l->voids;
    return RC_OK;
}

/* What must hold of any stripe that was written here; a page that went bad can say anything. */
static RC check(const struct stripe_row *row, uint64_t at, size_t voids, struct why *why) {
    const struct rules_stripe *rules = &row->rules;
    if (rules_at(rules) != at) return broken(row, "its checkpoint is not where its last winner ends", why);
    if (rules->voids_len != voids) return broken(row, "voids are missing", why);
    uint64_t from = rules->start;
    for (size_t i = 0; i < rules->winners_len; i++) {
        const struct rules_winner *winner = &rules->winners[i];
        if (winner->from >= winner->to || winner->durable > winner->messages || id_is_none(winner->attempt))
            return broken(row, "a winner cannot be", why);
        if (winner->from != from && !rules->pruned) return broken(row, "its winners leave a gap", why);
        from = winner->to;
    }
    return RC_OK;
}

RC ledger_sqlite_stripe_get(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, uint64_t stripe,
                            struct stripe_row *out, struct why *why) {
    enum ledger_sql sql = SQL_STRIPE_GET;
    struct ledger_db *db = l->db;
    if (stripe > (uint64_t)INT64_MAX / file->stripe_bytes)
        return why_set(why, RC_BAD, "stripe %" PRIu64 " lies behind 2^63", stripe);
    *out = (struct stripe_row){.file = file->n,
                               .generation = generation,
                               .stripe = stripe,
                               .rules = {.start = stripe_start(stripe, file->stripe_bytes)}};
    TRY(ledger_db_first(db, &out->found, why, sql, "uuu", file->n, generation, stripe));
    if (!out->found) return RC_OK;
    out->counts = ledger_db_counts(db, sql, 12);
    out->stored_history = (size_t)ledger_db_u64(db, sql, 18);
    size_t voids = (size_t)ledger_db_u64(db, sql, 19);
    out->rules.pruned = ledger_db_u64(db, sql, 20) != 0;
    out->failures = (uint32_t)ledger_db_u64(db, sql, 21);
    out->set_aside = !ledger_db_null(db, sql, 22);
    uint64_t at = ledger_db_u64(db, sql, 0);
    struct id winner = ledger_db_id(db, sql, 2);
    if (out->stored_history) TRY(load_history(l, out, why));
    if (out->rules.winners_len != out->stored_history) return broken(out, "winners are missing", why);
    if (!id_is_none(winner))
        *ledger_sqlite_winner_room(l, out) = (struct rules_winner){ledger_db_u64(db, sql, 1),
                                                                   at,
                                                                   winner,
                                                                   ledger_db_counts(db, sql, 6),
                                                                   ledger_db_u64(db, sql, 5),
                                                                   (uint32_t)ledger_db_u64(db, sql, 3),
                                                                   (uint32_t)ledger_db_u64(db, sql, 4)};
    if (voids) TRY(load_voids(l, out, why));
    return check(out, at, voids, why);
}

RC ledger_sqlite_stripe_put(struct ledger_sqlite *l, const struct stripe_row *row, struct str reason, struct why *why) {
    const struct rules_stripe *rules = &row->rules;
    const struct rules_winner none = {0};
    const struct rules_winner *last = rules->winners_len ? &rules->winners[rules->winners_len - 1] : &none;
    uint64_t history = rules->winners_len ? rules->winners_len - 1 : 0;
#define ROW                                                                                                            \
    row->file, row->generation, row->stripe, rules_at(rules), last->from, last->attempt, (uint64_t)last->messages,     \
        (uint64_t)last->durable, last->tail_hash, &last->counts, &row->counts, rules_outstanding(rules), history,      \
        (uint64_t)rules->voids_len, (uint64_t)rules->pruned, (uint64_t)row->failures
    if (row->set_aside) return ledger_db_run(l->db, why, SQL_STRIPE_PUT, "uuuuuduuuccuuuuus", ROW, reason);
    return ledger_db_run(l->db, why, SQL_STRIPE_PUT, "uuuuuduuuccuuuuun", ROW);
#undef ROW
}

RC ledger_sqlite_history_put(struct ledger_sqlite *l, const struct stripe_row *row, const struct rules_winner *winner,
                             struct why *why) {
    return ledger_db_run(l->db, why, SQL_HISTORY_PUT, "uuuuuduuuc", row->file, row->generation, row->stripe,
                         winner->from, winner->to, winner->attempt, (uint64_t)winner->messages,
                         (uint64_t)winner->durable, winner->tail_hash, &winner->counts);
}

struct stripe_share ledger_sqlite_share(const struct stripe_row *row) {
    const struct rules_stripe *rules = &row->rules;
    struct stripe_share share = {.set_aside = row->set_aside};
    if (!rules->winners_len) return share;
    share.reach = rules_at(rules);
    share.tail = rules->winners[rules->winners_len - 1].tail_hash;
    share.bytes = share.reach - rules->start;
    share.stripes = 1;
    share.outstanding = rules_outstanding(rules);
    share.durable_stripes = share.outstanding == 0;
    share.counts = row->counts;
    return share;
}

RC ledger_sqlite_progress(struct ledger_sqlite *l, const struct stripe_row *row, const struct stripe_share *before,
                          struct why *why) {
    struct stripe_share now = ledger_sqlite_share(row);
    /* Differences wrap around below zero; as signed numbers they are right. */
    struct counts more = {now.counts.lines - before->counts.lines,     now.counts.converted - before->counts.converted,
                          now.counts.rejects - before->counts.rejects, now.counts.filtered - before->counts.filtered,
                          now.counts.blank - before->counts.blank,     now.counts.records - before->counts.records};
    return ledger_db_run(l->db, why, SQL_PROGRESS_ADD, "uuuuuuuuuc", row->file, row->generation, now.reach, now.tail,
                         now.bytes - before->bytes, now.stripes - before->stripes,
                         now.durable_stripes - before->durable_stripes, now.outstanding - before->outstanding,
                         now.set_aside - before->set_aside, &more);
}
