/* SPDX-License-Identifier: Apache-2.0 */
/* find_same: json_line_find() of each line of a batch beside json_parse(), json_find_all() and json_text() of the line
 * alone: they have to say the same. For a unit test and a fuzz target. */
#ifndef SLUICE_FIND_SAME_H
#define SLUICE_FIND_SAME_H

#include "str.h"

#include <stdbool.h>

/* The number of lines that are objects. Where the two differ: false, and *out_line is the first such line. */
bool find_same(struct str lines, struct str *out_line, size_t *out_objects);

#endif
