/* SPDX-License-Identifier: Apache-2.0 */
/* cut_off: pages of a ledger's snapshots that nobody finished: their writer died before the index. DESIGN.md,
 * "Snapshots that were cut off", says why those before a complete one are nobody's.
 *
 * Memory: two names. Threads: one at a time. Costs: two listings. Fails: with what the store and `page` fail with. */
#ifndef SLUICE_CUT_OFF_H
#define SLUICE_CUT_OFF_H

#include "upkeep.h"

struct cut_off_ask {
    enum rc (*page)(void *context, struct str key, uint64_t bytes); /* of one that was cut off */
    void *context;
};

/* Adds to the tallies: pages that are nobody's, and pages that somebody may be writing. */
RC cut_off_each(struct store store, const struct cut_off_ask *ask, struct upkeep_tally *nobodys,
                struct upkeep_tally *in_progress, struct why *why);

#endif
