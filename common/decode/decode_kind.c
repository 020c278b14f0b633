/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_kind.h"

#include "num.h"

static const char *const names[DECODE_KINDS] = {"none", "gzip", "zstd", "xz", "bzip2"};

const char *decode_kind_name(enum decode_kind kind) { return names[kind]; }

bool decode_kind_fits(enum decode_kind kind, size_t at, unsigned char byte, bool *out_known) {
    static const unsigned char xz[] = {0xFD, '7', 'z', 'X', 'Z', 0}, gzip[] = {0x1F, 0x8B};
    /* A frame, or one that is skipped: the first byte says which, and the others have to agree. */
    static const unsigned char frame[] = {0x28, 0xB5, 0x2F, 0xFD}, skipped[] = {0x50, 0x2A, 0x4D, 0x18};
    *out_known = true;
    switch (kind) {
    case DECODE_GZIP:
        if (at < COUNT_OF(gzip)) return byte == gzip[at];
        break;
    case DECODE_ZSTD:
        if (at == 0) return byte == frame[0] || (byte & 0xF0) == skipped[0];
        if (at < COUNT_OF(frame)) return byte == frame[at] || byte == skipped[at];
        break;
    case DECODE_XZ:
        if (at < COUNT_OF(xz)) return byte == xz[at];
        break;
    case DECODE_BZIP2:
        if (at < 3) return byte == (unsigned char)"BZh"[at];
        if (at == 3) return byte >= '1' && byte <= '9';
        break;
    default: break;
    }
    *out_known = false;
    return true;
}

static bool begins_as(enum decode_kind kind, struct str head) {
    bool known = true;
    size_t at = 0;
    while (at < head.len && decode_kind_fits(kind, at, (unsigned char)head.at[at], &known) && known) at++;
    return !known && at > 0;
}

/* Three letters and a digit begin many a text: what stands behind them in each such file does not. */
static bool is_bzip2(struct str head) {
    return head.len >= DECODE_MAGIC_MAX &&
           (memcmp(head.at + 4, "1AY&SY", 6) == 0 || memcmp(head.at + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

enum decode_kind decode_kind_of(struct str head) {
    for (enum decode_kind kind = DECODE_GZIP; kind < DECODE_KINDS; kind++)
        if (begins_as(kind, head) && (kind != DECODE_BZIP2 || is_bzip2(head))) return kind;
    return DECODE_NONE;
}

size_t decode_kind_ending(struct str name) {
    static const char *const endings[] = {".gz", ".zst", ".xz", ".bz2", ".z", ".zstd"};
    for (size_t i = 0; i < COUNT_OF(endings); i++)
        if (str_ends(name, str_of(endings[i]))) return strlen(endings[i]);
    return 0;
}

bool decode_kind_is_named(struct str name) { return decode_kind_ending(name) > 0; }
