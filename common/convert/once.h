/* SPDX-License-Identifier: Apache-2.0 */
/* once: which records of a source are kept once, and by what key.
 *
 * A record for which `when` holds (or any, where there is none), that has a time and a scalar that is not null in each
 * of the key's fields, is kept once for each window of its time: windows begin at multiples of the window since 1970,
 * in UTC. Its key is XXH3-128 over the source's name, the window, and each value's type and text, as it stands in the
 * JSON: 1 and 1.0 are two keys. All other records are kept each.
 *
 * Memory: the condition and the paths. Threads: one at a time. Fails: RC_BAD. */
#ifndef SLUICE_ONCE_H
#define SLUICE_ONCE_H

#include "converter.h"
#include "json.h"

enum { ONCE_FIELDS_MAX = 8 };

struct once;

/* *out NULL: every record is kept. */
RC once_new(const struct converter_once *settings, struct str source, struct once **out, struct why *why);
void once_free(struct once *once);
/* Sets .once and .once_key. */
void once_look(struct once *once, struct json_node record, struct converted *out);

#endif
