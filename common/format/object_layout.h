/* SPDX-License-Identifier: Apache-2.0 */
/* object_layout: the bytes behind an object's frames, for the writer and the reader. All numbers are little-endian.
 *
 *   skippable frame   u32 0x184D2A5C, u32 content bytes
 *     content         "SLUICEFT", u32 version, footer (footer.h), u64 XXH3-64 of the footer
 *   skippable frame   u32 0x184D2A5E, u32 content bytes          zstd's seekable format 0.1.0
 *     entries         u32 compressed, u32 decompressed, u32 low half of XXH64 of the content; one a frame, the last is
 *                     that of the footer's frame, which holds nothing
 *     footer          u32 number of entries, u8 descriptor, u32 0x8F92EAB1
 *
 * Threads: pure. */
#ifndef SLUICE_OBJECT_LAYOUT_H
#define SLUICE_OBJECT_LAYOUT_H

#include "buf.h"

enum {
    LAYOUT_VERSION = 2,
    LAYOUT_SKIPPABLE_BYTES = 8, /* magic and size in front of a skippable frame's content */
    LAYOUT_NAME_BYTES = 8,
    LAYOUT_FOOTER_EXTRA = LAYOUT_SKIPPABLE_BYTES + LAYOUT_NAME_BYTES + 4 + 8,
    LAYOUT_ENTRY_BYTES = 12,
    LAYOUT_TABLE_END_BYTES = 9,
    LAYOUT_TABLE_EXTRA = LAYOUT_SKIPPABLE_BYTES + LAYOUT_TABLE_END_BYTES,
    LAYOUT_CHECKSUMS = 0x80, /* descriptor: entries have checksums */
};
#define LAYOUT_FOOTER_MAGIC 0x184D2A5CU
#define LAYOUT_FOOTER_NAME "SLUICEFT"
#define LAYOUT_TABLE_MAGIC 0x184D2A5EU
#define LAYOUT_SEEKABLE_MAGIC 0x8F92EAB1U
/* Low half of XXH64 of nothing, seed 0. */
#define LAYOUT_CHECKSUM_OF_NOTHING 0x51D8E999U

static inline void layout_put(struct buf *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) buf_add_char(out, (char)(uint8_t)(value >> 8 * i));
}

static inline uint64_t layout_get(const char *at, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value |= (uint64_t)(uint8_t)at[i] << 8 * i;
    return value;
}

#endif
