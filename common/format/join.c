/* SPDX-License-Identifier: Apache-2.0 */
#include "join.h"

#include "num.h"

/* The group that is open: the blocks waiting[0..len) in order, which become one frame. */
struct group {
    size_t *waiting;
    size_t len;
    uint64_t raw_bytes, expected_bytes;
};

static void close_group(struct join *join, struct group *group, size_t *used) {
    if (!group->len) return;
    for (size_t i = 0; i < group->len; i++) join->order[*used + i] = group->waiting[i];
    join->frames[join->frames_len++] = (struct join_frame){.from = *used,
                                                           .to = *used + group->len,
                                                           .raw_bytes = group->raw_bytes,
                                                           .expected_bytes = group->expected_bytes};
    *used += group->len;
    *group = (struct group){.waiting = group->waiting};
}

static void pass(struct join *join, const struct join_block *block, size_t index, size_t *used) {
    join->order[*used] = index;
    join->frames[join->frames_len++] = (struct join_frame){.from = *used,
                                                           .to = *used + 1,
                                                           .passes = true,
                                                           .raw_bytes = block->raw_bytes,
                                                           .expected_bytes = block->expected_bytes};
    *used += 1;
}

struct join join_blocks(const struct join_block *blocks, size_t count, enum block_codec codec, uint64_t block_bytes,
                        struct arena *arena) {
    struct join join = {ARENA_ARRAY(arena, size_t, count), ARENA_ARRAY(arena, struct join_frame, count), 0};
    struct group group = {.waiting = ARENA_ARRAY(arena, size_t, count)};
    uint64_t enough = MIN(block_bytes, (uint64_t)JOIN_RAW_BYTES);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct join_block *b = &blocks[i];
        if (b->codec == codec) {
            pass(&join, b, i, &used);
            continue;
        }
        if (num_add(group.raw_bytes, b->raw_bytes) > block_bytes) close_group(&join, &group, &used);
        group.waiting[group.len++] = i;
        group.raw_bytes = num_add(group.raw_bytes, b->raw_bytes);
        group.expected_bytes = num_add(group.expected_bytes, b->expected_bytes);
        if (group.raw_bytes >= enough) close_group(&join, &group, &used);
    }
    close_group(&join, &group, &used);
    return join;
}
