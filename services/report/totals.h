/* SPDX-License-Identifier: Apache-2.0 */
/* totals: the records of sources that are added up (common/convert/aggregate.h), added up over all slices: what
 * `group_by` and `sum` give over all lines that are in objects.
 *
 * Which lines those are is what manifests say, so a total holds each line once, whatever died and was made again: an
 * aggregate is a record of an attempt like any other. Each aggregate says how many records are in it; with converters
 * that make one record of a line these have to be as many as the manifests' attempts say were converted. Where they are
 * not, batches of the queue partitions are seen that do not go together yet (a pipeline is at work), or objects are
 * damaged (`audit` tells).
 *
 * Memory: one manifest decoded, one frame (stored.h), some 300 bytes a group. Threads: one at a time. Limits:
 * TOTALS_GROUPS_MAX groups: RC_LIMIT beyond. Fails: with what the ports fail with; RC_BROKEN for records that are no
 * aggregates; RC_LIMIT for a sum beyond decimal.h. */
#ifndef SLUICE_TOTALS_H
#define SLUICE_TOTALS_H

#include "decimal.h"
#include "report.h"

enum { TOTALS_GROUPS_MAX = 4 * 1024 * 1024, TOTALS_FIELDS_MAX = 8 };

struct totals_ask {
    const struct str *sources; /* their names: they are added up by the same fields */
    size_t sources_len;
    bool all_sources; /* there are no others in the configuration */
    const struct str *group_by, *sum;
    size_t group_by_len, sum_len;
};

struct totals_value {
    struct str text;
    bool is_text; /* else a number, true or false */
};

struct totals_row {
    struct totals_value values[TOTALS_FIELDS_MAX]; /* of group_by */
    struct decimal sums[TOTALS_FIELDS_MAX];
    uint64_t count;
};

struct totals_result {
    uint64_t groups;
    uint64_t counted;   /* records that are in the sums */
    uint64_t converted; /* lines that became a record, by the manifests' attempts */
};

struct totals;

RC totals_read(const struct report *report, const struct totals_ask *ask, struct totals **out, struct why *why);
void totals_free(struct totals *totals);
static inline void totals_done(struct totals **totals) { totals_free(*totals); }
const struct totals_result *totals_result(const struct totals *totals);
/* In the order of the values: whole numbers by size, then all else by its bytes. */
void totals_each(const struct totals *totals, void (*visit)(void *context, const struct totals_row *row),
                 void *context);

#endif
