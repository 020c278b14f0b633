/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot: a copy of the ledger in the store, so that the recovery of an emptied one is short: it is taken page by
 * page while everybody goes on. DESIGN.md has the argument why it may be loaded all the same.
 *
 * Threads: any number may write; each writes one of its own. Memory: a page, and the stripes of SNAPSHOT_STRIPES or of
 * one file; loading, a page a thread. Fails: RC_STALE: the ledger is at another epoch or shut, nothing complete was
 * written; what store and ledger fail with. */
#ifndef SLUICE_SNAPSHOT_H
#define SLUICE_SNAPSHOT_H

#include "ledger_save.h"
#include "rng.h"
#include "store.h"

/* A question to the ledger is for so many files and stripes, some 25 MB of memory; pages are cut by SAVED_PAGE_BYTES.
 */
enum { SNAPSHOT_FILES = 2000, SNAPSHOT_STRIPES = 32768, SNAPSHOTS_KEPT = 2, SNAPSHOT_LOADERS_MAX = 16 };

struct snapshot_settings {
    struct id queue;
    uint32_t partitions;
    size_t page_files; /* at most so many files a page; 0: SNAPSHOT_FILES */
    size_t page_bytes; /* and about so many bytes; 0: SAVED_PAGE_BYTES */
};

struct snapshot {
    struct str name; /* in the arena */
    struct saved_index index;
};

/* Of all generations up to the handle's that were not removed; then the older ones go but for SNAPSHOTS_KEPT.
 * RC_ABSENT: records are kept once, and their claims are in no snapshot. */
RC snapshot_write(struct store store, struct ledger ledger, const struct snapshot_settings *settings, struct rng *rng,
                  uint64_t *out_files, struct why *why);
/* The newest complete one. RC_ABSENT: there is none. */
RC snapshot_find(struct store store, struct id queue, struct arena *arena, struct snapshot *out, struct why *why);
/* Into a ledger that has no file, by the recoverer whose token it is. `loaders` threads (0 as 1: the caller alone) each
 * take a page at a time, for a bucket's answers take their time, and so does the ledger. RC_STALE: it was removed
 * meanwhile. */
RC snapshot_load(struct store store, struct ledger ledger, struct id token, const struct snapshot *snapshot,
                 unsigned loaders, struct why *why);

#endif
