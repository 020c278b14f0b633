/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints and who won: the rules' answers, stored. */
#include "ledger_sqlite_parts.h"

#include "alloc.h"
#include "num.h"

#include <inttypes.h>

/* ---- checkpoints ---- */

static RC ends_of(struct ledger_sqlite *l, const struct file_row *file, struct arena *arena,
                  struct ledger_checkpoint *out, struct why *why) {
    enum ledger_sql sql = SQL_CLOSED_FROM;
    bool more = file->closed_end >= (int64_t)out->at;
    size_t room = 0;
    out->ends_total = file->ends;
    if (more) TRY(ledger_db_first(l->db, &more, why, sql, "uu", file->n, out->at));
    while (more) {
        if (out->ends_len == room) {
            uint64_t *old = out->ends;
            room = room ? 2 * room : 4;
            out->ends = ARENA_ARRAY(arena, uint64_t, room);
            if (old) memcpy(out->ends, old, out->ends_len * sizeof *old);
        }
        out->ends[out->ends_len++] = ledger_db_u64(l->db, sql, 0);
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC checkpoint(struct ledger_sqlite *l, uint64_t generation, const struct ledger_stripe *ask, struct arena *arena,
                     struct ledger_checkpoint *out, struct why *why) {
    struct file_row file;
    struct stripe_row row;
    TRY(ledger_sqlite_file(l, ask->file, &file, why));
    if (!file.found) return RC_OK;
    TRY(ledger_sqlite_stripe_get(l, &file, generation, ask->stripe, &row, why));
    size_t len = row.rules.winners_len;
    *out = (struct ledger_checkpoint){.found = true,
                                      .at = rules_at(&row.rules),
                                      .winner = rules_winner_id(&row.rules),
                                      .counts = row.counts,
                                      .tail_hash = len ? row.rules.winners[len - 1].tail_hash : 0,
                                      .failures = row.failures,
                                      .set_aside = row.set_aside};
    return ends_of(l, &file, arena, out, why);
}

enum rc ledger_sqlite_checkpoints(void *self, struct ledger_at at, const struct ledger_stripe *asks, size_t n,
                                  struct arena *arena, struct ledger_checkpoint *out, struct why *why) {
    struct ledger_sqlite *l = self;
    AUTO(own_free) struct ledger_checkpoint *answers = alloc_zero(n, sizeof *answers);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, false, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = checkpoint(l, at.generation, &asks[i], arena, &answers[i], why);
    TRY(ledger_db_end(l->db, rc, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- what the rules make us store ---- */

/* The file and stripe of an attempt that was checked. */
static RC load(struct ledger_sqlite *l, struct ledger_at at, const struct attempt *attempt, struct file_row *out_file,
               struct stripe_row *out_row, struct why *why) {
    TRY(ledger_sqlite_file_must(l, attempt->file, out_file, why));
    TRY(rules_check(attempt, at, out_file->stripe_bytes, why));
    return ledger_sqlite_stripe_get(l, out_file, at.generation, attempt->stripe, out_row, why);
}

/* The reason of a stripe that stays set aside, before its row is written again. */
static struct str reason_of(struct ledger_sqlite *l, const struct stripe_row *row) {
    return row->found && row->set_aside ? ledger_db_str(l->db, SQL_STRIPE_GET, 22) : STR("");
}

static RC store_void(struct ledger_sqlite *l, struct stripe_row *row, const struct attempt *attempt, struct why *why) {
    struct rules_stripe *rules = &row->rules;
    if (rules->voids_len >= LEDGER_VOIDS_MAX)
        return why_set(why, RC_LIMIT,
                       "stripe %" PRIu64 " has %zu void attempts at and behind its checkpoint: its "
                       "workers die again and again",
                       attempt->stripe, rules->voids_len);
    alloc_grow(&l->voids, &l->voids_room, rules->voids_len + 1, sizeof *l->voids);
    rules->voids = l->voids;
    rules->voids[rules->voids_len++] = (struct rules_void){attempt->from, attempt->id};
    TRY(ledger_db_run(l->db, why, SQL_VOID_PUT, "uuuud", row->file, row->generation, row->stripe, attempt->from,
                      attempt->id));
    return ledger_sqlite_stripe_put(l, row, reason_of(l, row), why);
}

static RC fade_voids(struct ledger_sqlite *l, struct stripe_row *row, struct why *why) {
    struct rules_stripe *rules = &row->rules;
    uint64_t at = rules_at(rules);
    size_t kept = 0;
    if (!rules->voids_len) return RC_OK;
    for (size_t i = 0; i < rules->voids_len; i++)
        if (!rules_void_fades(rules->voids[i].from, at)) rules->voids[kept++] = rules->voids[i];
    rules->voids_len = kept;
    return ledger_db_run(l->db, why, SQL_VOID_FADE, "uuuu", row->file, row->generation, row->stripe, at);
}

static RC append(struct ledger_sqlite *l, struct stripe_row *row, const struct ledger_advance *ask, struct why *why) {
    struct stripe_share before = ledger_sqlite_share(row);
    struct rules_stripe *rules = &row->rules;
    if (rules->winners_len) TRY(ledger_sqlite_history_put(l, row, &rules->winners[rules->winners_len - 1], why));
    *ledger_sqlite_winner_room(l, row) = (struct rules_winner){.from = ask->attempt.from,
                                                               .to = ask->attempt.to,
                                                               .attempt = ask->attempt.id,
                                                               .counts = ask->counts,
                                                               .tail_hash = ask->tail_hash,
                                                               .messages = ask->messages};
    counts_add(&row->counts, &ask->counts);
    row->failures = 0;
    row->set_aside = false;
    TRY(fade_voids(l, row, why));
    TRY(ledger_sqlite_stripe_put(l, row, STR(""), why));
    return ledger_sqlite_progress(l, row, &before, why);
}

/* ---- advance ---- */

static RC ends_agree(struct ledger_sqlite *l, const struct file_row *file, const struct ledger_advance *ask, bool *out,
                     struct why *why) {
    uint64_t first_unseen = UINT64_MAX;
    bool row = false, is_end = file->closed_end == (int64_t)ask->attempt.to;
    if (ask->ends_seen < file->ends) {
        TRY(ledger_db_first(l->db, &row, why, SQL_CLOSED_NTH, "uu", file->n, (uint64_t)ask->ends_seen));
        if (row) first_unseen = ledger_db_u64(l->db, SQL_CLOSED_NTH, 0);
    }
    if (ask->closed && !is_end)
        TRY(ledger_db_first(l->db, &is_end, why, SQL_CLOSED_HAS, "uu", file->n, ask->attempt.to));
    *out = rules_ends_agree(ask, first_unseen, is_end);
    return RC_OK;
}

static RC advance_one(struct ledger_sqlite *l, struct ledger_at at, const struct ledger_advance *ask,
                      enum ledger_decision *out, struct why *why) {
    struct file_row file;
    struct stripe_row row;
    enum rules_write write;
    bool agree = false;
    char name[ID_TEXT];
    if (ask->messages == 0 || !counts_hold(&ask->counts))
        return why_set(why, RC_BAD, "attempt %s cannot be: it has no messages, or its counts do not add up",
                       id_format(ask->attempt.id, name));
    TRY(load(l, at, &ask->attempt, &file, &row, why));
    TRY(ends_agree(l, &file, ask, &agree, why));
    if (agree) TRY(ledger_sqlite_claims_agree(l, &ask->attempt, ask->claims, &agree, why));
    *out = rules_advance(&row.rules, &ask->attempt, at.epoch, agree, &write);
    if (write == RULES_APPEND) {
        TRY(ledger_sqlite_claims_put(l, file.n, &ask->attempt, ask->claims, why));
        return append(l, &row, ask, why);
    }
    return write == RULES_VOID ? store_void(l, &row, &ask->attempt, why) : RC_OK;
}

static RC acknowledge(struct ledger_sqlite *l, uint64_t generation, const struct ledger_acknowledged *ack,
                      struct why *why) {
    if (ack->end > INT64_MAX) return why_set(why, RC_BAD, "a log cannot end at %" PRIu64, ack->end);
    return ledger_db_run(l->db, why, SQL_PARTITION_ACK, "uuu", generation, (uint64_t)ack->partition, ack->end);
}

enum rc ledger_sqlite_advance(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                              const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                              struct why *why) {
    struct ledger_sqlite *l = self;
    AUTO(own_free) enum ledger_decision *answers = alloc_zero(n, sizeof *answers);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, true, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = advance_one(l, at, &asks[i], &answers[i], why);
    for (size_t i = 0; i < acks_n && rc == RC_OK; i++) rc = acknowledge(l, at.generation, &acks[i], why);
    TRY(ledger_db_end(l->db, rc, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

enum rc ledger_sqlite_acknowledged(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_end,
                                   struct why *why) {
    struct ledger_sqlite *l = self;
    LOCKED(&l->lock);
    bool row = false;
    TRY(ledger_sqlite_begin(l, at, false, why));
    enum rc rc = ledger_db_first(l->db, &row, why, SQL_PARTITION_GET, "uu", at.generation, (uint64_t)partition);
    uint64_t end = rc == RC_OK && row ? ledger_db_u64(l->db, SQL_PARTITION_GET, 1) : 0;
    TRY(ledger_db_end(l->db, rc, why));
    *out_end = end;
    return RC_OK;
}

/* ---- verdicts and voids ---- */

static RC judge(struct ledger_sqlite *l, struct ledger_at at, const struct attempt *attempt, bool make_void,
                struct ledger_verdict *out, struct why *why) {
    struct file_row file;
    struct stripe_row row;
    enum rules_write write = RULES_NOTHING;
    TRY(load(l, at, attempt, &file, &row, why));
    enum ledger_decision decision =
        make_void ? rules_void(&row.rules, attempt, at.epoch, &write) : rules_verdict(&row.rules, attempt, at.epoch);
    if (write == RULES_VOID) TRY(store_void(l, &row, attempt, why));
    *out = (struct ledger_verdict){decision, rules_voids_at(&row.rules, attempt->from)};
    return RC_OK;
}

static RC judge_all(struct ledger_sqlite *l, struct ledger_at at, const struct attempt *asks, size_t n, bool make_void,
                    struct ledger_verdict *out, struct why *why) {
    AUTO(own_free) struct ledger_verdict *answers = alloc_zero(n, sizeof *answers);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, make_void, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = judge(l, at, &asks[i], make_void, &answers[i], why);
    TRY(ledger_db_end(l->db, rc, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

enum rc ledger_sqlite_verdicts(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                               struct ledger_verdict *out, struct why *why) {
    return judge_all(self, at, asks, n, false, out, why);
}

enum rc ledger_sqlite_voids(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                            struct ledger_verdict *out, struct why *why) {
    return judge_all(self, at, asks, n, true, out, why);
}

/* ---- failures ---- */

static RC fail_job(struct ledger_sqlite *l, struct ledger_at at, struct ledger_stripe ask, struct str reason,
                   uint32_t attempts_max, uint32_t *out_failures, struct why *why) {
    struct file_row file;
    struct stripe_row row;
    TRY(ledger_sqlite_file_must(l, ask.file, &file, why));
    TRY(ledger_sqlite_stripe_get(l, &file, at.generation, ask.stripe, &row, why));
    struct stripe_share before = ledger_sqlite_share(&row);
    if (row.failures < UINT32_MAX) row.failures++;
    if (row.set_aside) reason = reason_of(l, &row); /* the first one is the one to look at */
    row.set_aside = row.set_aside || row.failures >= attempts_max;
    *out_failures = row.failures;
    reason.len = MIN(reason.len, (size_t)LEDGER_REASON_MAX);
    TRY(ledger_sqlite_stripe_put(l, &row, reason, why));
    return ledger_sqlite_progress(l, &row, &before, why);
}

enum rc ledger_sqlite_job_failed(void *self, struct ledger_at at, struct ledger_stripe stripe, struct str reason,
                                 uint32_t attempts_max, uint32_t *out_failures, struct why *why) {
    struct ledger_sqlite *l = self;
    LOCKED(&l->lock);
    uint32_t failures = 0;
    TRY(ledger_sqlite_begin(l, at, true, why));
    TRY(ledger_db_end(l->db, fail_job(l, at, stripe, reason, attempts_max, &failures, why), why));
    *out_failures = failures;
    return RC_OK;
}
