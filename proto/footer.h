/* SPDX-License-Identifier: Apache-2.0 */
/* footer: what an object holds, block by block, with the provenance of every part. Encoded it is protobuf Footer in a
 * zstd frame; where it goes in an object is common/format's matter. Squeezed (squeeze.h): the ids and ranges of many
 * parts are most of a small object's footer, and take a third. Decoded data lives in the arena. Threads: pure. Fails:
 * RC_BAD. */
#ifndef SLUICE_FOOTER_H
#define SLUICE_FOOTER_H

#include "seal.h"

enum { FOOTER_VERSION = 1, FOOTER_BYTES_MAX = 64 * 1024 * 1024 /* also of what is in the frame */ };

struct footer_part {
    struct id file;
    uint64_t stripe, from, to;
    struct id attempt;
    uint32_t index; /* block_header.index */
    uint64_t records, raw_bytes;
};

struct footer_block {
    uint64_t offset, bytes, raw_bytes, records;
    bool has_time;
    int64_t time_min_ns, time_max_ns;
    uint64_t checksum; /* XXH3-64 of the raw bytes */
    struct footer_part *parts;
    size_t parts_len;
};

struct footer {
    struct id queue;
    uint64_t generation;
    uint32_t partition;
    uint64_t seal;
    struct str output;
    bool rejects;
    struct settings settings;
    struct footer_block *blocks;
    size_t blocks_len;
};

RC footer_encode(const struct footer *footer, struct buf *out);
RC footer_decode(struct str bytes, struct arena *arena, struct footer *out, struct why *why);

#endif
