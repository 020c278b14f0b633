/* SPDX-License-Identifier: Apache-2.0 */
/* survey: one generation as it is in the output: what its manifests list, what is there, and what of that nobody lists.
 *
 * Memory: listed.h. Threads: one at a time. Fails: with what the store and the visitor fail with; RC_BROKEN. */
#ifndef SLUICE_SURVEY_H
#define SLUICE_SURVEY_H

#include "listed.h"

struct survey {
    uint64_t generation;
    bool removed; /* it has a tombstone: everything of it that is there is an orphan */
    int64_t removed_ns;
    struct listed_figures listed; /* by manifests; of a removed generation: what there was */
    /* by listing */
    struct upkeep_tally stored;      /* of these: there */
    struct upkeep_tally in_progress; /* not listed, and may be yet */
    struct upkeep_tally orphans;     /* not listed, and never will be */
    struct upkeep_tally foreign;     /* of another queue: never touched */
    struct upkeep_tally unknown;     /* whose name is none of ours: never touched */
    struct upkeep_tally receipts;
};

struct survey_ask {
    uint64_t generation;
    bool no_figures;     /* .listed of a removed generation is not wanted: its manifests are not read */
    size_t listed_max;   /* 0: LISTED_MAX */
    struct listed *kept; /* NULL, or what was read of this generation before; one with a whole window */
    /* An orphan; it may be removed meanwhile. NULL: not told. */
    enum rc (*orphan)(void *context, struct str key, uint64_t bytes, bool removed);
    void *context;
};

RC survey_run(const struct upkeep *upkeep, const struct survey_ask *ask, struct survey *out, struct why *why);

#endif
