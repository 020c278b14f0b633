/* SPDX-License-Identifier: Apache-2.0 */
/* committer: asks the ledger whether attempts have won, for all lanes together. Lanes submit attempts whose messages
 * are all acknowledged, in the order of their ranges; the committer asks `advance` for everything that is there in one
 * call.
 *
 * Memory: what the lanes submit, each bounded. Threads: submit by any lane; step by one thread. */
#ifndef SLUICE_COMMITTER_H
#define SLUICE_COMMITTER_H

#include "ledger.h"

#include <stdatomic.h>

struct worker;
struct committer;

enum { COMMITTER_BATCH = 1024 };

/* One attempt on its way to a decision; the lane's memory. */
struct submission {
    struct ledger_advance ask;
    _Atomic int decision; /* enum ledger_decision; undecided until the committer has set it */
    struct submission *next;
};

struct committer *committer_new(struct worker *worker);
void committer_free(struct committer *committer);
void committer_submit(struct committer *committer, struct submission *submission);
/* One call to the ledger. RC_ABSENT: there was nothing to ask. RC_BUSY, RC_LIMIT: asked again by the next step.
 * RC_STALE: the epoch is over, and all that was submitted under it is lost. */
RC committer_step(struct committer *committer, struct why *why);
/* Waits up to wait_ms until something was submitted, or committer_stop(). */
void committer_wait(struct committer *committer, uint64_t wait_ms);
/* A lane waits up to wait_ms for the next decision. */
void committer_wait_decided(struct committer *committer, uint64_t wait_ms);
void committer_stop(struct committer *committer);

#endif
