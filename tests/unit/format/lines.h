/* SPDX-License-Identifier: Apache-2.0 */
/* lines: invented access-log records, the same for the same rng: repetitive where logs are, random where they are. */
#ifndef SLUICE_TEST_LINES_H
#define SLUICE_TEST_LINES_H

#include "buf.h"
#include "rng.h"

/* Appends one record with its LF. */
void lines_add(struct rng *rng, struct buf *out);
/* Appends records until `out` holds at least `bytes`; gives their number. */
uint64_t lines_fill(struct rng *rng, size_t bytes, struct buf *out);

#endif
