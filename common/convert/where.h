/* SPDX-License-Identifier: Apache-2.0 */
/* where: a condition on a record, compiled from a configuration's text.
 *
 *   status >= 500 and not (path matches '^/health' or country in ['DE', 'FR'])
 *
 *   field       a name, a path `user.country`, a JSON Pointer `/a~1b/0`; alone it asks whether it is true
 *   literals    12, -1.5e3, 'text' or "text" (\' \" \\ inside), true, false, null
 *   compare     = (or ==), !=, <, <=, >, >=; `in [a, b]`, `not in [a, b]`, `matches 'PATTERN'` (regex.h)
 *   combine     not, and, or, in this order of strength, and ( )
 * What is missing is null. Values of different types are never equal and none is smaller; text is compared by its
 * bytes; objects and arrays are equal to nothing. A match that is too much work is no match.
 *
 * Memory: the condition. Threads: one at a time. Limits: WHERE_BYTES_MAX, WHERE_FIELDS_MAX, nesting of WHERE_DEPTH_MAX.
 * Fails: RC_BAD with the character in the text. */
#ifndef SLUICE_WHERE_H
#define SLUICE_WHERE_H

#include "json.h"

enum { WHERE_BYTES_MAX = 4096, WHERE_FIELDS_MAX = JSON_FIND_MAX, WHERE_DEPTH_MAX = 32 };

struct where;

RC where_new(struct str text, struct where **out, struct why *why);
void where_free(struct where *where);
static inline void where_done(struct where **where) { where_free(*where); }
bool where_holds(struct where *where, struct json_node record);

#endif
