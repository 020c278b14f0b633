/* SPDX-License-Identifier: Apache-2.0 */
/* upkeep: what a pipeline's output needs from time to time: which generations are there (generations.h, survey.h),
 * removing one (gc.h), finding and removing what nobody will ever use (janitor.h), and counting that (here).
 *
 * Everything works beside running processes. DESIGN.md has the argument why nothing is removed that somebody needs.
 *
 * Threads: one at a time. Fails: with what the ports fail with; RC_BROKEN for a manifest or a tombstone that is not
 * readable: then nothing is judged, see `sluice audit`. */
#ifndef SLUICE_UPKEEP_H
#define SLUICE_UPKEEP_H

#include "id.h"
#include "ledger.h"
#include "store.h"

/* Where to look. The ports are borrowed. */
struct upkeep {
    struct store store;
    struct ledger ledger; /* .ops may be NULL: there is none to look at */
    struct id queue;
    uint64_t generation; /* the configured one */
};

struct upkeep_tally {
    uint64_t count, bytes;
};
static inline void upkeep_tally_add(struct upkeep_tally *to, uint64_t bytes) {
    to->count++;
    to->bytes += bytes;
}

/* Unfinished uploads. */
struct upkeep_uploads {
    uint64_t old;     /* of ours, begun so long ago that nobody works on them */
    uint64_t fresh;   /* of ours, younger: somebody may be at work */
    uint64_t foreign; /* of other queues and other names: left alone */
};
/* Each old one of ours; it may be removed meanwhile. `old` may be NULL. */
RC upkeep_each_upload(const struct upkeep *upkeep, int64_t begun_before_ns, store_upload_visit old, void *context,
                      struct upkeep_uploads *out, struct why *why);

/* What a count remembers until the next, so that it reads each manifest once. Memory: about 2 KiB, and 8 bytes an
 * object, at most 4 MiB a generation; of one with more objects the manifests are read anew each time. */
struct upkeep_memory;
struct upkeep_memory *upkeep_memory_new(void);
void upkeep_memory_free(struct upkeep_memory *memory);

struct upkeep_counts {
    struct upkeep_tally orphans; /* objects of ours that nobody will ever list, in all generations */
    struct upkeep_tally foreign; /* of other queues, in the same folders */
    struct upkeep_uploads uploads;
    uint64_t generations, removed; /* that have anything in the output; of these with a tombstone */
};

/* Counts as `sluice janitor` would, and sets the metrics sluice_upkeep_*. Costs: listing everything (a request for
 * 1,000 objects on S3), and reading the manifests that are new since the last count with this memory. For a thread in
 * the background, every hour or so; changes nothing. */
RC upkeep_count(const struct upkeep *upkeep, struct upkeep_memory *memory, int64_t begun_before_ns,
                struct upkeep_counts *out, struct why *why);

#endif
