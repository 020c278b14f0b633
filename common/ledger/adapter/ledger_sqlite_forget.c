/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting a generation: the mark first, in the same transaction as the first rows, then file after file. */
#include "ledger_sqlite_parts.h"

#include "num.h"

#include <inttypes.h>

RC ledger_sqlite_check_forgotten(struct ledger_sqlite *l, uint64_t generation, struct why *why) {
    bool forgotten = false;
    TRY(ledger_db_first(l->db, &forgotten, why, SQL_FORGOTTEN_GET, "u", generation));
    if (!forgotten) return RC_OK;
    return why_set(why, RC_DENIED, LEDGER_FORGOTTEN_WORDS, generation);
}

/* Runs a statement that deletes at most `limit` rows and gives them; were there as many? */
static RC delete_some(struct ledger_sqlite *l, enum ledger_sql sql, uint64_t file, uint64_t generation, size_t limit,
                      size_t *out_deleted, struct why *why) {
    bool row = false;
    *out_deleted = 0;
    TRY(ledger_db_first(l->db, &row, why, sql, "uuu", file, generation, (uint64_t)limit));
    for (; row; ++*out_deleted) TRY(ledger_db_next(l->db, &row, why, sql));
    return RC_OK;
}

static RC forget_claims(struct ledger_sqlite *l, uint64_t generation, size_t *left, struct why *why) {
    bool row = false;
    TRY(ledger_db_first(l->db, &row, why, SQL_FORGET_CLAIMS, "uu", generation, (uint64_t)*left));
    for (; row; --*left) TRY(ledger_db_next(l->db, &row, why, SQL_FORGET_CLAIMS));
    return RC_OK;
}

/* Takes at most *left rows of stripes and batches; *out_whole: the file has nothing of the generation any more. */
static RC forget_file(struct ledger_sqlite *l, uint64_t file, uint64_t generation, size_t *left, bool *out_whole,
                      struct why *why) {
    static const enum ledger_sql many[] = {SQL_FORGET_STRIPES, SQL_FORGET_BATCHES};
    *out_whole = false;
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        size_t deleted = 0;
        TRY(delete_some(l, many[i], file, generation, *left, &deleted, why));
        *left -= deleted;
        if (!*left) return RC_OK;
    }
    TRY(ledger_db_run(l->db, why, SQL_FORGET_HISTORY, "uu", file, generation));
    TRY(ledger_db_run(l->db, why, SQL_FORGET_VOIDS, "uu", file, generation));
    TRY(ledger_db_run(l->db, why, SQL_FORGET_PROGRESS, "uu", file, generation));
    TRY(ledger_db_run(l->db, why, SQL_WORK_DELETE, "uu", generation, file));
    --*left;
    *out_whole = true;
    return RC_OK;
}

static RC forget(struct ledger_sqlite *l, uint64_t generation, size_t max, struct id *after, bool *out_done,
                 struct why *why) {
    size_t left = MAX(max, (size_t)1);
    *out_done = false;
    TRY(ledger_db_run(l->db, why, SQL_FORGOTTEN_PUT, "u", generation));
    TRY(ledger_db_run(l->db, why, SQL_FORGET_PARTITIONS, "u", generation));
    TRY(forget_claims(l, generation, &left, why));
    for (bool row = true, whole = true; left && whole;) {
        struct file_row file;
        TRY(ledger_db_first(l->db, &row, why, SQL_FILE_AFTER, "d", *after));
        *out_done = !row;
        if (!row) return RC_OK;
        ledger_sqlite_file_read(l, SQL_FILE_AFTER, &file);
        TRY(forget_file(l, file.n, generation, &left, &whole, why));
        if (whole) *after = file.id;
    }
    return RC_OK;
}

enum rc ledger_sqlite_forget(void *self, struct ledger_at at, size_t max, struct id *after, bool *out_done,
                             struct why *why) {
    struct ledger_sqlite *l = self;
    struct id reached = *after;
    bool done = false;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_epoch(l, at, true, why));
    TRY(ledger_db_end(l->db, forget(l, at.generation, max, &reached, &done, why), why));
    *after = reached;
    *out_done = done;
    return RC_OK;
}

/* ---- which there are ---- */

static RC generations(struct ledger_sqlite *l, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                      struct why *why) {
    bool row = false;
    size_t room = 0;
    TRY(ledger_db_first(l->db, &row, why, SQL_GENERATIONS, ""));
    for (; row; ++*out_n) {
        if (*out_n == room) {
            struct ledger_generation *old = *out;
            room = room ? 2 * room : 16;
            *out = ARENA_ARRAY(arena, struct ledger_generation, room);
            if (old) memcpy(*out, old, *out_n * sizeof *old);
        }
        (*out)[*out_n] = (struct ledger_generation){ledger_db_u64(l->db, SQL_GENERATIONS, 0),
                                                    ledger_db_u64(l->db, SQL_GENERATIONS, 1) != 0};
        TRY(ledger_db_next(l->db, &row, why, SQL_GENERATIONS));
    }
    return RC_OK;
}

enum rc ledger_sqlite_generations(void *self, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                                  struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_generation *found = NULL;
    size_t n = 0;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_any(l, false, why));
    TRY(ledger_db_end(l->db, generations(l, arena, &found, &n, why), why));
    *out = found;
    *out_n = n;
    return RC_OK;
}
