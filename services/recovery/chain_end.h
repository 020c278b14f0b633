/* SPDX-License-Identifier: Apache-2.0 */
/* chain_end: where a chain of seals ends. Seals are put one behind the other and never removed, so that the end is
 * found by doubling and halving: for a chain of a million some forty questions, and one seal is read. Epochs only rise
 * along a chain. Threads: pure but for the store. Fails: what the store fails with. */
#ifndef SLUICE_CHAIN_END_H
#define SLUICE_CHAIN_END_H

#include "chain.h"

struct chain_end {
    uint64_t index;  /* where no seal is yet */
    uint64_t end;    /* of the last seal; 0: there is none */
    uint64_t epoch;  /* of the last seal; 0: there is none */
    uint64_t sealed; /* of the last seal that is no barrier; 0: there is none */
};

/* `from`: an index up to which (not including it) seals are known to be. */
RC chain_end_find(const struct chain *chain, uint64_t from, struct chain_end *out, struct why *why);

#endif
