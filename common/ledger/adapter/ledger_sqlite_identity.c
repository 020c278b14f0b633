/* SPDX-License-Identifier: Apache-2.0 */
/* Who a file is: looking up, enrolling, amending, closing. */
#include "ledger_sqlite_parts.h"

#include "alloc.h"

#include <inttypes.h>

/* ---- rows ---- */

void ledger_sqlite_file_read(struct ledger_sqlite *l, enum ledger_sql sql, struct file_row *out) {
    struct ledger_db *db = l->db;
    *out = (struct file_row){.found = true,
                             .n = ledger_db_u64(db, sql, 0),
                             .id = ledger_db_id(db, sql, 1),
                             .version = ledger_db_u64(db, sql, 2),
                             .uri = ledger_db_str(db, sql, 3),
                             .stripe_bytes = ledger_db_u64(db, sql, 4),
                             .prefix_len = (uint32_t)ledger_db_u64(db, sql, 5),
                             .prefix_hash = ledger_db_u64(db, sql, 6),
                             .closed_end = ledger_db_i64(db, sql, 7),
                             .ends = (uint32_t)ledger_db_u64(db, sql, 8),
                             .gone = ledger_db_u64(db, sql, 9) != 0,
                             .restored = ledger_db_u64(db, sql, 10) != 0,
                             .inode = ledger_db_u64(db, sql, 11),
                             .birth_ns = ledger_db_i64(db, sql, 12),
                             .volume = ledger_db_u64(db, sql, 13)};
}

static RC read_first(struct ledger_sqlite *l, bool row, enum ledger_sql sql, struct file_row *out, struct why *why) {
    *out = (struct file_row){0};
    if (!row) return RC_OK;
    ledger_sqlite_file_read(l, sql, out);
    if (out->stripe_bytes == 0 || out->stripe_bytes > INT64_MAX)
        return why_set(why, RC_BROKEN, "the ledger is damaged: a file has stripes of %" PRIu64 " bytes",
                       out->stripe_bytes);
    return RC_OK;
}

RC ledger_sqlite_file(struct ledger_sqlite *l, struct id id, struct file_row *out, struct why *why) {
    bool row = false;
    TRY(ledger_db_first(l->db, &row, why, SQL_FILE_BY_ID, "d", id));
    return read_first(l, row, SQL_FILE_BY_ID, out, why);
}

RC ledger_sqlite_file_must(struct ledger_sqlite *l, struct id id, struct file_row *out, struct why *why) {
    char name[ID_TEXT];
    TRY(ledger_sqlite_file(l, id, out, why));
    return out->found ? RC_OK : why_set(why, RC_ABSENT, "the ledger does not know file %s", id_format(id, name));
}

static RC by_key(struct ledger_sqlite *l, const struct ledger_key *key, struct file_row *out, struct why *why) {
    bool row = false;
    TRY(ledger_db_first(l->db, &row, why, SQL_FILE_BY_KEY, "suiu", key->source, key->inode, key->birth_ns,
                        key->volume));
    return read_first(l, row, SQL_FILE_BY_KEY, out, why);
}

RC ledger_sqlite_newest(struct ledger_sqlite *l, const struct facts *facts, struct file_row *out, struct why *why) {
    struct ledger_key key = {facts->source, facts->inode, facts->birth_ns, facts->volume};
    return by_key(l, &key, out, why);
}

RC ledger_sqlite_facts(struct ledger_sqlite *l, enum ledger_sql sql, struct arena *arena, struct facts *out,
                       struct why *why) {
    struct file_row file;
    bool row = false;
    ledger_sqlite_file_read(l, sql, &file);
    *out = (struct facts){.uri = arena_str(arena, file.uri),
                          .inode = file.inode,
                          .birth_ns = file.birth_ns,
                          .volume = file.volume,
                          .prefix_len = file.prefix_len,
                          .prefix_hash = file.prefix_hash,
                          .stripe_bytes = file.stripe_bytes};
    TRY(ledger_db_first(l->db, &row, why, SQL_SOURCE_NAME, "u", ledger_db_u64(l->db, sql, 14)));
    if (!row) return why_set(why, RC_BROKEN, "the ledger is damaged: a file has no source");
    out->source = arena_str(arena, ledger_db_str(l->db, SQL_SOURCE_NAME, 0));
    return RC_OK;
}

