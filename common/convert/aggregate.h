/* SPDX-License-Identifier: Apache-2.0 */
/* aggregate: what of a record is added up, and what the sums of many look like: for
 * `group_by: [consumer_id], sum: [consumed]`
 *
 *   {"consumer_id":"7","consumed":1250,"count":3}
 *
 * The fields as they are named in the configuration, then `count`, how many records are in the sums. Values of
 * group_by are scalars; two records are of one group when these are of the same type and text: "7" and 7 are two
 * groups, so are 1 and 1.0. Values of sum are decimals (decimal.h), as JSON numbers or as text. A record that lacks one
 * of them, or has anything else there, is a reject (`type`, the detail names the field); a group of more than
 * AGGREGATE_GROUP_MAX bytes is one too (`too long`).
 *
 * Memory: a parser, one record and one group. Threads: one at a time. Limits: AGGREGATE_FIELDS_MAX of each. Fails:
 * aggregate_new() with RC_BAD. */
#ifndef SLUICE_AGGREGATE_H
#define SLUICE_AGGREGATE_H

#include "buf.h"
#include "converter.h"

struct aggregate;

/* *out NULL: nothing is added up. */
RC aggregate_new(const struct converter_aggregate *settings, size_t record_bytes_max, struct aggregate **out,
                 struct why *why);
void aggregate_free(struct aggregate *aggregate);
static inline void aggregate_done(struct aggregate **aggregate) { aggregate_free(*aggregate); }
/* Sets .group and .sums of a record, or makes it a reject. */
void aggregate_look(struct aggregate *aggregate, struct converted *out);
/* Appends the record of a group, with its LF. */
void aggregate_write(const struct aggregate *aggregate, struct str group, const struct decimal *sums, uint64_t count,
                     struct buf *out);
size_t aggregate_sums(const struct aggregate *aggregate);
/* aggregate_write() appends at most so much. */
size_t aggregate_bytes(const struct aggregate *aggregate, struct str group);

#endif
