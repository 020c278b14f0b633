/* SPDX-License-Identifier: Apache-2.0 */
#include "time_parts.h"

#include "time_civil.h"

enum { DAY_S = 86400, SECOND_NS = 1000000000 };

RC time_parts_join(int64_t seconds, int32_t ns, int64_t *out_ns) {
    /* 128 bits: in the first second of the range seconds * 10^9 alone is out of it. */
    __int128 sum = (__int128)seconds * SECOND_NS + ns;
    if (sum < INT64_MIN || sum > INT64_MAX) return RC_BAD;
    *out_ns = (int64_t)sum;
    return RC_OK;
}

static bool in_range(const struct time_parts *p) {
    return p->year >= 1 && p->year <= 9999 && p->month >= 1 && p->month <= 12 && p->day >= 1 &&
           p->day <= time_civil_month_days(p->year, p->month) && p->hour >= 0 && p->hour <= 23 && p->minute >= 0 &&
           p->minute <= 59 && p->second >= 0 && p->second <= 60;
}

RC time_parts_ns(const struct time_parts *parts, int64_t *out_ns) {
    if (!in_range(parts)) return RC_BAD;
    int32_t second = parts->second, ns = parts->ns;
    if (second == 60) { /* a leap second is the end of the second before it */
        second = 59;
        ns = SECOND_NS - 1;
    }
    int64_t days = time_civil_days(parts->year, parts->month, parts->day);
    int64_t seconds = days * DAY_S + parts->hour * 3600L + parts->minute * 60L + second - parts->offset_s;
    return time_parts_join(seconds, ns, out_ns);
}

#define LETTERS(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

int32_t time_parts_month(const char *letters) {
    uint32_t key =
        LETTERS((unsigned char)letters[0] | 0x20, (unsigned char)letters[1] | 0x20, (unsigned char)letters[2] | 0x20);
    switch (key) {
    case LETTERS('j', 'a', 'n'): return 1;
    case LETTERS('f', 'e', 'b'): return 2;
    case LETTERS('m', 'a', 'r'): return 3;
    case LETTERS('a', 'p', 'r'): return 4;
    case LETTERS('m', 'a', 'y'): return 5;
    case LETTERS('j', 'u', 'n'): return 6;
    case LETTERS('j', 'u', 'l'): return 7;
    case LETTERS('a', 'u', 'g'): return 8;
    case LETTERS('s', 'e', 'p'): return 9;
    case LETTERS('o', 'c', 't'): return 10;
    case LETTERS('n', 'o', 'v'): return 11;
    case LETTERS('d', 'e', 'c'): return 12;
    default: return 0;
    }
}

static const int32_t TENS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

RC time_parts_fraction(const char **at, const char *end, int digits_max, int32_t *out_parts) {
    const char *from = *at, *now = from;
    int32_t parts = 0;
    for (; now < end && time_parts_is_digit(*now); now++)
        if (now - from < digits_max) parts = parts * 10 + (*now - '0');
    if (now == from) return RC_BAD;
    if (now - from < digits_max) parts *= TENS[digits_max - (now - from)];
    *at = now;
    *out_parts = parts;
    return RC_OK;
}
