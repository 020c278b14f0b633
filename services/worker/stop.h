/* SPDX-License-Identifier: Apache-2.0 */
/* stop: where the text of a file stops that is damaged or cut off. What is in front of the place is converted like any
 * other text; the place itself is one reject, of the attempt that ends at the file's closed end. There always is one:
 * an open file's job ends before the last byte of such a text (emitter/DESIGN.md).
 *
 * Memory: none. Threads: one at a time. Fails: as the source does. */
#ifndef SLUICE_STOP_H
#define SLUICE_STOP_H

#include "slice.h"
#include "source.h"

/* Converts lines as slice_add() does. Where the text stops behind them, the line that it stops in is the reject. */
void stop_add_lines(struct slice *slice, struct str bytes, uint64_t offset, const struct source_stop *stop,
                    size_t *out_added);
/* The reject alone: the text stops in the line `rest`, which begins at `offset`. */
void stop_add(struct slice *slice, uint64_t offset, struct str rest, const struct source_stop *stop);

#endif
