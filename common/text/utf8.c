/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include "num.h"

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

/* Of bytes that are no character: how many of them one could begin with; at least 1. */
static size_t subpart(const unsigned char *p, size_t left) {
    for (size_t n = MIN(left, (size_t)3); n > 1; n--) {
        unsigned char whole[4] = {p[0], p[1], n > 2 ? p[2] : 0x80, 0x80};
        size_t length = sequence(whole, 4);
        if (length > n) return n;
    }
    return 1;
}

void utf8_replace(struct str s, struct buf *to) {
    while (s.len) {
        size_t valid = utf8_valid_prefix(s);
        buf_add(to, str_sub(s, 0, valid));
        s = str_sub(s, valid, s.len);
        if (!s.len) return;
        buf_add(to, STR("\xEF\xBF\xBD"));
        s = str_sub(s, subpart((const unsigned char *)s.at, s.len), s.len);
    }
}

uint32_t utf8_decode(struct str s, size_t *out_len) {
    const unsigned char *p = (const unsigned char *)s.at;
    const size_t n = sequence(p, s.len);
    *out_len = n ? n : 1;
    if (n == 0) return 0xfffd;
    uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) c = c << 6 | (p[i] & 0x3fu);
    return c;
}

bool utf8_is_control(uint32_t c) {
    if (c < 0x20) return true;
    if (c < 0x7f) return false;
    return c <= 0x9f || c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}
