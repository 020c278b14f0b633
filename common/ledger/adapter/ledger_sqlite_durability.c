/* SPDX-License-Identifier: Apache-2.0 */
/* What is durable, and whose receipt is due. */
#include "ledger_sqlite_parts.h"

#include "alloc.h"

#include <inttypes.h>

/* ---- durable ---- */

static RC partition_next(struct ledger_sqlite *l, uint64_t generation, uint32_t partition, uint64_t *out,
                         struct why *why) {
    bool row = false;
    TRY(ledger_db_first(l->db, &row, why, SQL_PARTITION_GET, "uu", generation, (uint64_t)partition));
    *out = row ? ledger_db_u64(l->db, SQL_PARTITION_GET, 0) : 0;
    return RC_OK;
}

/* Stores the winners' durable counts; forgets all but the last where nothing is outstanding. */
static RC store_durable(struct ledger_sqlite *l, struct stripe_row *row, struct id attempt, struct str reason,
                        struct why *why) {
    struct rules_stripe *rules = &row->rules;
    size_t gone = rules_prunable(rules);
    if (gone > 0) {
        TRY(ledger_db_run(l->db, why, SQL_HISTORY_DELETE, "uuu", row->file, row->generation, row->stripe));
        rules->winners += gone;
        rules->winners_len -= gone;
        rules->pruned = true;
    }
    for (size_t i = 0; i + 1 < rules->winners_len; i++) {
        if (!id_equal(rules->winners[i].attempt, attempt)) continue;
        TRY(ledger_db_run(l->db, why, SQL_HISTORY_DURABLE, "uuuuu", (uint64_t)rules->winners[i].durable, row->file,
                          row->generation, row->stripe, rules->winners[i].from));
    }
    return ledger_sqlite_stripe_put(l, row, reason, why);
}

static RC add_durable(struct ledger_sqlite *l, uint64_t generation, struct ledger_batch batch,
                      const struct ledger_durable *add, struct why *why) {
    struct file_row file;
    struct stripe_row row;
    TRY(ledger_sqlite_file_must(l, add->file, &file, why));
    TRY(ledger_sqlite_stripe_get(l, &file, generation, add->stripe, &row, why));
    struct str reason = row.set_aside ? ledger_db_str(l->db, SQL_STRIPE_GET, 22) : STR("");
    struct stripe_share before = ledger_sqlite_share(&row);
    TRY(rules_durable(&row.rules, add->attempt, add->messages, why));
    TRY(ledger_db_run(l->db, why, SQL_BATCH_PUT, "uuuu", file.n, generation, (uint64_t)batch.partition, batch.index));
    if (rules_outstanding(&row.rules) == before.outstanding) return RC_OK;
    TRY(store_durable(l, &row, add->attempt, reason, why));
    TRY(ledger_sqlite_progress(l, &row, &before, why));
    bool ready = rules_outstanding(&row.rules) == 0 && file.closed_end >= 0;
    return ready ? ledger_db_run(l->db, why, SQL_WORK_PUT, "uu", generation, file.n) : RC_OK;
}

static RC apply_batch(struct ledger_sqlite *l, uint64_t generation, struct ledger_batch batch,
                      const struct ledger_durable *adds, size_t n, struct why *why) {
    uint64_t next = 0;
    if (batch.index >= INT64_MAX) return why_set(why, RC_BAD, "a chain has no index %" PRIu64, batch.index);
    TRY(partition_next(l, generation, batch.partition, &next, why));
    if (batch.index < next) return RC_OK;
    if (batch.index > next)
        return why_set(why, RC_STALE, "partition %" PRIu32 " waits for batch %" PRIu64 ", not %" PRIu64,
                       batch.partition, next, batch.index);
    AUTO(own_free) bool *knows = alloc_zero(n, sizeof *knows);
    for (size_t i = 0; i < n; i++) /* of a snapshot that was saved file by file */
        TRY(ledger_db_first(l->db, &knows[i], why, SQL_BATCH_HAS, "duuu", adds[i].file, generation,
                            (uint64_t)batch.partition, batch.index));
    for (size_t i = 0; i < n; i++) {
        if (knows[i]) continue;
        enum rc rc = add_durable(l, generation, batch, &adds[i], why);
        if (rc != RC_OK)
            return why_wrap(why, rc, "batch %" PRIu64 " of partition %" PRIu32, batch.index, batch.partition);
    }
    return ledger_db_run(l->db, why, SQL_PARTITION_NEXT, "uuu", generation, (uint64_t)batch.partition, next + 1);
}

enum rc ledger_sqlite_durable(void *self, struct ledger_at at, struct ledger_batch batch,
                              const struct ledger_durable *adds, size_t n, struct why *why) {
    struct ledger_sqlite *l = self;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, true, why));
    return ledger_db_end(l->db, apply_batch(l, at.generation, batch, adds, n, why), why);
}

enum rc ledger_sqlite_durable_next(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_index,
                                   struct why *why) {
    struct ledger_sqlite *l = self;
    LOCKED(&l->lock);
    uint64_t next = 0;
    TRY(ledger_sqlite_begin(l, at, false, why));
    TRY(ledger_db_end(l->db, partition_next(l, at.generation, partition, &next, why), why));
    *out_index = next;
    return RC_OK;
}

/* ---- due ---- */

