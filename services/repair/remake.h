/* SPDX-License-Identifier: Apache-2.0 */
/* remake: converts the range of a lost attempt again, as a lane did, and appends what is missing of it under the
 * attempt's id. Blocks that survive must be the same as those that are made now; if one is not, nothing of the attempt
 * is appended (DESIGN.md has the argument).
 *
 * Memory: the range's bytes, what a lane's slice needs, one block. Threads: one at a time. Fails: RC_BROKEN: what comes
 * out is not what was; RC_ABSENT, RC_STALE: the file is not there any more, or is another one; RC_BAD: its source is
 * not in the configuration; RC_DENIED. All of these are about one attempt. Else what the broker fails with. */
#ifndef SLUICE_REMAKE_H
#define SLUICE_REMAKE_H

#include "lost.h"
#include "source.h"
#include "worker.h"

struct remake_settings {
    const struct worker_settings *worker;
    struct source source;
    struct broker broker;
    struct ledger ledger; /* whose claims say what was kept */
    uint32_t partitions;
    const struct source_pattern *patterns; /* where else a file may be that was renamed */
    size_t patterns_len;
};

struct remake;

RC remake_new(const struct remake_settings *settings, struct remake **out, struct why *why);
void remake_free(struct remake *remake);
static inline void remake_done(struct remake **remake) { remake_free(*remake); }
/* Converts and compares; the attempt can be appended until the next call. */
RC remake_convert(struct remake *remake, struct lost_attempt *attempt, struct why *why);
/* Appends what is missing, with `epoch` where no survivor tells one, and waits until it is acknowledged. */
RC remake_append(struct remake *remake, struct lost_attempt *attempt, uint64_t epoch, uint32_t *out_messages,
                 struct why *why);

#endif
