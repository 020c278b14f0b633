/* SPDX-License-Identifier: Apache-2.0 */
/* sim_watch: stands between all processes and the adapters, below the injected faults, so that it sees what really
 * happens: notes what the check needs (who was enrolled, where files were closed), checks what must hold at every
 * effect, and does the mutations.
 *
 * At every effect: what was put only if absent is never changed or removed; manifests come in order and no two hold
 * overlapping ranges of a stripe, nor more blocks of an attempt than it has; the log is never trimmed behind the first
 * seal without a manifest; checkpoints only go forward. Threads: one; one sim at a time. */
#ifndef SLUICE_SIM_WATCH_H
#define SLUICE_SIM_WATCH_H

#include "arena.h"
#include "broker.h"
#include "ledger.h"
#include "manifest.h"
#include "store.h"

struct sim;

struct sim_enrolled {
    struct id id;
    uint64_t inode;
    int64_t birth_ns;
};

struct sim_end {
    struct id file;
    uint64_t end;
    bool sure; /* false: noted in a ledger that was set back since */
};

/* An attempt of which something is in a manifest. */
struct sim_range {
    uint64_t generation;
    struct attempt attempt; /* without the predecessor, epoch */
    uint64_t blocks, trailer_blocks;
    bool has_trailer;
};

struct sim_moved {
    uint64_t generation;
    struct id file;
    uint64_t stripe, at;
};

struct sim_chain {
    uint64_t next, end; /* index of the next manifest; what is before `end` is in manifested seals */
};

struct sim_given_up {
    uint64_t generation, start;
    uint32_t partition;
};

struct sim_watch {
    struct sim *sim;
    struct sim_enrolled *enrolled;
    size_t enrolled_len, enrolled_room;
    struct sim_end *ends;
    size_t ends_len, ends_room;
    struct sim_range *ranges;
    size_t ranges_len, ranges_room;
    struct sim_moved *moved;
    size_t moved_len, moved_room;
    struct sim_chain chains[3][4]; /* generation, partition */
    struct sim_given_up *given_up; /* batches that a repair gave up */
    size_t given_up_len, given_up_room;
    struct arena arena;
    const struct store_ops *store;
    const struct broker_ops *broker;
    const struct ledger_ops *ledger;
    struct store_ops store_ops;
    struct broker_ops broker_ops;
    struct ledger_ops ledger_ops;
    uint64_t dropped;
};

void sim_watch_init(struct sim_watch *watch, struct sim *sim);
void sim_watch_done(struct sim_watch *watch);
void sim_broker_init(struct sim_watch *watch); /* by sim_watch_init */
/* Who was enrolled under this id; NULL: nobody. */
const struct sim_enrolled *sim_enrolled(const struct sim *sim, struct id file);
/* The same handles, watched. */
struct store sim_watch_store(struct store store);
struct broker sim_watch_broker(struct broker broker);
struct ledger sim_watch_ledger(struct ledger ledger);
/* The ledger was set back: what was noted since may not be. */
void sim_watch_rolled_back(struct sim_watch *watch);

#endif
