/* SPDX-License-Identifier: Apache-2.0 */
/* run_generations: what an earlier generation left in its queue is sealed and uploaded before the present one begins,
 * so that each generation's objects are complete batches. What it had not converted stays unconverted: the new
 * generation converts everything anew. Threads: one, before the others start. */
#ifndef SLUICE_RUN_GENERATIONS_H
#define SLUICE_RUN_GENERATIONS_H

#include "loop.h"
#include "run_settings.h"
#include "signals.h"

/* What ends it early; either may be NULL. */
struct run_until {
    struct signals *signals;
    struct loops *loops; /* a fleet: those of the process, whose epoch is followed */
};

/* RC_STOP: told to end meanwhile. */
RC run_finish_generations(struct runtime *runtime, const struct run_settings *settings, const struct run_until *until,
                          struct why *why);

#endif
