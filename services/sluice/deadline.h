/* SPDX-License-Identifier: Apache-2.0 */
/* deadline: a process of a fleet ends in time after SIGTERM, whatever it waits for. A server that is away or frozen
 * holds up calls that are under way for as long as their own time-outs, one behind the other; whoever told the process
 * to end would kill it meanwhile. Nothing has to be done before the end (README.md: any of them may be killed), so when
 * the time that draining may take is over, the process ends where it is.
 *
 * Threads: one of its own, from deadline_start() to deadline_stop(). */
#ifndef SLUICE_DEADLINE_H
#define SLUICE_DEADLINE_H

#include "signals.h"

#include <pthread.h>

enum { DEADLINE_GRACE_MS = 2000 }; /* behind `drain`: what an orderly end takes while all servers answer */

struct deadline {
    struct signals *signals;
    uint64_t drain_ms; /* from the first signal; the second one leaves DEADLINE_GRACE_MS */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool over, running; /* over: under lock */
    pthread_t thread;
};

void deadline_start(struct deadline *deadline, struct signals *signals, uint64_t drain_ms);
/* The process got to its end by itself. */
void deadline_stop(struct deadline *deadline);

#endif
