/* SPDX-License-Identifier: Apache-2.0 */
/* unsealed: the attempts that have messages in the part of the log behind the chains, and their trailers; for recovery.
 * Memory: about 500 bytes an attempt there. Threads: one at a time. Fails: what the broker fails with; RC_BROKEN for a
 * message that is none. */
#ifndef SLUICE_UNSEALED_H
#define SLUICE_UNSEALED_H

#include "arena.h"
#include "broker.h"
#include "ledger.h"

struct unsealed_attempt {
    struct ledger_winner winner;
    struct unsealed_attempt *next;
};

enum { UNSEALED_TABLE = 4096 };

struct unsealed {
    struct arena arena;
    struct unsealed_attempt *table[UNSEALED_TABLE];
};

void unsealed_done(struct unsealed *unsealed);
/* Adds what lies in [from, to) of a partition. */
RC unsealed_read(struct unsealed *unsealed, struct broker broker, uint32_t partition, uint64_t from, uint64_t to,
                 struct why *why);
const struct ledger_winner *unsealed_find(const struct unsealed *unsealed, struct id attempt);

#endif
