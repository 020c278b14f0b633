/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_sqlite: the ledger of one machine, in one SQLite file (write-ahead log, synchronous=FULL: a call that answered
 * RC_OK has been synced).
 *
 * Files: <path>, <path>-wal and <path>-shm while it is open, <path>.lock, which the one writer holds locked and which
 * names its process. Any number of readers may look beside the writer, or without one.
 * A file that is empty, foreign or damaged is never written to: RC_BROKEN says what is wrong.
 * Size: about 270 bytes a file (with a uri of 50 bytes, its two indices, its progress and one closed end), 100 a
 * stripe, 90 more for each winner that is not all durable yet, 14 for each batch that a file has a part in,
 * 37 for each record that is kept once. Threads: a
 * handle by any number; calls take turns. Memory: about 10 MiB, whatever the number of files. Fails: ledger.h;
 * RC_DENIED "in use by process N", no permission, made by a newer sluice. */
#ifndef SLUICE_LEDGER_SQLITE_H
#define SLUICE_LEDGER_SQLITE_H

#include "ledger.h"

struct ledger_sqlite_settings {
    const char *path; /* ":memory:": gone with the handle */
    uint64_t generation;
    bool create;             /* make it where no file is; else RC_ABSENT there */
    struct id ledger, queue; /* who a new ledger is */
};

/* Opens for writing; *out carries the ledger's epoch and the settings' generation. */
RC ledger_sqlite_open(const struct ledger_sqlite_settings *settings, struct ledger *out, struct why *why);
/* Opens for looking: identity, lookup, checkpoints, verdicts, durable_next, acknowledged, list, list_stripes; anything
 * else is RC_DENIED. RC_ABSENT: no such file. */
RC ledger_sqlite_open_reader(const char *path, uint64_t generation, struct ledger *out, struct why *why);

/* The whole content of a ":memory:" ledger as bytes (free() them), and back to it: how a simulation sets a ledger back.
 * The handle's epoch is not changed by loading: read the identity. */
RC ledger_sqlite_save(struct ledger ledger, void **out, size_t *out_len, struct why *why);
RC ledger_sqlite_load(struct ledger ledger, const void *bytes, size_t len, struct why *why);

#endif
