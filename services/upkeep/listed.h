/* SPDX-License-Identifier: Apache-2.0 */
/* listed: what the manifests of one generation say: which objects are listed, and how far each queue partition is
 * manifested. From these two alone follows what an object without a manifest is (DESIGN.md, "Orphans").
 *
 * Kept between two readings, only what is new is read. Memory: 8 bytes an object (a hash of its key) for a window of
 * hashes; where there are more than `max` in it the window is halved, and whoever asks has to come back for the rest.
 * On top: one manifest decoded. Threads: one at a time. Fails: with what the store fails with; RC_BROKEN. */
#ifndef SLUICE_LISTED_H
#define SLUICE_LISTED_H

#include "manifest.h"
#include "upkeep.h"

struct listed_chain {
    uint32_t partition;
    uint64_t next; /* manifests below this index were read */
    uint64_t end;  /* every message below it is in a manifested batch, without a hole */
    bool hole;     /* a manifest does not begin where the one before ended: .end stays there for good */
};

/* Sums over all manifests that were read. */
struct listed_figures {
    uint64_t batches;
    struct upkeep_tally objects, rejects; /* objects of records, and of rejects */
    uint64_t records, reject_lines;
    bool has_time;
    int64_t time_min_ns, time_max_ns; /* of the records that have one */
};

struct listed {
    size_t max;         /* hashes at once */
    uint64_t low, high; /* the window, both included */
    uint64_t *hashes;   /* ascending */
    size_t len, room, sorted;
    struct listed_chain *chains;
    size_t chains_len, chains_room;
    struct listed_figures figures;
};

enum { LISTED_MAX = 1024 * 1024 };
enum listed_answer {
    LISTED_YES,
    LISTED_PROGRESS, /* not listed, and it may be yet */
    LISTED_ORPHAN,   /* not listed, and nobody can ever list it */
    LISTED_OUTSIDE,  /* of the window: not known */
};

void listed_init(struct listed *listed, size_t max, uint64_t low);
void listed_done(struct listed *listed);
/* Reads the manifests that were not read yet. */
RC listed_read(struct listed *listed, const struct upkeep *upkeep, uint64_t generation, struct why *why);
/* Of an object of this queue and generation; `partition` and `start` are those of its name. Ask for what was listed
 * behind listed_read(), not before. */
enum listed_answer listed_ask(const struct listed *listed, struct str key, uint32_t partition, uint64_t start);

#endif