/* What a file's progress says before its stripes are looked at: is it worth it? */
static RC may_be_due(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, bool *out,
                     struct why *why) {
    enum ledger_sql sql = SQL_PROGRESS_GET;
    bool row = false;
    *out = false;
    if (file->closed_end < 0) return RC_OK;
    TRY(ledger_db_first(l->db, &row, why, sql, "uu", file->n, generation));
    uint64_t end = (uint64_t)file->closed_end;
    if (!row)
        *out = end == 0;
    else
        *out = ledger_db_u64(l->db, sql, 0) <= end && ledger_db_u64(l->db, sql, 4) == 0 &&
               ledger_db_u64(l->db, sql, 5) == 0 && ledger_db_i64(l->db, sql, 6) < file->closed_end;
    return RC_OK;
}

RC ledger_sqlite_whole(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, uint64_t end,
                       struct counts *counts, bool *out, struct why *why) {
    enum ledger_sql sql = SQL_STRIPES_OF;
    bool more = false;
    uint64_t wanted = 0, stripes = stripe_count(end, file->stripe_bytes);
    *out = false;
    TRY(ledger_db_first(l->db, &more, why, sql, "uu", file->n, generation));
    for (; more && wanted < stripes; wanted++) {
        uint64_t stripe = ledger_db_u64(l->db, sql, 0), at = ledger_db_u64(l->db, sql, 1);
        if (stripe != wanted || at < rules_complete_at(stripe, file->stripe_bytes, end)) return RC_OK;
        struct counts own = ledger_db_counts(l->db, sql, 4);
        counts_add(counts, &own);
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    *out = wanted == stripes;
    return RC_OK;
}

static RC add_batches(struct ledger_sqlite *l, uint64_t n, uint64_t generation, struct arena *arena,
                      struct ledger_due *due, struct why *why) {
    enum ledger_sql sql = SQL_BATCHES_OF;
    bool more = false;
    size_t room = 0;
    TRY(ledger_db_first(l->db, &more, why, sql, "uu", n, generation));
    while (more) {
        if (due->batches_len == room) {
            struct ledger_batch *old = due->batches;
            room = room ? 2 * room : 8;
            due->batches = ARENA_ARRAY(arena, struct ledger_batch, room);
            if (old) memcpy(due->batches, old, due->batches_len * sizeof *old);
        }
        due->batches[due->batches_len++] =
            (struct ledger_batch){(uint32_t)ledger_db_u64(l->db, sql, 0), ledger_db_u64(l->db, sql, 1)};
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC look_at(struct ledger_sqlite *l, uint64_t generation, uint64_t n, struct arena *arena, struct ledger_due *out,
                  bool *out_due, struct why *why) {
    struct file_row file;
    bool row = false;
    *out_due = false;
    TRY(ledger_db_first(l->db, &row, why, SQL_FILE_BY_N, "u", n));
    if (!row) return why_set(why, RC_BROKEN, "the ledger is damaged: file number %" PRIu64 " is gone", n);
    ledger_sqlite_file_read(l, SQL_FILE_BY_N, &file);
    *out = (struct ledger_due){.file = file.id};
    TRY(may_be_due(l, &file, generation, out_due, why));
    if (!*out_due) return RC_OK;
    out->end = (uint64_t)file.closed_end;
    out->stripes = stripe_count(out->end, file.stripe_bytes);
    TRY(ledger_sqlite_whole(l, &file, generation, out->end, &out->counts, out_due, why));
    if (!*out_due) return RC_OK;
    TRY(ledger_sqlite_facts(l, SQL_FILE_BY_N, arena, &out->facts, why));
    return add_batches(l, n, generation, arena, out, why);
}

static RC collect(struct ledger_sqlite *l, uint64_t generation, size_t max, struct arena *arena, struct ledger_due *out,
                  size_t *out_n, struct why *why) {
    int64_t after = -1;
    bool row = false, due = false;
    for (;;) {
        if (*out_n == max) return RC_OK;
        TRY(ledger_db_first(l->db, &row, why, SQL_WORK_NEXT, "ui", generation, after));
        if (!row) return RC_OK;
        uint64_t n = ledger_db_u64(l->db, SQL_WORK_NEXT, 0);
        after = (int64_t)n;
        TRY(look_at(l, generation, n, arena, &out[*out_n], &due, why));
        if (due)
            ++*out_n;
        else
            TRY(ledger_db_run(l->db, why, SQL_WORK_DELETE, "uu", generation, n)); /* what may change that adds it */
    }
}

enum rc ledger_sqlite_due(void *self, struct ledger_at at, size_t max, struct arena *arena, struct ledger_due **out,
                          size_t *out_n, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_due *found = ARENA_ARRAY(arena, struct ledger_due, max);
    size_t n = 0;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, true, why));
    TRY(ledger_db_end(l->db, collect(l, at.generation, max, arena, found, &n, why), why));
    *out = found;
    *out_n = n;
    return RC_OK;
}

static RC receipt_one(struct ledger_sqlite *l, uint64_t generation, const struct ledger_close *ask, struct why *why) {
    struct file_row file;
    if (ask->end > INT64_MAX) return why_set(why, RC_BAD, "a file cannot end at %" PRIu64, ask->end);
    TRY(ledger_sqlite_file_must(l, ask->file, &file, why));
    TRY(ledger_db_run(l->db, why, SQL_PROGRESS_RECEIPTED, "uuu", file.n, generation, ask->end));
    if ((int64_t)ask->end < file.closed_end) return RC_OK;
    return ledger_db_run(l->db, why, SQL_WORK_DELETE, "uu", generation, file.n);
}

enum rc ledger_sqlite_receipted(void *self, struct ledger_at at, const struct ledger_close *files, size_t n,
                                struct why *why) {
    struct ledger_sqlite *l = self;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, true, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = receipt_one(l, at.generation, &files[i], why);
    return ledger_db_end(l->db, rc, why);
}
