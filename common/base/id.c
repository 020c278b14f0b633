/* SPDX-License-Identifier: Apache-2.0 */
#include "id.h"

#include <string.h>

struct id id_make(struct rng *rng) {
    struct id id;
    do {
        uint64_t a = rng_next(rng), b = rng_next(rng);
        memcpy(id.bytes, &a, 8);
        memcpy(id.bytes + 8, &b, 8);
    } while (id_is_none(id));
    return id;
}

bool id_equal(struct id a, struct id b) { return memcmp(a.bytes, b.bytes, ID_BYTES) == 0; }

bool id_is_none(struct id id) {
    static const struct id none = {{0}};
    return id_equal(id, none);
}

int id_compare(struct id a, struct id b) { return memcmp(a.bytes, b.bytes, ID_BYTES); }

char *id_format(struct id id, char out[ID_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < ID_BYTES; i++) {
        out[2 * i] = digits[id.bytes[i] >> 4];
        out[2 * i + 1] = digits[id.bytes[i] & 15];
    }
    out[ID_TEXT - 1] = '\0';
    return out;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

RC id_parse(const char *text, size_t len, struct id *out) {
    if (len != ID_TEXT - 1) return RC_BAD;
    struct id id;
    for (size_t i = 0; i < ID_BYTES; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return RC_BAD;
        id.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = id;
    return RC_OK;
}

RC id_from_bytes(const void *bytes, size_t len, struct id *out) {
    if (len != ID_BYTES) return RC_BAD;
    memcpy(out->bytes, bytes, ID_BYTES);
    return RC_OK;
}
