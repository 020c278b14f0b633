/* SPDX-License-Identifier: Apache-2.0 */
/* time_parse: a time in the input, as text, to nanoseconds since the Unix epoch (UTC).
 *
 * Runs once a record over gigabytes: digits by hand, no libc, no locale, no time zone database. A format is compiled
 * once from its name in the configuration and is then a plain value: copy it, share it, nothing to free.
 *
 *   rfc3339    2000-10-10T13:55:36.123456789-07:00; also 't' or one space for 'T', 'z' for 'Z'. Digits of the fraction
 *              behind the ninth are dropped. The offset is optional; without one the time is UTC.
 *   epoch_s    970351200, -1, 970351200.25 (digits behind the ninth are dropped)
 *   epoch_ms   970351200250, -1, 970351200250.5
 *   clf        10/Oct/2000:13:55:36 -0700, with or without [ ] around it; the offset is optional
 *   a pattern  any text with a '%': see TIME_PARSE_ALLOWED. A space, %n or %t matches one or more spaces or tabs;
 *              names of months and days are English, in any case. What the pattern does not name is 1970-01-01
 *              00:00:00 UTC. %y is 1969..2068 (POSIX). A name of a day (%a) is checked to be one, not to fit the date.
 *              %f takes 1 digit or more, %z takes +hh:mm, +hhmm, +hh or Z. %j gives the day when no %m/%d does.
 *
 * The second 60 (a leap second) is accepted everywhere and is the last nanosecond of second 59: sluice's time does not
 * run backwards, and the record stays in its minute.
 *
 * Memory: none. Threads: pure. Limits: years 1 to 9999 are understood, but what does not fit int64 nanoseconds
 * (1677-09-21 to 2262-04-11) is RC_BAD. Fails: RC_BAD for any text that is not exactly one time, also for blanks around
 * it; the output is then unchanged. */
#ifndef SLUICE_TIME_PARSE_H
#define SLUICE_TIME_PARSE_H

#include "str.h"

#include <stdint.h>

/* Longest pattern after %T, %D, %F are spelled out, in conversions and single characters. */
enum { TIME_PARSE_OPS_MAX = 64 };

#define TIME_PARSE_ALLOWED "%Y %m %d %H %M %S %f %z %Z %b %B %a %A %e %j %y %p %I %s %T %D %F %n %t %%"

enum time_parse_kind {
    TIME_PARSE_RFC3339,
    TIME_PARSE_EPOCH_S,
    TIME_PARSE_EPOCH_MS,
    TIME_PARSE_CLF,
    TIME_PARSE_PATTERN
};

/* A character to match, or a conversion. */
struct time_parse_op {
    bool conversion;
    char c;
};

struct time_parse {
    enum time_parse_kind kind;
    uint32_t op_count; /* of a pattern */
    struct time_parse_op ops[TIME_PARSE_OPS_MAX];
};

/* Compiles `text`: one of the names above, or a pattern. RC_BAD with the words, which name the position (from 1) in the
 * pattern and what is allowed; *out is then unchanged. */
RC time_parse_compile(struct str text, struct time_parse *out, struct why *why);
/* The whole of `text` in the format. RC_BAD if it is not one time in range. */
RC time_parse_ns(const struct time_parse *format, struct str text, int64_t *out_ns);

/* The minute of the time that was read last: in a log the next one mostly is of the same, and then only its seconds are
 * read. {0} to begin with; the answers are those of time_parse_ns() (rfc3339 in UTC with Z is what gets faster). */
struct time_minute {
    char text[17]; /* "2000-10-10T13:55:" */
    int64_t ns;
};
RC time_parse_near(const struct time_parse *format, struct time_minute *last, struct str text, int64_t *out_ns);

/* The same for a format that is known. */
RC time_parse_rfc3339(struct str text, int64_t *out_ns);
RC time_parse_epoch_s(struct str text, int64_t *out_ns);
RC time_parse_epoch_ms(struct str text, int64_t *out_ns);
RC time_parse_clf(struct str text, int64_t *out_ns);

#endif
