/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_call: one call of the port on its way: rows that it is about, as they are in Redis and as the call wants
 * them, and how they get there and back. A body says what rows it needs, loads them, decides, marks what changed;
 * redis_call_run() stores that if nobody was faster, and else runs the body again on what is there now.
 *
 * Threads: one at a time. Memory: an arena that lives as long as the call. Fails: RC_BUSY when others were faster
 * REDIS_TRIES_MAX times. */
#ifndef SLUICE_LEDGER_REDIS_CALL_H
#define SLUICE_LEDGER_REDIS_CALL_H

#include "ledger_redis_link.h"
#include "ledger_redis_ops.h"
#include "ledger_redis_pack.h"

enum { REDIS_TRIES_MAX = 64, REDIS_ELEMENTS_A_SCRIPT = 1000, REDIS_STRIPES_A_HASH = 64, REDIS_GENERATIONS_MAX = 1024 };

struct ledger_redis {
    struct redis_link *link;
};

/* What a call adds to a file's progress. */
struct redis_gain {
    uint64_t reach, tail;
    int64_t outstanding, set_aside;
};

enum row_kind { ROW_FILE, ROW_STRIPE, ROW_INDEX, ROW_PROGRESS, ROW_CLAIM };

/* A hash of claims stays a block of memory up to hash-max-listpack-entries (128): so up to two million keys. */
enum { REDIS_CLAIM_HASHES = 16384 };

/* What a stripe adds to its file's progress. */
struct redis_share {
    uint64_t outstanding, set_aside;
};

static inline struct redis_share redis_share_of(const struct redis_stripe *s) {
    return (struct redis_share){rules_outstanding(&s->rules), s->set_aside};
}

struct row {
    enum row_kind kind;
    struct str name;             /* kind and key, unique among the rows of the call */
    struct row *same, *next;     /* in the table; in order of asking */
    bool loaded, dirty, touched; /* touched: a decision depends on it */
    struct str was;              /* what Redis has: the row of a file, stripe or index */
    struct id file;
    uint64_t stripe, generation;
    struct redis_file f;
    struct redis_stripe s;
    struct redis_share before;
    struct redis_gain *gain; /* file: what its stripes add to its progress */
    struct id *ids;          /* index: oldest version first */
    size_t ids_len;
    struct claim_place place;        /* claim: now */
    bool placed;                     /* claim: there is one */
    struct redis_progress *progress; /* of the generations that the ledger had when it was loaded */
    size_t progress_len;
};

struct redis_call {
    struct ledger_redis *l;
    struct ledger_at at;
    bool gated; /* only at the epoch of `at` */
    struct arena arena;
    struct row **table;
    size_t table_len, rows_len;
    struct row *first, **last;
    bool forgets; /* it may be of a forgotten generation */
    uint64_t *generations;
    bool *forgotten;                            /* [i]: generations[i] is */
    size_t generations_len, generations_stored; /* the call may add to what is stored */
    struct str generations_was;
    bool generations_touched;
    bool overtaken; /* what was loaded is not of one moment: begin again */
    struct redis_ops compares, writes;
};

typedef enum rc (*redis_body)(struct redis_call *call, void *context, struct why *why);
/* `gated`: RC_STALE unless the ledger is open at at.epoch on this server. */
RC redis_call_run(struct ledger_redis *l, struct ledger_at at, bool gated, redis_body body, void *context,
                  struct why *why);

/* ---- rows ---- */

void redis_want_file(struct redis_call *call, struct id file);
void redis_want_stripe(struct redis_call *call, struct id file, uint64_t stripe);
void redis_want_key(struct redis_call *call, const struct facts *key); /* and what it names last, with its progress */
void redis_want_progress(struct redis_call *call, struct id file);
void redis_want_claim(struct redis_call *call, struct id key);
/* Loads all that is wanted and not there yet. */
RC redis_load(struct redis_call *call, struct why *why);

