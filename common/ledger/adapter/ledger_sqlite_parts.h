/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_sqlite_parts: what the files of the SQLite ledger share: the object behind the handle, how a call begins and
 * ends, a file's and a stripe's rows, and the calls that the table of operations names. Threads: under the lock. */
#ifndef SLUICE_LEDGER_SQLITE_PARTS_H
#define SLUICE_LEDGER_SQLITE_PARTS_H

#include "ledger_db.h"
#include "ledger_rules.h"
#include "ledger_save.h"
#include "own.h"

struct ledger_sqlite {
    struct ledger_db *db;
    pthread_mutex_t lock;
    int lock_fd; /* of <path>.lock; -1: none */
    bool reader;
    /* The winners and voids of the stripe that is looked at; kept, so that a bulk call does not allocate. */
    struct rules_winner *winners;
    size_t winners_room;
    struct rules_void *voids;
    size_t voids_room;
};

/* ---- how a call begins and ends ---- */

struct ledger_meta {
    struct id ledger, queue, token;
    uint64_t epoch, target; /* target 0: nobody recovers */
};
RC ledger_sqlite_meta(struct ledger_sqlite *l, struct ledger_meta *out, struct why *why);
/* Begins a transaction for a call at `at`: RC_STALE at another epoch or while somebody recovers; RC_DENIED for a write
 * through a reader. After RC_OK, ledger_db_end(l->db, …) has to follow; on failure nothing is open. */
RC ledger_sqlite_begin(struct ledger_sqlite *l, struct ledger_at at, bool write, struct why *why);
/* The same for a generation that may be forgotten. */
RC ledger_sqlite_begin_epoch(struct ledger_sqlite *l, struct ledger_at at, bool write, struct why *why);
/* RC_DENIED for a forgotten one; inside a transaction. */
RC ledger_sqlite_check_forgotten(struct ledger_sqlite *l, uint64_t generation, struct why *why);
/* The same without a look at the epoch. */
RC ledger_sqlite_begin_any(struct ledger_sqlite *l, bool write, struct why *why);

/* ---- a file's row (ledger_sqlite_identity.c) ---- */

struct file_row {
    bool found;
    uint64_t n; /* its number in this database */
    struct id id;
    uint64_t version, stripe_bytes;
    struct str uri; /* borrowed from the statement */
    uint32_t prefix_len;
    uint64_t prefix_hash;
    int64_t closed_end; /* -1: never closed */
    uint32_t ends;
    bool gone, restored;
    uint64_t inode, volume;
    int64_t birth_ns;
};

RC ledger_sqlite_file(struct ledger_sqlite *l, struct id id, struct file_row *out, struct why *why);
/* RC_ABSENT where there is none. */
RC ledger_sqlite_file_must(struct ledger_sqlite *l, struct id id, struct file_row *out, struct why *why);
void ledger_sqlite_file_read(struct ledger_sqlite *l, enum ledger_sql sql, struct file_row *out);
/* Facts with their strings in the arena; `sql` stands on the file's row. */
RC ledger_sqlite_facts(struct ledger_sqlite *l, enum ledger_sql sql, struct arena *arena, struct facts *out,
                       struct why *why);
/* Adds an incarnation; `facts` was checked. */
RC ledger_sqlite_file_add(struct ledger_sqlite *l, struct id id, const struct facts *facts, uint64_t version,
                          bool restored, struct why *why);
/* The newest under the key of `facts`. */
RC ledger_sqlite_newest(struct ledger_sqlite *l, const struct facts *facts, struct file_row *out, struct why *why);
/* RC_BAD for facts that the ledger cannot hold. */
RC ledger_sqlite_check_facts(struct id id, const struct facts *facts, struct why *why);
/* Notes that `end` is a closed end. */
RC ledger_sqlite_end_add(struct ledger_sqlite *l, const struct file_row *file, uint64_t end, bool gone,
                         struct why *why);

/* Is every stripe that begins before `end` converted up to there, or to its own end? Adds up their counts meanwhile
 * (ledger_sqlite_durability.c). */
RC ledger_sqlite_whole(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, uint64_t end,
                       struct counts *counts, bool *out, struct why *why);

/* ---- a stripe's rows (ledger_sqlite_stripe.c) ---- */

struct stripe_row {
    uint64_t file, generation, stripe;
    struct rules_stripe rules; /* arrays are the ledger's */
    struct counts counts;      /* of all winners */
    uint32_t failures;
    bool set_aside;
    bool found;
    size_t stored_history; /* rows in `history` */
};

RC ledger_sqlite_stripe_get(struct ledger_sqlite *l, const struct file_row *file, uint64_t generation, uint64_t stripe,
                            struct stripe_row *out, struct why *why);
/* Writes the stripe's own row. `reason` is stored when it is set aside. */
RC ledger_sqlite_stripe_put(struct ledger_sqlite *l, const struct stripe_row *row, struct str reason, struct why *why);
RC ledger_sqlite_history_put(struct ledger_sqlite *l, const struct stripe_row *row, const struct rules_winner *winner,
                             struct why *why);
/* Room for one more winner at the end of row->rules.winners. */
struct rules_winner *ledger_sqlite_winner_room(struct ledger_sqlite *l, struct stripe_row *row);

/* ---- claims (ledger_sqlite_claims.c) ---- */

/* Do the attempt's claims agree with those that are stored? */
RC ledger_sqlite_claims_agree(struct ledger_sqlite *l, const struct attempt *attempt, struct str claims, bool *out,
                              struct why *why);
