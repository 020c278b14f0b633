/* SPDX-License-Identifier: Apache-2.0 */
/* gc: removes a generation: its objects, rejects and receipts, and what the ledger has of it. Seals and manifests stay.
 *
 * May be killed at any point and run again; two at once do no harm. DESIGN.md has the order and why.
 *
 * Memory: remover.h. Threads: one at a time. Fails: RC_DENIED for the configured generation or a higher one, before
 * anything is changed; RC_ABSENT: nobody knows the generation; else with what the ports fail with. */
#ifndef SLUICE_GC_H
#define SLUICE_GC_H

#include "remover.h"
#include "upkeep.h"

enum { GC_FORGET = 2000 /* rows of the ledger a call: some 20 ms, in which others wait */ };

struct gc_ask {
    uint64_t generation;
    bool yes;       /* else nothing is changed, and the result says what would go */
    int64_t now_ns; /* since the Unix epoch, for the tombstone */
    struct remover_many many;
};

struct gc_result {
    struct upkeep_tally objects, rejects, receipts; /* that went, or would */
    struct upkeep_tally foreign, unknown;           /* of another queue, or of no name of ours: left alone */
    bool in_ledger;                                 /* it had something of the generation, or had forgotten it */
    bool tombstone;                                 /* was there before */
};

RC gc_run(const struct upkeep *upkeep, const struct gc_ask *ask, struct gc_result *out, struct why *why);

#endif
