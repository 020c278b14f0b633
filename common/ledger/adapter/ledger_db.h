/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_db: the database handle under the SQLite ledger: opening, transactions, cached statements, and SQLite's
 * outcomes as ours. No other file of the ledger sees SQLite.
 *
 * Threads: one at a time (the ledger holds its lock). Memory: SQLite's page cache, LEDGER_DB_CACHE_KIB. Fails: RC_LIMIT
 * (disk full), RC_BROKEN (damaged or an I/O error), RC_DENIED (permissions), RC_BUSY. */
#ifndef SLUICE_LEDGER_DB_H
#define SLUICE_LEDGER_DB_H

#include "arena.h"
#include "counts.h"
#include "id.h"
#include "ledger_schema.h"

enum {
    LEDGER_DB_CACHE_KIB = 4 * 1024, /* holds the upper levels of every index of millions of files; leaves are random */
    LEDGER_DB_WAL_BYTES = 16 * 1048576 /* what stays of a log that a large transaction made longer */
};

struct ledger_db;

enum ledger_db_mode {
    LEDGER_DB_MEMORY,
    LEDGER_DB_CREATE, /* a file that is not there */
    LEDGER_DB_WRITE,  /* a ledger that is there */
    LEDGER_DB_READ    /* the same, for looking only: works beside a writer */
};

/* Opens and checks that it is a ledger of this version; a file that is none, or is damaged, stays as it is. */
RC ledger_db_open(const char *path, enum ledger_db_mode mode, struct ledger_db **out, struct why *why);
void ledger_db_free(struct ledger_db *db);
/* Runs a script of statements that give no rows. */
RC ledger_db_script(struct ledger_db *db, const char *script, struct why *why);

RC ledger_db_begin(struct ledger_db *db, bool write, struct why *why);
/* Ends the transaction: commits after RC_OK, else rolls back; gives `rc` back, or how the commit failed. */
RC ledger_db_end(struct ledger_db *db, enum rc rc, struct why *why);

/* Runs a statement from its start, with arguments by `types`: u uint64_t, i int64_t, d struct id, s struct str,
 * n nothing (NULL), c const struct counts * (six arguments). *out_row: a row is there to be read, until the same
 * statement is run again or the transaction ends. */
RC ledger_db_first(struct ledger_db *db, bool *out_row, struct why *why, enum ledger_sql sql, const char *types, ...);
RC ledger_db_next(struct ledger_db *db, bool *out_row, struct why *why, enum ledger_sql sql);
/* The same for a statement whose rows do not matter. */
RC ledger_db_run(struct ledger_db *db, struct why *why, enum ledger_sql sql, const char *types, ...);

uint64_t ledger_db_u64(struct ledger_db *db, enum ledger_sql sql, int column);
int64_t ledger_db_i64(struct ledger_db *db, enum ledger_sql sql, int column);
bool ledger_db_null(struct ledger_db *db, enum ledger_sql sql, int column);
/* Zero where the column holds no id. */
struct id ledger_db_id(struct ledger_db *db, enum ledger_sql sql, int column);
/* Borrowed until the statement moves. */
struct str ledger_db_str(struct ledger_db *db, enum ledger_sql sql, int column);
/* Six columns from `column` on. */
struct counts ledger_db_counts(struct ledger_db *db, enum ledger_sql sql, int column);

/* All bytes of a database in memory, and back: a simulation's rollback. free() *out. */
RC ledger_db_save(struct ledger_db *db, void **out, size_t *out_len, struct why *why);
RC ledger_db_load(struct ledger_db *db, const void *bytes, size_t len, struct why *why);

#endif
