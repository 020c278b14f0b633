/* SPDX-License-Identifier: Apache-2.0 */
/* seal: which blocks of [start, end) of a queue partition are in batch `index`. Put only if absent, and then it is the
 * law: a redo follows it. start == end is a barrier. On the wire: protobuf Seal in one zstd frame. Decoded data lives
 * in the arena. Threads: pure. Limits: SEAL_BYTES_MAX encoded. Fails: RC_BAD for anything that is not exactly a seal.
 */
#ifndef SLUICE_SEAL_H
#define SLUICE_SEAL_H

#include "arena.h"
#include "attempt.h"
#include "block.h"
#include "buf.h"

enum { SEAL_VERSION = 1, SEAL_BYTES_MAX = 64 * 1024 * 1024 };

struct settings {
    struct str format; /* jsonl.zst, jsonl.gz */
    int level;
    uint64_t object_bytes;
    uint64_t block_bytes; /* small blocks are joined up to it: a redo must join and split alike */
    struct str encoder;   /* library and version, informative */
};

struct seal_block {
    uint64_t offset;  /* in the queue partition */
    uint32_t attempt; /* index into .attempts */
    uint32_t index;   /* block_header.index */
};

struct seal {
    struct id queue;
    uint64_t generation;
    uint32_t partition;
    uint64_t index;
    uint64_t start, end;
    uint64_t epoch;
    struct settings settings;
    struct attempt *attempts; /* won ones with a block or trailer in here */
    struct facts *facts;      /* facts[i] is of the file of attempts[i] (the codec stores each file once) */
    size_t attempts_len;
    struct seal_block *blocks; /* kept, ascending by offset */
    size_t blocks_len;
    struct block_trailer *trailers; /* whole, of won attempts whose trailer lies in [start, end) */
    size_t trailers_len;
};

static inline bool seal_is_barrier(const struct seal *seal) { return seal->start == seal->end; }
RC seal_encode(const struct seal *seal, struct buf *out);
RC seal_decode(struct str bytes, struct arena *arena, struct seal *out, struct why *why);

#endif
