/* SPDX-License-Identifier: Apache-2.0 */
/* blocks: one converted slice as blocks and a trailer, appended to the log.
 *
 * An output with at least BLOCKS_SMALL raw bytes in the slice is cut into blocks of even size near block_bytes (or
 * less, where that would be over frame_bytes compressed) and compressed here; a smaller one travels stored, with the
 * compressed size to expect, and is compressed once by the uploader when it is joined with its like: frames of 512 KiB
 * cost 4% in size, of 16 KiB 40%. What to expect is learned for each output from one small block in 32, and from all
 * that are compressed here. Large blocks go round robin over the queue's partitions, small ones by hash of their
 * output, so that each output's small blocks meet in one partition.
 *
 * Memory: one compression context, one compressed block, one small block, 8 KiB. Threads: one at a time. Fails: what
 * append fails with. */
#ifndef SLUICE_BLOCKS_H
#define SLUICE_BLOCKS_H

#include "block.h"
#include "frame.h"
#include "slice.h"

enum { BLOCKS_SMALL = 1024 * 1024, BLOCKS_LARGE = 1024 * 1024 };

/* Appends one message; may wait for room. */
typedef enum rc (*blocks_append)(void *context, uint32_t partition, struct str head, struct str body, struct why *why);

struct blocks_settings {
    enum frame_format format;
    int level;
    uint64_t block_bytes;
    uint64_t small_bytes, large_bytes; /* 0: BLOCKS_SMALL, BLOCKS_LARGE; smaller for tests */
    uint64_t frame_bytes;              /* compressed, see split_frame_bytes(); 0: any */
    uint32_t partitions;
    blocks_append append;
    void *context;
};

struct blocks;

struct blocks *blocks_new(const struct blocks_settings *settings);
void blocks_free(struct blocks *blocks);
/* Publishes all outputs of the result, then the trailer (whose attempt, facts, counts, tail_hash and closed are given,
 * the rest is filled in). *out_messages is how many messages were appended. On failure some may have been: the attempt
 * is dead. */
RC blocks_publish(struct blocks *blocks, const struct slice_result *result, struct block_trailer *trailer,
                  uint32_t *out_messages, struct why *why);

#endif