static RC source_number(struct ledger_sqlite *l, struct str name, uint64_t *out, struct why *why) {
    enum ledger_sql sql = SQL_SOURCE_GET;
    bool row = false;
    TRY(ledger_db_first(l->db, &row, why, sql, "s", name));
    if (!row) {
        sql = SQL_SOURCE_PUT;
        TRY(ledger_db_first(l->db, &row, why, sql, "s", name));
    }
    *out = ledger_db_u64(l->db, sql, 0);
    return RC_OK;
}

RC ledger_sqlite_check_facts(struct id id, const struct facts *facts, struct why *why) {
    char name[ID_TEXT];
    const char *wrong = NULL;
    if (id_is_none(id))
        wrong = "it has no id";
    else if (facts->source.len > LEDGER_TEXT_MAX || facts->uri.len > LEDGER_TEXT_MAX)
        wrong = "its name is too long";
    else if (facts->stripe_bytes == 0 || facts->stripe_bytes > INT64_MAX)
        wrong = "its stripes have no size";
    return wrong ? why_set(why, RC_BAD, "file %s cannot be: %s", id_format(id, name), wrong) : RC_OK;
}

RC ledger_sqlite_file_add(struct ledger_sqlite *l, struct id id, const struct facts *facts, uint64_t version,
                          bool restored, struct why *why) {
    uint64_t source = 0;
    TRY(source_number(l, facts->source, &source, why));
    return ledger_db_run(l->db, why, SQL_FILE_PUT, "duuiuusuuuu", id, source, facts->inode, facts->birth_ns,
                         facts->volume, version, facts->uri, (uint64_t)facts->prefix_len, facts->prefix_hash,
                         facts->stripe_bytes, (uint64_t)restored);
}

/* ---- lookup ---- */

/* Reach, its tail and the receipt: of the generation, else the farthest of any. */
static RC add_progress(struct ledger_sqlite *l, uint64_t generation, const struct file_row *row,
                       struct ledger_file *out, struct why *why) {
    bool more = false;
    enum ledger_sql sql = SQL_PROGRESS_OF;
    TRY(ledger_db_first(l->db, &more, why, sql, "u", row->n));
    for (bool mine = false; more && !mine;) {
        mine = ledger_db_u64(l->db, sql, 0) == generation;
        uint64_t reach = ledger_db_u64(l->db, sql, 1);
        if (mine && out->closed) out->receipted = ledger_db_i64(l->db, sql, 3) >= row->closed_end;
        if (reach > 0 && (mine || reach > out->reach)) {
            out->reach = reach;
            out->tail_hash = ledger_db_u64(l->db, sql, 2);
        } else if (mine && reach == 0)
            mine = false; /* a row, but nothing converted yet: others tell more */
        TRY(ledger_db_next(l->db, &more, why, sql));
    }
    return RC_OK;
}

static RC look_up(struct ledger_sqlite *l, uint64_t generation, const struct ledger_key *key, struct arena *arena,
                  struct ledger_file *out, struct why *why) {
    struct file_row row;
    TRY(by_key(l, key, &row, why));
    *out = (struct ledger_file){.found = row.found};
    if (!row.found) return RC_OK;
    out->id = row.id;
    out->version = row.version;
    out->uri = arena_str(arena, row.uri);
    out->stripe_bytes = row.stripe_bytes;
    out->prefix_len = row.prefix_len;
    out->prefix_hash = row.prefix_hash;
    out->closed = row.closed_end >= 0;
    out->closed_end = out->closed ? (uint64_t)row.closed_end : 0;
    out->gone = row.gone;
    return add_progress(l, generation, &row, out, why);
}

