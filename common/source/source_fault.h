/* SPDX-License-Identifier: Apache-2.0 */
/* source_fault: a source that fails on purpose, in front of a real one; for the simulation and the
 * fail-the-kth-operation loops. What it does to a call is decided before the call, from its number alone (`fail_at`,
 * `lose_at`, `crash_at`), from a seed (`*_per_million`) or by a function of the owner (`decide`, which lets one counter
 * run through the faults of several ports).
 *
 * All calls are counted but close, wait and wake. remove, move and mark are effects: only they can be done and then
 * reported as failed. After a crash all counted calls and wait answer RC_STOP.
 *
 * The control block belongs to the caller and outlives the handle. Threads: any; a run is repeatable with one thread
 * only. `decide` is called under the block's lock. Memory: a few words. */
#ifndef SLUICE_SOURCE_FAULT_H
#define SLUICE_SOURCE_FAULT_H

#include "rng.h"
#include "source.h"

#include <pthread.h>

enum source_call {
    SOURCE_LIST,
    SOURCE_OPEN,
    SOURCE_STAT,
    SOURCE_READ,
    SOURCE_WATCH,
    SOURCE_REMOVE,
    SOURCE_MOVE,
    SOURCE_MARK,
};

enum source_verdict {
    SOURCE_PASS,
    SOURCE_FAIL,         /* not done, and `rc` told */
    SOURCE_LOSE,         /* an effect: done, and `rc` told; else as SOURCE_FAIL */
    SOURCE_CRASH,        /* not done; RC_STOP now and for ever */
    SOURCE_CRASH_BEHIND, /* done; RC_STOP now and for ever */
};

/* All zero but what you set: no faults. */
struct source_fault {
    /* ---- settings ---- */
    enum rc rc;                /* what a failure tells; RC_OK (the zero value) stands for RC_BUSY */
    uint64_t fail_at, lose_at; /* number of the call, from 1; 0: none. lose_at is for effects */
    uint64_t crash_at;         /* the call that is not done any more */
    uint32_t fail_per_million; /* chance of any call */
    struct rng rng;            /* for the chance */
    enum source_verdict (*decide)(void *context, enum source_call call); /* when set, decides alone */
    void *context;
    /* ---- what happened ---- */
    uint64_t calls, failed, lost;
    bool crashed;         /* may be set by the owner: the process is dead from here on */
    pthread_mutex_t lock; /* zero is PTHREAD_MUTEX_INITIALIZER on this platform */
};

/* Takes `inner` over; it is freed with the handle returned. */
struct source source_fault_new(struct source inner, struct source_fault *control);

#endif
