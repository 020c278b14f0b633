/* SPDX-License-Identifier: Apache-2.0 */
/* time_format: nanoseconds since the Unix epoch to text, always UTC and English: the {time:...} of partition paths, and
 * RFC 3339 for logs and receipts.
 *
 * A pattern is compiled once and is then a plain value. Its text changes only at multiples of `step_ns`, so a caller
 * that formats each record keeps the last text with its time_format_bucket() and formats again only when that differs.
 *
 * Memory: none. Threads: pure. Limits: any int64 (years 1677 to 2262), a pattern of at most TIME_FORMAT_OPS_MAX
 * conversions and characters whose text is at most TIME_FORMAT_MAX - 1 bytes. Fails: only when compiled: RC_BAD. */
#ifndef SLUICE_TIME_FORMAT_H
#define SLUICE_TIME_FORMAT_H

#include "str.h"

#include <stdint.h>

enum {
    TIME_FORMAT_OPS_MAX = 64,
    TIME_FORMAT_MAX = 256,       /* a path component has at most 255 bytes */
    TIME_FORMAT_RFC3339_MAX = 31 /* 2000-10-10T13:55:36.123456789Z and a NUL */
};

/* %e is padded with a space, %G and %V are the ISO 8601 week's year and week, %u is 1 (Monday) to 7. */
#define TIME_FORMAT_ALLOWED "%Y %m %d %H %M %S %j %s %y %F %T %G %V %u %b %a %e %%"

struct time_format_op {
    bool conversion;
    char c;
};

struct time_format {
    int64_t step_ns; /* 1 s, 1 min, 1 h or 1 day; INT64_MAX when the text never changes */
    uint32_t op_count;
    struct time_format_op ops[TIME_FORMAT_OPS_MAX];
};

/* RC_BAD with words that name the position (from 1) in the pattern and what is allowed; *out is then unchanged. */
RC time_format_compile(struct str pattern, struct time_format *out, struct why *why);
/* Writes the text and a NUL; gives its length without the NUL. */
size_t time_format_ns(const struct time_format *format, int64_t ns, char out[TIME_FORMAT_MAX]);
/* Two times of one bucket have the same text. */
static inline int64_t time_format_bucket(const struct time_format *format, int64_t ns) {
    int64_t bucket = ns / format->step_ns;
    return bucket - (ns % format->step_ns < 0);
}

/* 2000-10-10T13:55:36.123Z with `digits` (0 to 9) digits of a second's fraction, cut, not rounded; gives `out` back. */
char *time_format_rfc3339(int64_t ns, int digits, char out[TIME_FORMAT_RFC3339_MAX]);

#endif