/* Rows that were loaded; a stripe's file too. */
struct row *redis_file(struct redis_call *call, struct id file);
RC redis_stripe(struct redis_call *call, struct id file, uint64_t stripe, struct row **out, struct why *why);
struct row *redis_index(struct redis_call *call, const struct facts *key);
struct row *redis_progress(struct redis_call *call, struct id file);
/* The same, and no decision depends on it. */
struct row *redis_file_row(struct redis_call *call, struct id file);
struct row *redis_progress_row(struct redis_call *call, struct id file);
RC redis_claim(struct redis_call *call, struct id key, struct row **out, struct why *why);
/* Of the call's generation; zeros where there is none. */
struct redis_progress *redis_progress_mine(struct redis_call *call, struct id file);
/* An id under a key whose index entry was not loaded. */
void redis_index_note(struct redis_call *call, const struct facts *key, struct id id);
/* Room for one more winner, one more void, one more id. */
struct rules_winner *redis_winner_room(struct redis_call *call, struct row *row);
void redis_void_add(struct redis_call *call, struct row *row, struct rules_void add);
void redis_index_add(struct redis_call *call, struct row *row, struct id id);
uint64_t redis_closed_end(const struct redis_file *file, bool *out_closed);

/* Writes a claim over what is there. */
void redis_claim_write(struct redis_call *call, uint64_t generation, struct id key, const struct claim_place *place);

/* ---- writes that are no rows ---- */

/* The key comes first. */
void redis_write(struct redis_call *call, const char *op, const struct str *args, size_t n);
#define REDIS_WRITE(call, op, ...)                                                                                     \
    redis_write(call, op, (const struct str[]){__VA_ARGS__},                                                           \
                sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
void redis_compare(struct redis_call *call, struct str key, struct str field, bool whole, struct str what);
/* The generation is in the list before anything of it is stored. */
void redis_use_generation(struct redis_call *call, uint64_t generation);
void redis_work_add(struct redis_call *call, struct id file);

/* Stores all that is dirty and written; *out_done: false when something had changed meanwhile. */
RC redis_store(struct redis_call *call, bool *out_done, struct why *why);

/* ---- names ---- */

/* "{pipeline}:" and the rest, in the arena. */
struct str redis_key(struct redis_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str redis_file_key(struct redis_call *call, struct id file);
struct str redis_index_key(struct redis_call *call, struct str field);
struct str redis_progress_key(struct redis_call *call, struct id file, uint64_t generation);
/* "{pipeline}:<letter>:<generation>:<id>" and what follows */
struct str redis_named(struct redis_call *call, char letter, uint64_t generation, struct id file, const char *behind);
struct str redis_stripe_key(struct redis_call *call, uint64_t generation, struct id file, uint64_t stripe);
struct str redis_stripe_field(struct redis_call *call, uint64_t stripe);
struct str redis_rest_key(struct redis_call *call, uint64_t generation, struct id file, uint64_t stripe);
/* One of the REDIS_CLAIM_HASHES; and that of a claim, whose field is the rest of the key from the second byte on. */
struct str redis_claims_key(struct redis_call *call, uint64_t generation, int hash);
struct str redis_claim_key(struct redis_call *call, uint64_t generation, struct id key);
/* The bytes of an id from `from` on, in the arena. */
struct str redis_copy_id(struct redis_call *call, struct id id, size_t from);
struct str redis_number(struct redis_call *call, uint64_t n);
static inline struct str redis_id_str(const struct id *id) { return (struct str){(const char *)id->bytes, ID_BYTES}; }

/* Runs load scripts and gives the answers; [0] of each is the list of generations. For redis_replies_free. */
/* A script's requests begin with the prefix and the generation that they are about; 0: none. */
void redis_ask_begin(struct redis_call *call, struct redis_args *args, uint64_t generation);
RC redis_ask(struct redis_call *call, struct redis_args *requests, size_t scripts, redisReply **out, struct why *why);
/* Everything of a file in one generation, from the answer to a 'd' request. */
struct redis_whole {
    struct redis_file file;
    struct redis_progress progress;
    struct str progress_was, batches;
    struct row *stripes; /* ascending */
    size_t stripes_len;
};
RC redis_whole_read(struct redis_call *call, const redisReply *answer, struct id file, uint64_t generation,
                    uint64_t epoch, struct redis_whole *out, struct why *why);
/* Asks for several. */
RC redis_whole_load(struct redis_call *call, const struct id *files, size_t n, uint64_t generation, uint64_t epoch,
                    struct redis_whole *out, struct why *why);
/* Is every stripe that begins before `end` converted up to there, or to its own end? Adds up their counts meanwhile. */
bool redis_whole_until(const struct redis_whole *whole, uint64_t end, struct counts *counts);
/* Up to `max` ids of files behind `after`, ascending; none: there are no more. */
RC redis_ids_after(struct redis_call *call, struct id after, size_t max, struct id **out, size_t *out_n,
                   struct why *why);
/* Writes a stripe of a whole file. */
void redis_stripe_write(struct redis_call *call, struct row *row, uint64_t generation, uint64_t epoch);

#endif
