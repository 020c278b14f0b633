/* SPDX-License-Identifier: Apache-2.0 */
/* shape: what happens to every converter's records before they are written: which are kept (where), and which of their
 * top-level fields, under which names, with which constants.
 *
 * In this order: the condition, which records are kept once (once.h), `keep`, `drop`, `rename`, `add`. Conditions,
 * times and partitions see the record as the converter made it, so a field that is in the path need not be in the
 * record. Values stay byte for byte. A name that would stand twice is name and name_2; a constant whose name is there
 * already is not added.
 *
 * Memory: a parser and one record. Threads: one at a time. Limits: NAMES_MAX fields, when fields are given. */
#ifndef SLUICE_SHAPE_H
#define SLUICE_SHAPE_H

#include "converter.h"

struct shape;

/* *out NULL: there is nothing to do. */
RC shape_new(const struct converter_shape *settings, struct str source, size_t record_bytes_max, struct shape **out,
             struct why *why);
void shape_free(struct shape *shape);
/* A record becomes another one, filtered, or a reject. */
void shape_apply(struct shape *shape, struct converted *out);

#endif
