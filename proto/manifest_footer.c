/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

enum { QUAD = 4, TRIPLE = 3, SIXTET = 6, OCTET = 8 };

/* The value of a digit of base64 (RFC 4648, 4), or -1. */
static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

/* One group of four digits, of which the last `padding` are '='; gives the bytes made, 0 for what is none. */
static size_t decode_quad(const char *at, size_t padding, char out[TRIPLE]) {
    uint32_t bits = 0;
    for (size_t i = 0; i < QUAD; i++) {
        int value = i < QUAD - padding ? value_of(at[i]) : 0;
        if (value < 0) return 0;
        bits = bits << SIXTET | (uint32_t)value;
    }
    size_t bytes = TRIPLE - padding;
    /* Bits behind the last byte have to be 0, so that there is one text for each content. */
    if (padding && (bits & ((1U << OCTET * padding) - 1))) return 0;
    for (size_t i = 0; i < bytes; i++) out[i] = (char)(uint8_t)(bits >> OCTET * (2 - i));
    return bytes;
}

RC manifest_footer(const struct manifest_object *object, struct arena *arena, struct str *out) {
    struct str text = object->footer_base64;
    if (!text.len) return RC_ABSENT;
    if (text.len % QUAD) return RC_BAD;
    size_t padding = (size_t)str_ends(text, STR("=")) + (size_t)str_ends(text, STR("=="));
    char *bytes = arena_alloc(arena, text.len / QUAD * TRIPLE);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i += QUAD) {
        size_t made = decode_quad(text.at + i, i + QUAD == text.len ? padding : 0, bytes + len);
        if (!made) return RC_BAD;
        len += made;
    }
    *out = (struct str){bytes, len};
    return RC_OK;
}
