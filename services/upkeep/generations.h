/* SPDX-License-Identifier: Apache-2.0 */
/* generations: which generations the output or the ledger knows. The output is asked by jumping from one folder to the
 * next, so it costs a few listings a generation, whatever its size.
 *
 * Memory: 16 bytes a generation. Threads: one at a time. Fails: with what the ports fail with. */
#ifndef SLUICE_GENERATIONS_H
#define SLUICE_GENERATIONS_H

#include "upkeep.h"

struct generations_one {
    uint64_t generation;
    bool in_output, in_ledger;
    bool forgotten; /* by the ledger */
};

/* Ascending; the configured one is always among them. free() *out. */
RC generations_find(const struct upkeep *upkeep, struct generations_one **out, size_t *out_n, struct why *why);

#endif
