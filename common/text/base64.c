/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

/* The 6 bits of a digit; -1: it is none. */
static int bits_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters into 1 to 3 bytes. Padding is allowed in the last four only. */
static RC decode_group(const char *at, bool last, char out[3], size_t *out_len) {
    size_t digits = 4;
    if (last && at[3] == '=') digits = at[2] == '=' ? 2 : 3;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < digits ? bits_of(at[i]) : 0;
        if (digit < 0) return RC_BAD;
        bits = bits << 6 | (uint32_t)digit;
    }
    if (digits < 4 && (bits & (digits == 2 ? 0xffffU : 0xffU))) return RC_BAD;
    for (size_t i = 0; i < 3; i++) out[i] = (char)(bits >> (16 - 8 * i));
    *out_len = digits - 1;
    return RC_OK;
}

RC base64_decode(struct str text, struct buf *out) {
    if (text.len % 4) return RC_BAD;
    size_t before = out->len;
    TRY(buf_reserve(out, text.len / 4 * 3));
    for (size_t i = 0; i < text.len; i += 4) {
        size_t len = 0;
        if (decode_group(text.at + i, i + 4 == text.len, out->at + out->len, &len) != RC_OK) {
            out->len = before;
            return RC_BAD;
        }
        out->len += len;
    }
    return RC_OK;
}
