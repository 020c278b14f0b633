/* SPDX-License-Identifier: Apache-2.0 */
/* Files for a snapshot, and back. */
#include "ledger_sqlite_parts.h"

#include <inttypes.h>

/* ---- save ---- */

/* Numbers of column 0, in the arena. */
static RC numbers_of(struct ledger_sqlite *l, enum ledger_sql sql, bool more, struct arena *arena, uint64_t **out,
                     size_t *out_n, struct why *why) {
    size_t room = 0;
    for (*out = NULL, *out_n = 0; more; ++*out_n) {
        if (*out_n == room) {
            uint64_t *old = *out;
            room = room ? 2 * room : 8;
            *out = ARENA_ARRAY(arena, uint64_t, room);
            if (old) memcpy(*out, old, *out_n * sizeof *old);
        }
        (*out)[*out_n] = ledger_db_u64(l->db, sql, 0);
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC save_stripe(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, uint64_t stripe,
                      struct arena *arena, struct saved_stripe *out, struct why *why) {
    struct stripe_row row;
    TRY(ledger_sqlite_stripe_get(l, file, generation, stripe, &row, why));
    *out = (struct saved_stripe){.stripe = stripe, .pruned = row.rules.pruned, .counts = row.counts};
    out->winners_len = row.rules.winners_len;
    out->winners = ARENA_ARRAY(arena, struct saved_winner, out->winners_len);
    for (size_t i = 0; i < out->winners_len; i++) {
        const struct rules_winner *w = &row.rules.winners[i];
        out->winners[i] =
            (struct saved_winner){w->from, w->to, w->attempt, w->counts, w->tail_hash, w->messages, w->durable};
    }
    return RC_OK;
}

static RC save_stripes(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, struct arena *arena,
                       struct saved_file *out, struct why *why) {
    bool more = false;
    uint64_t *numbers = NULL;
    size_t n = 0;
    TRY(ledger_db_first(l->db, &more, why, SQL_STRIPES_OF, "uu", file->n, generation));
    TRY(numbers_of(l, SQL_STRIPES_OF, more, arena, &numbers, &n, why));
    out->stripes = ARENA_ARRAY(arena, struct saved_stripe, n);
    for (size_t i = 0; i < n; i++) {
        struct saved_stripe *s = &out->stripes[out->stripes_len];
        TRY(save_stripe(l, file, generation, numbers[i], arena, s, why));
        out->stripes_len += s->winners_len > 0;
    }
    return RC_OK;
}

static RC save_batches(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, struct arena *arena,
                       struct saved_file *out, struct why *why) {
    enum ledger_sql sql = SQL_BATCHES_OF;
    bool more = false;
    size_t room = 0;
    TRY(ledger_db_first(l->db, &more, why, sql, "uu", file->n, generation));
    while (more) {
        if (out->batches_len == room) {
            struct saved_batch *old = out->batches;
            room = room ? 2 * room : 8;
            out->batches = ARENA_ARRAY(arena, struct saved_batch, room);
            if (old) memcpy(out->batches, old, out->batches_len * sizeof *old);
        }
        out->batches[out->batches_len++] =
            (struct saved_batch){(uint32_t)ledger_db_u64(l->db, sql, 0), ledger_db_u64(l->db, sql, 1)};
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC save_one(struct ledger_sqlite *l, uint64_t generation, struct arena *arena, struct saved_file *out,
                   struct why *why) {
    struct file_row file;
    bool more = false;
    ledger_sqlite_file_read(l, SQL_FILE_AFTER, &file);
    *out = (struct saved_file){.id = file.id, .gone = file.gone};
    TRY(ledger_sqlite_facts(l, SQL_FILE_AFTER, arena, &out->facts, why));
    TRY(ledger_db_first(l->db, &more, why, SQL_CLOSED_FROM, "uu", file.n, (uint64_t)0));
    TRY(numbers_of(l, SQL_CLOSED_FROM, more, arena, &out->ends, &out->ends_len, why));
    TRY(ledger_db_first(l->db, &more, why, SQL_PROGRESS_GET, "uu", file.n, generation));
    if (more) out->receipted = (uint64_t)(ledger_db_i64(l->db, SQL_PROGRESS_GET, 6) + 1);
    TRY(save_stripes(l, &file, generation, arena, out, why));
    out->whole = saved_whole_of(out);
    return save_batches(l, &file, generation, arena, out, why);
}

static RC save_all(struct ledger_sqlite *l, uint64_t generation, struct ledger_save_ask ask, struct arena *arena,
                   struct saved_file *out, size_t *out_n, struct why *why) {
    bool row = false;
    for (size_t stripes = 0; *out_n < ask.files && stripes < ask.stripes; ++*out_n) {
        TRY(ledger_db_first(l->db, &row, why, SQL_FILE_AFTER, "d", ask.after));
        if (!row) return RC_OK;
        TRY(save_one(l, generation, arena, &out[*out_n], why));
        ask.after = out[*out_n].id;
        stripes += out[*out_n].stripes_len;
    }
    return RC_OK;
}

static RC refuse_claims(struct ledger_sqlite *l, uint64_t generation, struct why *why) {
    bool any = false;
    TRY(ledger_db_first(l->db, &any, why, SQL_CLAIM_ANY, "u", generation));
    return any ? why_set(why, RC_ABSENT, LEDGER_UNSAVED_WORDS, generation) : RC_OK;
}

enum rc ledger_sqlite_save_files(void *self, struct ledger_at at, struct ledger_save_ask ask, struct arena *arena,
                                 struct saved_file **out, size_t *out_n, struct why *why) {
    struct ledger_sqlite *l = self;
    struct saved_file *found = ARENA_ARRAY(arena, struct saved_file, ask.files);
    size_t n = 0;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, false, why));
    enum rc rc = refuse_claims(l, at.generation, why);
    if (rc == RC_OK) rc = save_all(l, at.generation, ask, arena, found, &n, why);
    TRY(ledger_db_end(l->db, rc, why));
    *out = found;
    *out_n = n;
    return RC_OK;
}

/* ---- and back ---- */

static RC load_identity(struct ledger_sqlite *l, const struct saved_file *f, struct file_row *out, struct why *why) {
    struct file_row newest;
    TRY(ledger_sqlite_file(l, f->id, out, why));
    if (!out->found) {
        TRY(ledger_sqlite_check_facts(f->id, &f->facts, why));
        TRY(ledger_sqlite_newest(l, &f->facts, &newest, why));
        TRY(ledger_sqlite_file_add(l, f->id, &f->facts, newest.version + 1, true, why));
        TRY(ledger_sqlite_file_must(l, f->id, out, why));
    }
    bool gone = out->gone || f->gone;
    for (size_t i = 0; i < f->ends_len; i++) TRY(ledger_sqlite_end_add(l, out, f->ends[i], gone, why));
    if (f->ends_len || gone == out->gone) return RC_OK;
    return ledger_db_run(l->db, why, SQL_FILE_CLOSE, "iuuu", out->closed_end, (uint64_t)out->ends, (uint64_t)gone,
                         out->n);
}

static RC load_stripe(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation,
                      const struct saved_stripe *s, struct why *why) {
    struct stripe_row row = {.file = file->n,
                             .generation = generation,
                             .stripe = s->stripe,
                             .rules = {.start = stripe_start(s->stripe, file->stripe_bytes), .pruned = s->pruned},
                             .counts = s->counts};
    if (s->stripe > (uint64_t)INT64_MAX / file->stripe_bytes || (!s->pruned && s->winners[0].from != row.rules.start))
        return why_set(why, RC_BAD, "a saved stripe %" PRIu64 " cannot be", s->stripe);
    for (size_t i = 0; i < s->winners_len; i++) {
        const struct saved_winner *w = &s->winners[i];
        *ledger_sqlite_winner_room(l, &row) = (struct rules_winner){.from = w->from,
                                                                    .to = w->to,
                                                                    .attempt = w->attempt,
                                                                    .counts = w->counts,
                                                                    .tail_hash = w->tail_hash,
                                                                    .messages = w->messages,
                                                                    .durable = w->durable};
    }
    TRY(ledger_db_run(l->db, why, SQL_HISTORY_DELETE, "uuu", row.file, generation, row.stripe));
    for (size_t i = 0; i + 1 < s->winners_len; i++) TRY(ledger_sqlite_history_put(l, &row, &row.rules.winners[i], why));
    return ledger_sqlite_stripe_put(l, &row, STR(""), why);
}

/* Progress is added up again at the end. */
static RC load_one(struct ledger_sqlite *l, uint64_t generation, const struct saved_file *f, struct why *why) {
    struct file_row file;
    TRY(load_identity(l, f, &file, why));
    for (size_t i = 0; i < f->stripes_len; i++) TRY(load_stripe(l, &file, generation, &f->stripes[i], why));
    for (size_t i = 0; i < f->batches_len; i++)
        TRY(ledger_db_run(l->db, why, SQL_BATCH_PUT, "uuuu", file.n, generation, (uint64_t)f->batches[i].partition,
                          f->batches[i].index));
    if (f->ends_len && f->receipted <= f->ends[f->ends_len - 1])
        TRY(ledger_db_run(l->db, why, SQL_WORK_PUT, "uu", generation, file.n));
    if (!f->receipted) return RC_OK;
    return ledger_db_run(l->db, why, SQL_PROGRESS_RECEIPTED, "uuu", file.n, generation, f->receipted - 1);
}

enum rc ledger_sqlite_recover_files(void *self, struct id token, uint64_t generation, const struct saved_file *files,
                                    size_t n, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_meta meta;
    enum rc rc = RC_OK;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_owned(l, token, &meta, why));
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = load_one(l, generation, &files[i], why);
    return ledger_db_end(l->db, rc, why);
}

enum rc ledger_sqlite_recover_counters(void *self, struct id token, const struct saved_counter *counters, size_t n,
                                       struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_meta meta;
    enum rc rc = RC_OK;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_owned(l, token, &meta, why));
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = ledger_db_run(l->db, why, SQL_PARTITION_NEXT, "uuu", counters[i].generation,
                           (uint64_t)counters[i].partition, counters[i].next);
    return ledger_db_end(l->db, rc, why);
}
