/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

/* Length of the sequence that starts at p, 0 when it is not valid (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *p, size_t left) {
    unsigned char low = 0x80, high = 0xbf;
    size_t n = 0;
    if (p[0] < 0x80) return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        n = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        n = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (p[0] == 0xe0) low = 0xa0;
    if (p[0] == 0xed) high = 0x9f;
    if (p[0] == 0xf0) low = 0x90;
    if (p[0] == 0xf4) high = 0x8f;
    if (n > left || p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xbf) return 0;
    return n;
}

size_t utf8_valid_prefix(struct str s) {
    const unsigned char *p = (const unsigned char *)s.at;
    size_t i = 0;
    while (i < s.len) {
        uint64_t word = 0;
        while (i + 8 <= s.len && (memcpy(&word, p + i, 8), (word & 0x8080808080808080u) == 0)) i += 8;
        if (i >= s.len) break;
        size_t n = sequence(p + i, s.len - i);
        if (!n) return i;
        i += n;
    }
    return i;
}
