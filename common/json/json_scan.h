/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan: validates one object over the structural indexes of simdjson's first stage and notes where wanted members
 * are, without building a tree: half of the work of simdjson's second stage, where only few members are looked at.
 *
 * The first stage has seen to UTF-8, to control characters in strings and to strings being closed; here are the
 * grammar, the literals and the numbers. Strings with a backslash, numbers out of range and deep nesting are for the
 * second stage: a document that holds any of them is "not known", and so is each that is not valid, for the second
 * stage can tell why.
 *
 * Memory: none. Threads: pure. Fails: never; false is "not known". */
#ifndef SLUICE_JSON_SCAN_H
#define SLUICE_JSON_SCAN_H

#include "json.h"

enum { JSON_SCAN_DEPTH_MAX = 32 };

struct json_scan {
    const uint8_t *text;     /* the batch that the indexes count in */
    const uint32_t *indexes; /* the first is of the object's bracket; ascending, one at or behind .end in the end */
    size_t end;              /* of the document in the text */
    const struct json_path *paths;
    size_t path_count; /* <= JSON_FIND_MAX */
};

/* True: the document is one object, and out[i] is what paths[i] leads to (.type JSON_ABSENT: nothing). *out_used is how
 * many indexes it has. The document must hold no backslash. */
bool json_scan_object(const struct json_scan *scan, struct json_found *out, size_t *out_used);

#endif
