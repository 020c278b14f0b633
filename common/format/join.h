/* SPDX-License-Identifier: Apache-2.0 */
/* join: which blocks of one output in one seal become which frames of its objects. A block that is a frame of the
 * output's format already passes as it is; others (stored ones, or those of a former format) are joined and compressed
 * together, because small frames cost 4 to 70% in size.
 *
 * Decided by the blocks' headers and the settings alone, so that a redo under another library makes the same frames.
 * Blocks are joined in order to frames of even size near block_bytes, and no more than frame_bytes compressed; a block
 * that passes does not end the group that is open, it goes before it. So the records of one attempt stay in order,
 * those of two attempts of a stripe may not.
 *
 * Memory: 56 bytes a block in the arena. Threads: pure. Limits: a frame holds at most 1.5 `block_bytes` raw bytes
 * unless one block alone is larger. Fails: never. */
#ifndef SLUICE_JOIN_H
#define SLUICE_JOIN_H

#include "arena.h"
#include "block.h"

struct join_limits {
    enum block_codec codec; /* frame_codec() of the output's format */
    uint64_t block_bytes;   /* raw, as configured */
    uint64_t frame_bytes;   /* expected, see split_frame_bytes() */
};

struct join_block {
    enum block_codec codec;
    uint64_t raw_bytes, expected_bytes; /* block_header's */
};

/* One frame: made of the blocks order[from..to). */
struct join_frame {
    size_t from, to;
    bool passes; /* one block, taken as it is; else decode, join, compress */
    uint64_t raw_bytes, expected_bytes;
};

struct join {
    size_t *order; /* indices into the given blocks, each once */
    struct join_frame *frames;
    size_t frames_len;
};

struct join join_blocks(const struct join_block *blocks, size_t count, const struct join_limits *limits,
                        struct arena *arena);

#endif
