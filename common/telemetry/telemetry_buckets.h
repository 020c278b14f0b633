/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_buckets: the lower bounds of a histogram's buckets, as Firefox computes them.
 *
 *   linear        0, and n-1 bounds evenly from low to high, rounded half up
 *   exponential   0, low, and each next one exp(log cur + (log high - log cur) / those left) rounded, but at least
 *                 cur + 1: the rule for where bounds would collapse. In double; the closed form is another one.
 * flag, boolean and count are linear 1, 2, 3; enumerated 1, n, n + 1; categorical the same with at least 50.
 *
 * Memory: 16 bytes a bucket. Threads: read-only once made. Limits: TELEMETRY_BUCKETS_MAX. Fails: RC_BAD for parameters
 * that give no bounds. */
#ifndef SLUICE_TELEMETRY_BUCKETS_H
#define SLUICE_TELEMETRY_BUCKETS_H

#include "json.h"

enum { TELEMETRY_BUCKETS_MAX = 65536 };

struct telemetry_range {
    bool exponential;
    int64_t low, high, count;
};

struct telemetry_bucket {
    int64_t bound;
    size_t index;
};

struct telemetry_buckets {
    size_t count;
    size_t distinct;              /* of .at */
    struct telemetry_bucket at[]; /* by bound; of equal bounds the last index */
};

/* The range of one definition of Histograms.json. */
RC telemetry_range_of(struct json_node definition, struct telemetry_range *out);
/* Free with free(). */
RC telemetry_buckets_new(const struct telemetry_range *range, struct telemetry_buckets **out);
/* The index of the bucket whose lower bound this is; RC_ABSENT: none. */
RC telemetry_buckets_index(const struct telemetry_buckets *buckets, int64_t bound, size_t *out);

#endif
