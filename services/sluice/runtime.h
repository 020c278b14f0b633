/* SPDX-License-Identifier: Apache-2.0 */
/* runtime: a configuration with its ports opened: the only place that names adapters. For writing (run) or for looking
 * (status, audit, …, beside a run or without one).
 *
 * Opening for writing also makes sure that ledger, queue and output belong together: the output remembers who writes to
 * it, and another ledger is refused before anything is written. Threads: opened and closed by one; the ports then by
 * all. Fails: RC_DENIED for what a person has to mend, RC_BROKEN. */
#ifndef SLUICE_RUNTIME_H
#define SLUICE_RUNTIME_H

#include "broker.h"
#include "config.h"
#include "frame.h"
#include "ledger.h"
#include "notify.h"
#include "recovery.h"
#include "source.h"
#include "store.h"

enum runtime_use { RUNTIME_LOOK, RUNTIME_WRITE };

struct runtime {
    const struct config *config;
    struct store store;
    struct ledger ledger;
    struct broker broker; /* once runtime_open_broker() was called */
    struct source source; /* RUNTIME_WRITE only */
    struct notify notify; /* who is told of receipts; once runtime_open_notify() was called */
    struct id queue;
    uint32_t partitions_most; /* of blocks, that the output ever had in a generation (RUNTIME_WRITE) */
    enum frame_format format;
    bool fleet;        /* broker and ledger are servers that others use, too */
    bool reads_blocks; /* a fleet: for uploaders; who only publishes needs no cache. Set before the broker is opened */
    bool fresh;        /* nothing ran here yet (RUNTIME_LOOK): the ledger is not open */
};

RC runtime_open(const struct config *config, enum runtime_use use, struct runtime *out, struct why *why);
/* Takes half-opened ones. */
void runtime_close(struct runtime *runtime);
/* A fleet's Redis holds no ledger: makes it, with the ids that the output remembers and shut until a recovery opened
 * it. *out_made is false where somebody else was quicker. RC_ABSENT: the output remembers none. */
RC runtime_remake_ledger(const struct runtime *runtime, bool *out_made, struct why *why);
/* The queue of an earlier generation; it is closed before the one of the present, if that is open. RC_ABSENT: there is
 * none. */
RC runtime_open_queue(const struct runtime *runtime, uint64_t generation, struct broker *out, struct why *why);
/* Takes the queue of an earlier generation away with all that is in it; nothing when there is none. RUNTIME_WRITE. */
RC runtime_drop_queue(const struct runtime *runtime, uint64_t generation, struct why *why);
/* How a recovery of it goes about; `output` stands in its barriers. */
struct recovery_settings runtime_recovery_settings(const struct runtime *runtime, const struct settings *output);
/* What a recovery works on, earlier generations' queues included; while the broker is open. */
struct recovery_ports runtime_recovery_ports(const struct runtime *runtime);
/* Opens the queue of the configured generation: after the earlier ones were finished, before run. */
RC runtime_open_broker(struct runtime *runtime, struct why *why);
/* The same although the queue lost messages, for repair: nothing of that is checked. */
RC runtime_open_hurt_broker(struct runtime *runtime, struct why *why);
void runtime_close_broker(struct runtime *runtime);
/* Before a recovery, which puts its barriers into the chains of its own generation and of earlier ones. Where a later
 * one has begun, whose uploaders may hold verdicts of the old epoch, it would let them seal what the ledger has
 * forgotten: then RC_BUSY, for that one is theirs to do. A fleet's; what is local has one process only. */
RC runtime_check_newest(const struct runtime *runtime, struct why *why);
/* Opens what the configuration's events say; after the broker. */
RC runtime_open_notify(struct runtime *runtime, struct why *why);
/* Can the output location be written, and does it belong to this pipeline? Leaves nothing behind. For `check`. */
RC runtime_try_output(const struct config *config, struct why *why);

#endif
