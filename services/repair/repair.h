/* SPDX-License-Identifier: Apache-2.0 */
/* repair: a queue lost acknowledged messages; what it lost is converted again, and what survives is left alone.
 * DESIGN.md beside this file has the argument, and what cannot be repaired.
 *
 * Nobody else should run meanwhile: the ledger is shut as in a recovery, so that nothing wins, is judged or trimmed,
 * and two repairs at once are noticed (RC_STALE). May be killed at any point and run again. Memory: that of inquest.h
 * and remake.h. Threads: one. Fails: RC_BROKEN: something cannot be made again, or a recovery cannot be done; nothing
 * was changed in the queue. RC_STALE: somebody else recovered or repairs. */
#ifndef SLUICE_REPAIR_H
#define SLUICE_REPAIR_H

#include "recovery.h"
#include "source.h"
#include "worker.h"

struct repair_ports {
    struct broker broker; /* of the ledger handle's generation */
    struct ledger ledger;
    struct store store;
    struct source source;
};

struct repair_settings {
    struct recovery_settings recovery;
    const struct worker_settings *worker;  /* how the lines were converted */
    const struct source_pattern *patterns; /* of the sources */
    size_t patterns_len;
    bool dry_run;
    bool accept_loss; /* what cannot be made again stays missing, for ever */
    void (*tell)(void *context, const char *words);
    void *context;
};

struct repair_result {
    bool hurt;                 /* anything was to be done */
    uint32_t partitions;       /* whose log or chain had to be mended */
    uint64_t seals;            /* given up */
    uint64_t attempts;         /* of which something was made again, or would be */
    uint64_t messages;         /* of theirs: appended again, or would be */
    uint64_t lost, lost_lines; /* attempts that cannot be made again, and the lines of their ranges */
};

RC repair_run(const struct repair_ports *ports, const struct repair_settings *settings, struct rng *rng,
              struct repair_result *out, struct why *why);

#endif