enum rc ledger_sqlite_lookup(void *self, struct ledger_at at, const struct ledger_key *keys, size_t n,
                             struct arena *arena, struct ledger_file *out, struct why *why) {
    struct ledger_sqlite *l = self;
    AUTO(own_free) struct ledger_file *answers = alloc_zero(n, sizeof *answers);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, false, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = look_up(l, at.generation, &keys[i], arena, &answers[i], why);
    TRY(ledger_db_end(l->db, rc, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- a call over an array ---- */

/* Decides one of the asks: *out for it alone, a return for all of them. */
typedef enum rc (*decide_one)(struct ledger_sqlite *l, uint64_t generation, const void *ask, enum rc *out,
                              struct why *why);

/* `asks` are n of `bytes` each, decided in order, in one transaction. */
static RC decide_all(struct ledger_sqlite *l, struct ledger_at at, decide_one one, const void *asks, size_t bytes,
                     size_t n, enum rc *out, struct why *why) {
    AUTO(own_free) enum rc *answers = alloc_zero(n, sizeof *answers);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin(l, at, true, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = one(l, at.generation, (const char *)asks + i * bytes, &answers[i], why);
    TRY(ledger_db_end(l->db, rc, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- close ---- */

RC ledger_sqlite_end_add(struct ledger_sqlite *l, const struct file_row *file, uint64_t end, bool gone,
                         struct why *why) {
    enum ledger_sql sql = SQL_CLOSED_COUNT;
    bool row = false;
    TRY(ledger_db_run(l->db, why, SQL_CLOSED_PUT, "uu", file->n, end));
    TRY(ledger_db_first(l->db, &row, why, sql, "u", file->n));
    return ledger_db_run(l->db, why, SQL_FILE_CLOSE, "iuuu", ledger_db_i64(l->db, sql, 1), ledger_db_u64(l->db, sql, 0),
                         (uint64_t)gone, file->n);
}

/* The largest checkpoint of any stripe and generation. */
static RC reach_of(struct ledger_sqlite *l, const struct file_row *file, uint64_t *out, struct why *why) {
    bool row = false;
    TRY(ledger_db_first(l->db, &row, why, SQL_PROGRESS_REACH, "u", file->n));
    *out = ledger_db_u64(l->db, SQL_PROGRESS_REACH, 0);
    return RC_OK;
}

static enum rc close_one(struct ledger_sqlite *l, uint64_t generation, const void *one, enum rc *out, struct why *why) {
    const struct ledger_close *ask = one;
    struct file_row file;
    uint64_t reach = 0;
    if (ask->end > INT64_MAX) return why_set(why, RC_BAD, "a file cannot end at %" PRIu64, ask->end);
    TRY(ledger_sqlite_file(l, ask->file, &file, why));
    *out = RC_ABSENT;
    if (!file.found) return RC_OK;
    TRY(reach_of(l, &file, &reach, why));
    bool again = file.closed_end == (int64_t)ask->end;
    *out = RC_STALE;
    if (!again && ((int64_t)ask->end < file.closed_end || ask->end < reach)) return RC_OK;
    *out = RC_OK;
    if (!again || (ask->gone && !file.gone))
        TRY(ledger_sqlite_end_add(l, &file, ask->end, file.gone || ask->gone, why));
    return ledger_db_run(l->db, why, SQL_WORK_PUT, "uu", generation, file.n);
}

enum rc ledger_sqlite_close_files(void *self, struct ledger_at at, const struct ledger_close *asks, size_t n,
                                  enum rc *out, struct why *why) {
    return decide_all(self, at, close_one, asks, sizeof *asks, n, out, why);
}

/* ---- enroll ---- */

/* Nobody saw where it ended; see rules_gone_end(). */
static RC close_as_gone(struct ledger_sqlite *l, uint64_t generation, const struct file_row *file, struct why *why) {
    struct rules_gone gone = {.closed_end = file->closed_end};
    struct counts counts = {0};
    bool row = false;
    uint64_t end = 0;
    TRY(reach_of(l, file, &gone.reach_of_any, why));
    TRY(ledger_db_first(l->db, &row, why, SQL_PROGRESS_GET, "uu", file->n, generation));
    gone.reach = row ? ledger_db_u64(l->db, SQL_PROGRESS_GET, 0) : 0;
    if (gone.reach) TRY(ledger_sqlite_whole(l, file, generation, gone.reach, &counts, &gone.whole, why));
    if (rules_gone_end(&gone, &end))
        TRY(ledger_sqlite_end_add(l, file, end, true, why));
    else
        TRY(ledger_db_run(l->db, why, SQL_FILE_CLOSE, "iuuu", file->closed_end, (uint64_t)file->ends, (uint64_t)1,
                          file->n));
    return ledger_db_run(l->db, why, SQL_WORK_PUT, "uu", generation, file->n);
}

/* The caller refused the newest incarnation. One that a recovery restored, if any is left, is the next to be looked at;
 * *out_next: there is one. */
static RC offer_restored(struct ledger_sqlite *l, const struct file_row *refused, bool *out_next, struct why *why) {
    TRY(ledger_db_first(l->db, out_next, why, SQL_RESTORED_NEXT, "u", refused->n));
    if (refused->restored)
        TRY(ledger_db_run(l->db, why, SQL_FILE_VERSION, "uuu", refused->version, (uint64_t)0, refused->n));
    if (!*out_next) return RC_OK;
    uint64_t next = ledger_db_u64(l->db, SQL_RESTORED_NEXT, 0);
    return ledger_db_run(l->db, why, SQL_FILE_VERSION, "uuu", refused->version + 1, (uint64_t)1, next);
}

static RC enroll_again(const struct facts *facts, struct str source, const struct file_row *known, enum rc *out,
                       struct why *why) {
    char name[ID_TEXT];
    bool same = facts->inode == known->inode && facts->birth_ns == known->birth_ns && facts->volume == known->volume &&
                facts->stripe_bytes == known->stripe_bytes && str_equal(source, facts->source);
    if (!same) *out = why_set(why, RC_BAD, "file %s is known under another key", id_format(known->id, name));
    return RC_OK;
}

static enum rc enroll_one(struct ledger_sqlite *l, uint64_t generation, const void *one, enum rc *out,
                          struct why *why) {
    const struct ledger_enroll *ask = one;
    struct file_row known, newest;
    bool next = false, row = false;
    *out = RC_OK;
    TRY(ledger_sqlite_check_facts(ask->id, &ask->facts, why));
    TRY(ledger_sqlite_file(l, ask->id, &known, why));
    if (known.found) {
        TRY(ledger_db_first(l->db, &row, why, SQL_SOURCE_NAME, "u", ledger_db_u64(l->db, SQL_FILE_BY_ID, 14)));
        struct str source = row ? ledger_db_str(l->db, SQL_SOURCE_NAME, 0) : STR("");
        return enroll_again(&ask->facts, source, &known, out, why);
    }
    TRY(ledger_sqlite_newest(l, &ask->facts, &newest, why));
    *out = RC_STALE;
    if (newest.version != ask->seen_version) return RC_OK; /* 0 where none is found */
    if (newest.found) {
        TRY(offer_restored(l, &newest, &next, why));
        if (!newest.gone) TRY(close_as_gone(l, generation, &newest, why));
        if (next) return RC_OK;
    }
    *out = RC_OK;
    return ledger_sqlite_file_add(l, ask->id, &ask->facts, newest.version + 1, false, why);
}

enum rc ledger_sqlite_enroll(void *self, struct ledger_at at, const struct ledger_enroll *asks, size_t n, enum rc *out,
                             struct why *why) {
    return decide_all(self, at, enroll_one, asks, sizeof *asks, n, out, why);
}

/* ---- amend ---- */

static bool is_stored(const struct ledger_amend *ask, const struct file_row *file) {
    return ask->prefix_len == file->prefix_len && ask->prefix_hash == file->prefix_hash &&
           str_equal(ask->uri, file->uri);
}

static enum rc amend_one(struct ledger_sqlite *l, uint64_t generation, const void *one, enum rc *out, struct why *why) {
    const struct ledger_amend *ask = one;
    (void)generation; /* an identity is of all */
    struct file_row file;
    bool row = false;
    if (ask->uri.len > LEDGER_TEXT_MAX)
        return why_set(why, RC_BAD, "a uri is longer than %d bytes", (int)LEDGER_TEXT_MAX);
    TRY(ledger_sqlite_file(l, ask->file, &file, why));
    *out = RC_ABSENT;
    if (!file.found) return RC_OK;
    *out = RC_OK;
    if (is_stored(ask, &file)) return RC_OK;
    *out = RC_BAD;
    if (ask->prefix_len < file.prefix_len) return RC_OK;
    if (ask->prefix_len == file.prefix_len && ask->prefix_hash != file.prefix_hash) return RC_OK;
    *out = RC_STALE;
    TRY(ledger_db_first(l->db, &row, why, SQL_FILE_NEWER, "u", file.n));
    if (row || file.version != ask->seen_version) return RC_OK;
    *out = RC_OK;
    return ledger_db_run(l->db, why, SQL_FILE_AMEND, "usuuu", file.version + 1, ask->uri, (uint64_t)ask->prefix_len,
                         ask->prefix_hash, file.n);
}

enum rc ledger_sqlite_amend(void *self, struct ledger_at at, const struct ledger_amend *asks, size_t n, enum rc *out,
                            struct why *why) {
    return decide_all(self, at, amend_one, asks, sizeof *asks, n, out, why);
}
