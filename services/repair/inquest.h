/* SPDX-License-Identifier: Apache-2.0 */
/* inquest: goes through the chains and the log of a generation and notes which messages of the winners that the ledger
 * waits for are there: in a manifested batch, in one that is sealed and whole in the log, or in the log behind the
 * chain. And what is wrong with the chains themselves. Reads only.
 *
 * Memory: that of lost.h, one seal or manifest, one frame. Threads: one at a time. Fails: what the ports fail with;
 * RC_BROKEN for chains that do not hang together. */
#ifndef SLUICE_INQUEST_H
#define SLUICE_INQUEST_H

#include "broker.h"
#include "chain.h"
#include "lost.h"

/* A seal without a manifest that a repair has to give one. */
struct inquest_seal {
    uint64_t index;
    bool given_up; /* its blocks are gone; else it is a barrier */
    struct inquest_seal *next;
};

struct inquest_partition {
    uint64_t told;         /* batches that the ledger was told durable; given */
    uint64_t acknowledged; /* the end that the ledger knows; given */
    uint64_t index;        /* where the chain has no seal yet */
    uint64_t chain_end;
    uint64_t log_start, log_end;
    bool damaged;               /* something in the log behind the chain cannot be read */
    bool pending;               /* a seal without a manifest that is whole in the log */
    struct inquest_seal *seals; /* ascending */
    uint64_t next;              /* for inquest.c: seals from here on were looked at */
};

struct inquest {
    struct broker broker;
    struct store store;
    struct id queue;
    uint64_t generation;
    struct lost lost;
    struct inquest_partition *partitions;
    uint32_t partitions_len;
    uint64_t found; /* messages in batches that the ledger was told of */
};

/* .told and .acknowledged of the partitions, and the ports, are given. */
RC inquest_run(struct inquest *inquest, struct ledger ledger, struct why *why);
void inquest_done(struct inquest *inquest);
/* Has the partition to go on elsewhere, or a seal to be put? */
bool inquest_partition_is_hurt(const struct inquest_partition *partition);

/* inquest_objects.c: what the blocks that the ledger waits for are, in the objects of a manifest. RC_BROKEN for an
 * object that is not what its manifest says. */
RC inquest_objects(struct inquest *inquest, const struct manifest *manifest, struct why *why);

#endif
