/* SPDX-License-Identifier: Apache-2.0 */
/* recovery: brings a ledger that was set back to agree with the seals. DESIGN.md beside this file has the argument.
 *
 * Threads: one at a time. Other threads and processes may go on: until it is done their calls answer RC_STALE. Any
 * number may recover at once: the one that began last goes through. Memory: 64 bytes an attempt in the seals that are
 * read, and what unsealed.h says. Fails: RC_STALE: another recoverer took over, or the epoch went on; look again.
 * RC_BROKEN: blocks of a winner are lost; nothing was changed. */
#ifndef SLUICE_RECOVERY_H
#define SLUICE_RECOVERY_H

#include "broker.h"
#include "ledger.h"
#include "rng.h"
#include "seal.h"
#include "store.h"

/* Opens the queue of an earlier generation, which recovery reads and frees, one at a time. RC_ABSENT: it has none any
 * more. May be NULL where there is no earlier generation. */
struct recovery_older {
    enum rc (*open)(void *self, uint64_t generation, struct broker *out, struct why *why);
    void *self;
};

struct recovery_ports {
    struct broker broker; /* of the ledger handle's generation */
    struct ledger ledger;
    struct store store;
    struct recovery_older older;
};

/* How far a recovery is, for people. */
struct recovery_progress {
    uint64_t chains, chains_total; /* whose seals are read */
    uint64_t messages;             /* read from the part of the log behind the chains */
    uint64_t seals;
    uint64_t winners;
    bool uniting; /* all is read; the ledger puts it together */
};

/* What a repair does while the recoverer holds the token and every chain has its barrier: nobody wins, judges or trims
 * meanwhile. It may append to the log and to the chains. */
struct recovery_mend {
    enum rc (*run)(void *context, struct id token, uint64_t target, struct why *why); /* NULL: nothing */
    void *context;
};

struct recovery_settings {
    struct id queue;
    uint32_t partitions;
    uint32_t partitions_before; /* the most that any earlier generation had, where that is more than now */
    struct settings output;     /* stands in the barriers, and decides nothing */
    unsigned loaders; /* threads that load a snapshot at once; 0: the caller's, and nothing happens beside it */
    /* The ledger may be no prefix of its own history: every seal is read from the first, and every batch is told
     * durable again. Else, also for an empty ledger, seals that it was told durable are not read. */
    bool full;
    /* Called often; may be NULL. */
    void (*tell)(void *context, const struct recovery_progress *progress);
    void *tell_context;
    struct recovery_mend mend;
};

/* Reads only: was anything lost that the ledger was told to be acknowledged? RC_BROKEN names the partition. */
RC recovery_check_log(const struct recovery_ports *ports, uint32_t partitions, struct why *why);
/* Reads only. *out_why_needed says what was found. */
RC recovery_check(const struct recovery_ports *ports, const struct recovery_settings *settings, bool *out_needed,
                  struct why *out_why_needed, struct why *why);
/* The whole procedure; *out_epoch is the epoch that is open now. */
RC recovery_run(const struct recovery_ports *ports, const struct recovery_settings *settings, struct rng *rng,
                uint64_t *out_epoch, struct why *why);

#endif
