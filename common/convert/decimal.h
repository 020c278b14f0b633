/* SPDX-License-Identifier: Apache-2.0 */
/* decimal: numbers that are added exactly, as people count money and bytes: a sign, digits, and up to DECIMAL_PLACES
 * digits behind a point. No exponents: 1e3 says nothing of how exact it is.
 *
 * Held as a whole number of 10^-9 in 128 bits, so that adding is exact, in any order, and equal sums are equal text:
 * that is what retries, redone objects and totals of totals need, and what doubles do not give.
 *
 * Memory: none. Threads: pure. Limits: below 1.7 * 10^29. Fails: RC_BAD for what is no such number, RC_LIMIT for a sum
 * that is beyond it. */
#ifndef SLUICE_DECIMAL_H
#define SLUICE_DECIMAL_H

#include "str.h"

#include <stdbool.h>

enum {
    DECIMAL_PLACES = 9,
    DECIMAL_DIGITS = 20, /* before the point, of a single value: 2^64 - 1 fits, and 10^9 such values can be added */
    DECIMAL_MAX = 48,    /* bytes that hold any as text */
};

struct decimal {
    __int128 units; /* of 10^-9 */
};

/* Whole text: [+-] digits [. digits]; zeros in front and at the end may be any number. */
RC decimal_parse(struct str text, struct decimal *out);
/* At most DECIMAL_DIGITS digits before the point. */
bool decimal_is_value(struct decimal value);
/* *to is unchanged when it fails. */
RC decimal_add(struct decimal *to, struct decimal more);
/* The one shortest text, "-12.5"; JSON too. Gives its length; no NUL. */
size_t decimal_format(struct decimal value, char out[DECIMAL_MAX]);

#endif
