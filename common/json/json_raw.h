/* SPDX-License-Identifier: Apache-2.0 */
/* json_raw: goes through the text of a document that a parser found valid, for who passes values on as they are
 * written. Beside json_each(), which gives the same members in the same order.
 *
 * Memory: the caller's. Threads: pure. Limits: the text MUST be valid JSON, and its root an object or array: nothing is
 * checked again. */
#ifndef SLUICE_JSON_RAW_H
#define SLUICE_JSON_RAW_H

#include "buf.h"
#include "str.h"

/* Behind the bracket that the object or array begins with, blanks before it or not. */
size_t json_raw_open(struct str json);
/* The raw value of the next member of an object, and its key with the quotes (out_key may be NULL); *at is behind the
 * bracket or the member before, and then behind this one. There must be one. */
struct str json_raw_next(struct str json, size_t *at, struct str *out_key);
/* Adds the value without the blanks between its parts. */
void json_raw_compact(struct str value, struct buf *to);

#endif
