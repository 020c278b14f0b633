/* SPDX-License-Identifier: Apache-2.0 */
#include "decimal.h"

static bool append_digit(__int128 *value, char digit) {
    return !__builtin_mul_overflow(*value, 10, value) && !__builtin_add_overflow(*value, digit - '0', value);
}

static bool is_digit(struct str text, size_t at) { return at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; }

/* The digits behind the point, filled up with zeros. What is behind the last place must be zeros. */
static bool append_places(__int128 *value, struct str text, size_t *at) {
    for (int place = 0; place < DECIMAL_PLACES; place++)
        if (!append_digit(value, is_digit(text, *at) ? text.at[(*at)++] : '0')) return false;
    while (*at < text.len && text.at[*at] == '0') (*at)++;
    return true;
}

RC decimal_parse(struct str text, struct decimal *out) {
    __int128 value = 0;
    size_t at = text.len && (text.at[0] == '-' || text.at[0] == '+') ? 1 : 0;
    if (!is_digit(text, at)) return RC_BAD;
    while (is_digit(text, at))
        if (!append_digit(&value, text.at[at++])) return RC_BAD;
    if (at < text.len && text.at[at] == '.') {
        at++;
        if (!is_digit(text, at)) return RC_BAD;
    }
    if (!append_places(&value, text, &at) || at != text.len) return RC_BAD;
    out->units = text.at[0] == '-' ? -value : value;
    return RC_OK;
}

static __int128 power_of_ten(int exponent) {
    __int128 power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

bool decimal_is_value(struct decimal value) {
    __int128 bound = power_of_ten(DECIMAL_DIGITS + DECIMAL_PLACES);
    return value.units < bound && value.units > -bound;
}

RC decimal_add(struct decimal *to, struct decimal more) {
    __int128 sum;
    if (__builtin_add_overflow(to->units, more.units, &sum)) return RC_LIMIT;
    to->units = sum;
    return RC_OK;
}

size_t decimal_format(struct decimal value, char out[DECIMAL_MAX]) {
    unsigned __int128 rest = value.units < 0 ? -(unsigned __int128)value.units : (unsigned __int128)value.units;
    char back[DECIMAL_MAX];
    size_t len = 0, to = 0;
    int place = 0;
    for (; place < DECIMAL_PLACES && rest % 10 == 0; place++) rest /= 10;
    bool point = place < DECIMAL_PLACES;
    for (; place < DECIMAL_PLACES; place++, rest /= 10) back[len++] = (char)('0' + (int)(rest % 10));
    if (point) back[len++] = '.';
    do {
        back[len++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest);
    if (value.units < 0) out[to++] = '-';
    while (len) out[to++] = back[--len];
    return to;
}
