/* SPDX-License-Identifier: Apache-2.0 */
/* time_parts: the fields that a parser found, checked and put together to nanoseconds; and the digits that all parsers
 * read by hand. Inside common/time only. Threads: pure. */
#ifndef SLUICE_TIME_PARTS_H
#define SLUICE_TIME_PARTS_H

#include "rc.h"

#include <stdint.h>

struct time_parts {
    int32_t year, month, day;     /* 1 to 9999, 1 to 12, 1 to 31 */
    int32_t hour, minute, second; /* second up to 60 */
    int32_t ns;                   /* 0 to 999,999,999 */
    int32_t offset_s;             /* local minus UTC */
};

/* RC_BAD for a field out of its range, a day that the month has not, or what does not fit int64 nanoseconds. */
RC time_parts_ns(const struct time_parts *parts, int64_t *out_ns);
/* seconds + ns, in range or RC_BAD. */
RC time_parts_join(int64_t seconds, int32_t ns, int64_t *out_ns);
/* The month 1 to 12 of three letters in any case; 0 when there is none. */
int32_t time_parts_month(const char *letters);
/* Reads all digits at *at (before `end`) as the fraction of a unit that has 10^`digits_max` parts, cutting what is
 * finer; RC_BAD when there is no digit. */
RC time_parts_fraction(const char **at, const char *end, int digits_max, int32_t *out_parts);

static inline bool time_parts_is_digit(char c) { return (unsigned char)(c - '0') <= 9; }

/* Two digits, or at least 1000 when one is none: every range check then refuses it. */
static inline int32_t time_parts_two(const char *at) {
    unsigned tens = (unsigned char)(at[0] - '0'), ones = (unsigned char)(at[1] - '0');
    return tens <= 9 && ones <= 9 ? (int32_t)(tens * 10 + ones) : 1000;
}
/* Four digits, or at least 100,000. */
static inline int32_t time_parts_four(const char *at) {
    int32_t high = time_parts_two(at), low = time_parts_two(at + 2);
    return high < 100 && low < 100 ? high * 100 + low : 100000;
}

#endif
