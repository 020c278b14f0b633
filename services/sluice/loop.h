/* SPDX-License-Identifier: Apache-2.0 */
/* loop: what the threads of one process share around the steps of the services: stopping, waiting, the ledger's epoch,
 * and the one place where an outcome of a step becomes an action (go on, wait and try again, end the process) and a log
 * line.
 *
 * Threads: struct loops by all; a struct loop by its thread. */
#ifndef SLUICE_LOOP_H
#define SLUICE_LOOP_H

#include "backoff.h"
#include "ledger.h"

#include <pthread.h>
#include <stdatomic.h>

struct loops {
    struct ledger ledger; /* for the epoch */
    _Atomic uint64_t epoch;
    atomic_bool stopping;
    atomic_bool failed;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum rc rc; /* under lock: what ended the process */
    struct why why;
    _Atomic int trouble;    /* how many loops are waiting for something to come back: readyz */
    char trouble_text[256]; /* under lock */
    uint64_t patience_ms; /* how long RC_LIMIT may come back again and again before it ends the process; 0: for ever */
};

struct loop {
    struct loops *all;
    const char *name;
    struct backoff backoff;
    bool in_trouble;
    unsigned stales;                        /* answers of RC_STALE without a RC_OK in between */
    uint64_t limit_since_ms, limit_last_ms; /* the first and the last RC_LIMIT of those that come back */
};

void loops_init(struct loops *loops, struct ledger ledger);
void loops_done(struct loops *loops);
void loops_stop(struct loops *loops);
static inline bool loops_stopping(const struct loops *loops) { return atomic_load(&loops->stopping); }
/* Ends the process: the first failure is the one that is told. */
void loops_fail(struct loops *loops, const char *who, enum rc rc, const struct why *why);
/* Waits up to `ms`, less when the process stops. */
void loops_sleep(struct loops *loops, uint64_t ms);
/* What is wrong at the moment, "" when nothing; for readyz. */
void loops_trouble(struct loops *loops, char *out, size_t room);

void loop_init(struct loop *loop, struct loops *all, const char *name);
/* Applies the verdict of one step: true to go on (it may have waited), false to end the thread. */
bool loop_settle(struct loop *loop, enum rc rc, const struct why *why);
/* The same for a thread that has more to do: it does not wait, but says for how long this one is to rest. */
bool loop_judge(struct loop *loop, enum rc rc, const struct why *why, uint64_t *out_rest_ms);
/* Ends it before its thread: what it was waiting for is no trouble of the process any more. */
void loop_done(struct loop *loop);

#endif