/* Stores them, over what is there. */
RC ledger_sqlite_claims_put(struct ledger_sqlite *l, uint64_t file, const struct attempt *attempt, struct str claims,
                            struct why *why);

/* What a stripe adds to its file's progress. */
struct stripe_share {
    uint64_t reach, tail, bytes, stripes, durable_stripes, outstanding, set_aside;
    struct counts counts;
};
struct stripe_share ledger_sqlite_share(const struct stripe_row *row);
/* Adds what changed from `before` to `after`. */
RC ledger_sqlite_progress(struct ledger_sqlite *l, const struct stripe_row *row, const struct stripe_share *before,
                          struct why *why);

/* ---- the lock file (ledger_sqlite_lock.c) ---- */

/* RC_DENIED: another process is the writer. */
RC ledger_sqlite_lock(const char *path, int *out_fd, struct why *why);
/* Makes an empty ledger beside `path` and moves it there, whole or not at all. */
RC ledger_sqlite_create(const struct id *ledger, const struct id *queue, const char *path, struct why *why);
/* Is there a file to open? RC_ABSENT, or RC_BROKEN for a place where one was. The writer also has the log checked;
 * beside a writer it cannot be, for it changes. */
RC ledger_sqlite_look(const char *path, bool writer, struct why *why);

/* ---- the calls; what they do is told in ledger.h ---- */

enum rc ledger_sqlite_lookup(void *self, struct ledger_at at, const struct ledger_key *keys, size_t n,
                             struct arena *arena, struct ledger_file *out, struct why *why);
enum rc ledger_sqlite_enroll(void *self, struct ledger_at at, const struct ledger_enroll *asks, size_t n, enum rc *out,
                             struct why *why);
enum rc ledger_sqlite_amend(void *self, struct ledger_at at, const struct ledger_amend *asks, size_t n, enum rc *out,
                            struct why *why);
enum rc ledger_sqlite_close_files(void *self, struct ledger_at at, const struct ledger_close *asks, size_t n,
                                  enum rc *out, struct why *why);
enum rc ledger_sqlite_checkpoints(void *self, struct ledger_at at, const struct ledger_stripe *asks, size_t n,
                                  struct arena *arena, struct ledger_checkpoint *out, struct why *why);
enum rc ledger_sqlite_advance(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                              const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                              struct why *why);
enum rc ledger_sqlite_verdicts(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                               struct ledger_verdict *out, struct why *why);
enum rc ledger_sqlite_voids(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                            struct ledger_verdict *out, struct why *why);
enum rc ledger_sqlite_claims(void *self, struct ledger_at at, const struct id *keys, size_t n, struct ledger_claim *out,
                             struct why *why);
enum rc ledger_sqlite_job_failed(void *self, struct ledger_at at, struct ledger_stripe stripe, struct str reason,
                                 uint32_t attempts_max, uint32_t *out_failures, struct why *why);
enum rc ledger_sqlite_durable(void *self, struct ledger_at at, struct ledger_batch batch,
                              const struct ledger_durable *adds, size_t n, struct why *why);
enum rc ledger_sqlite_durable_next(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_index,
                                   struct why *why);
enum rc ledger_sqlite_acknowledged(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_end,
                                   struct why *why);
enum rc ledger_sqlite_due(void *self, struct ledger_at at, size_t max, struct arena *arena, struct ledger_due **out,
                          size_t *out_n, struct why *why);
enum rc ledger_sqlite_receipted(void *self, struct ledger_at at, const struct ledger_close *files, size_t n,
                                struct why *why);
enum rc ledger_sqlite_list(void *self, struct ledger_at at, struct id after, size_t max, struct arena *arena,
                           struct ledger_listing **out, size_t *out_n, struct why *why);
enum rc ledger_sqlite_list_stripes(void *self, struct ledger_at at, struct id file, struct arena *arena,
                                   struct ledger_stripe_listing **out, size_t *out_n, struct why *why);
enum rc ledger_sqlite_generations(void *self, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                                  struct why *why);
enum rc ledger_sqlite_forget(void *self, struct ledger_at at, size_t max, struct id *after, bool *out_done,
                             struct why *why);
/* RC_STALE unless `token` is the recoverer's; begins a transaction. */
RC ledger_sqlite_begin_owned(struct ledger_sqlite *l, struct id token, struct ledger_meta *out, struct why *why);
enum rc ledger_sqlite_list_wons(void *self, struct ledger_at at, struct id file, struct arena *arena,
                                struct ledger_wons *out, struct why *why);
enum rc ledger_sqlite_recover_begin(void *self, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                                    struct why *why);
enum rc ledger_sqlite_recover_next(void *self, struct id token, uint64_t generation, uint32_t partition,
                                   uint64_t *out_index, struct why *why);
enum rc ledger_sqlite_recover_winners(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                                      struct why *why);
enum rc ledger_sqlite_recover_reset_durable(void *self, struct id token, uint64_t generation, struct why *why);
enum rc ledger_sqlite_save_files(void *self, struct ledger_at at, struct ledger_save_ask ask, struct arena *arena,
                                 struct saved_file **out, size_t *out_n, struct why *why);
enum rc ledger_sqlite_recover_files(void *self, struct id token, uint64_t generation, const struct saved_file *files,
                                    size_t n, struct why *why);
enum rc ledger_sqlite_recover_counters(void *self, struct id token, const struct saved_counter *counters, size_t n,
                                       struct why *why);
enum rc ledger_sqlite_recover_end(void *self, struct id token, uint64_t *out_epoch, struct why *why);

#endif
