/* SPDX-License-Identifier: Apache-2.0 */
#include "json_number.h"

static bool digit(char c) { return c >= '0' && c <= '9'; }

struct str json_number(struct str text) {
    size_t len = 0;
    for (; len < text.len; len++) {
        char c = text.at[len];
        if (!digit(c) && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E') break;
    }
    return str_sub(text, 0, len);
}

/* Skips digits, at least one. */
static bool digits(struct str *rest) {
    size_t n = 0;
    while (n < rest->len && digit(rest->at[n])) n++;
    *rest = str_sub(*rest, n, rest->len);
    return n > 0;
}

static bool skip(struct str *rest, char a, char b) {
    if (rest->len == 0 || (rest->at[0] != a && rest->at[0] != b)) return false;
    *rest = str_sub(*rest, 1, rest->len);
    return true;
}

bool json_number_valid(struct str number) {
    struct str rest = number;
    (void)skip(&rest, '-', '-');
    if (!skip(&rest, '0', '0') && !digits(&rest)) return false;
    if (skip(&rest, '.', '.') && !digits(&rest)) return false;
    if (skip(&rest, 'e', 'E')) {
        if (!skip(&rest, '+', '+')) (void)skip(&rest, '-', '-');
        if (!digits(&rest)) return false;
    }
    return rest.len == 0;
}
