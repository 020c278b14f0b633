/* SPDX-License-Identifier: Apache-2.0 */
/* store_fault: a store that fails on purpose, in front of a real one; for the simulation and the fail-the-kth-operation
 * loops. What it does to a call is decided before the call, from its number alone (`fail_at`, `lose_at`, `crash_at`),
 * from a seed (`*_per_million`) or by a function of the owner (`decide`, which lets one counter run through the faults
 * of several ports). So a run can be repeated.
 *
 * An effect is a call that changes what others see: put, put_absent, remove, upload_remove, finish. All other calls are
 * reads (get, size, list, uploads) or preparations (upload begin, part); they are counted apart and fail by chance or
 * by `decide` only, and after a crash.
 *
 * The control block belongs to the caller, outlives the handle and can be read and changed between calls.
 * Threads: any, also with one control block for several handles; a run is repeatable with one thread only. `decide` is
 * called under the block's lock. Memory: 1 KiB an upload. */
#ifndef SLUICE_STORE_FAULT_H
#define SLUICE_STORE_FAULT_H

#include "rng.h"
#include "store.h"

#include <pthread.h>

enum store_call { STORE_PUT, STORE_PUT_ABSENT, STORE_REMOVE, STORE_FINISH, STORE_READ, STORE_PREPARE };

enum store_verdict {
    STORE_PASS,
    STORE_FAIL,         /* not done, and `rc` told */
    STORE_LOSE,         /* done, and `rc` told: the answer was lost */
    STORE_CRASH,        /* not done; RC_STOP now and for ever */
    STORE_CRASH_BEHIND, /* done; RC_STOP now and for ever */
};

/* All zero but what you set: no faults. */
struct store_fault {
    /* ---- settings ---- */
    enum rc rc;                /* what a failure tells; RC_OK (the zero value) stands for RC_BUSY */
    uint64_t fail_at, lose_at; /* number of the effect, from 1; 0: none */
    uint64_t crash_at;         /* the effect that is not done any more */
    uint32_t fail_per_million; /* chance of any call */
    uint32_t lose_per_million; /* chance of an effect */
    struct rng rng;            /* for the two chances */
    enum store_verdict (*decide)(void *context, enum store_call call, struct str key); /* when set, decides alone */
    void *context;
    /* ---- what happened ---- */
    uint64_t effects, reads; /* calls so far, failed ones too */
    uint64_t failed, lost;
    bool crashed;         /* may be set by the owner: the process is dead from here on */
    pthread_mutex_t lock; /* zero is PTHREAD_MUTEX_INITIALIZER on this platform */
};

/* Takes `inner` over; it is freed with the handle returned. */
struct store store_fault_new(struct store inner, struct store_fault *control);

#endif
