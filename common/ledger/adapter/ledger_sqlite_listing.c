/* SPDX-License-Identifier: Apache-2.0 */
/* What a person asks: files and stripes, at any epoch. */
#include "ledger_sqlite_parts.h"

static enum ledger_state state_of(const struct file_row *file, const struct ledger_listing *listing, int64_t receipted,
                                  uint64_t reach, uint64_t set_aside) {
    (void)listing;
    if (set_aside) return LEDGER_SET_ASIDE;
    if (file->closed_end < 0 || reach > (uint64_t)file->closed_end) return LEDGER_OPEN;
    return receipted >= file->closed_end ? LEDGER_RECEIPTED : LEDGER_CLOSED;
}

static RC add_figures(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, struct arena *arena,
                      struct ledger_listing *out, struct why *why) {
    enum ledger_sql sql = SQL_PROGRESS_GET;
    struct ledger_db *db = l->db;
    bool row = false;
    TRY(ledger_db_first(db, &row, why, sql, "uu", file->n, generation));
    uint64_t reach = row ? ledger_db_u64(db, sql, 0) : 0, set_aside = row ? ledger_db_u64(db, sql, 5) : 0;
    out->state = state_of(file, out, row ? ledger_db_i64(db, sql, 6) : -1, reach, set_aside);
    if (!row) return RC_OK;
    out->converted_bytes = ledger_db_u64(db, sql, 1);
    out->stripes = ledger_db_u64(db, sql, 2);
    out->durable_stripes = ledger_db_u64(db, sql, 3);
    out->outstanding = ledger_db_u64(db, sql, 4);
    out->counts = ledger_db_counts(db, sql, 7);
    if (!set_aside) return RC_OK;
    TRY(ledger_db_first(db, &row, why, SQL_STRIPE_REASON, "uu", file->n, generation));
    if (row) out->set_aside_reason = arena_str(arena, ledger_db_str(db, SQL_STRIPE_REASON, 0));
    return RC_OK;
}

static RC list_one(struct ledger_sqlite *l, uint64_t generation, struct arena *arena, struct ledger_listing *out,
                   struct why *why) {
    struct file_row file;
    ledger_sqlite_file_read(l, SQL_FILE_AFTER, &file);
    *out = (struct ledger_listing){.file = file.id,
                                   .closed = file.closed_end >= 0,
                                   .closed_end = file.closed_end >= 0 ? (uint64_t)file.closed_end : 0,
                                   .gone = file.gone};
    TRY(ledger_sqlite_facts(l, SQL_FILE_AFTER, arena, &out->facts, why));
    return add_figures(l, &file, generation, arena, out, why);
}

static RC list_all(struct ledger_sqlite *l, uint64_t generation, struct id after, size_t max, struct arena *arena,
                   struct ledger_listing *out, size_t *out_n, struct why *why) {
    bool row = false;
    for (; *out_n < max; ++*out_n) {
        TRY(ledger_db_first(l->db, &row, why, SQL_FILE_AFTER, "d", after));
        if (!row) return RC_OK;
        TRY(list_one(l, generation, arena, &out[*out_n], why));
        after = out[*out_n].file;
    }
    return RC_OK;
}

enum rc ledger_sqlite_list(void *self, struct ledger_at at, struct id after, size_t max, struct arena *arena,
                           struct ledger_listing **out, size_t *out_n, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_listing *found = ARENA_ARRAY(arena, struct ledger_listing, max);
    size_t n = 0;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_any(l, false, why));
    TRY(ledger_db_end(l->db, list_all(l, at.generation, after, max, arena, found, &n, why), why));
    *out = found;
    *out_n = n;
    return RC_OK;
}

static RC stripes_of(struct ledger_sqlite *l, uint64_t generation, struct id id, struct arena *arena,
                     struct ledger_stripe_listing **out, size_t *out_n, struct why *why) {
    enum ledger_sql sql = SQL_STRIPES_OF;
    struct file_row file;
    bool more = false;
    size_t room = 0;
    TRY(ledger_sqlite_file_must(l, id, &file, why));
    TRY(ledger_db_first(l->db, &more, why, sql, "uu", file.n, generation));
    for (; more; ++*out_n) {
        if (*out_n == room) {
            struct ledger_stripe_listing *old = *out;
            room = room ? 2 * room : 16;
            *out = ARENA_ARRAY(arena, struct ledger_stripe_listing, room);
            if (old) memcpy(*out, old, *out_n * sizeof *old);
        }
        (*out)[*out_n] = (struct ledger_stripe_listing){.stripe = ledger_db_u64(l->db, sql, 0),
                                                        .at = ledger_db_u64(l->db, sql, 1),
                                                        .counts = ledger_db_counts(l->db, sql, 4),
                                                        .outstanding = ledger_db_u64(l->db, sql, 2),
                                                        .set_aside = !ledger_db_null(l->db, sql, 3),
                                                        .reason = arena_str(arena, ledger_db_str(l->db, sql, 3))};
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

enum rc ledger_sqlite_list_stripes(void *self, struct ledger_at at, struct id file, struct arena *arena,
                                   struct ledger_stripe_listing **out, size_t *out_n, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_stripe_listing *found = NULL;
    size_t n = 0;
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_any(l, false, why));
    TRY(ledger_db_end(l->db, stripes_of(l, at.generation, file, arena, &found, &n, why), why));
    *out = found;
    *out_n = n;
    return RC_OK;
}

/* ---- winners ---- */

static RC ends_of(struct ledger_sqlite *l, const struct file_row *file, struct arena *arena, struct ledger_wons *out,
                  struct why *why) {
    enum ledger_sql sql = SQL_CLOSED_FROM;
    bool more = false;
    out->ends = ARENA_ARRAY(arena, uint64_t, file->ends);
    TRY(ledger_db_first(l->db, &more, why, sql, "uu", file->n, (uint64_t)0));
    while (more && out->ends_len < file->ends) {
        out->ends[out->ends_len++] = ledger_db_u64(l->db, sql, 0);
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC wons_of(struct ledger_sqlite *l, uint64_t generation, struct id id, struct arena *arena,
                  struct ledger_wons *out, struct why *why) {
    struct ledger_stripe_listing *stripes = NULL;
    struct file_row file;
    struct stripe_row row;
    size_t n = 0, room = 0;
    TRY(ledger_sqlite_file_must(l, id, &file, why));
    TRY(ends_of(l, &file, arena, out, why));
    TRY(stripes_of(l, generation, id, arena, &stripes, &n, why));
    for (size_t i = 0; i < n; i++) {
        TRY(ledger_sqlite_stripe_get(l, &file, generation, stripes[i].stripe, &row, why));
        size_t len = row.rules.winners_len;
        if (out->wons_len + len > room) {
            struct ledger_won *old = out->wons;
            room = 2 * room + len;
            out->wons = ARENA_ARRAY(arena, struct ledger_won, room);
            if (old) memcpy(out->wons, old, out->wons_len * sizeof *old);
        }
        rules_list(&row.rules, stripes[i].stripe, row.counts.lines, out->wons + out->wons_len);
        out->wons_len += len;
    }
    return RC_OK;
}

enum rc ledger_sqlite_list_wons(void *self, struct ledger_at at, struct id file, struct arena *arena,
                                struct ledger_wons *out, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_wons found = {0};
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_any(l, false, why));
    TRY(ledger_db_end(l->db, wons_of(l, at.generation, file, arena, &found, why), why));
    *out = found;
    return RC_OK;
}
