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

/* What a joined frame holds at least: the even share of all that is joined, so that the last frame is no small rest. */
static uint64_t share_of(const struct join_block *blocks, size_t count, const struct join_limits *limits) {
    uint64_t raw = 0, expected = 0;
    for (size_t i = 0; i < count; i++)
        if (blocks[i].codec != limits->codec) {
            raw = num_add(raw, blocks[i].raw_bytes);
            expected = num_add(expected, blocks[i].expected_bytes);
        }
    uint64_t frames = num_add(raw, limits->block_bytes / 2) / limits->block_bytes;
    frames = MAX(MAX(frames, num_ceil_div(expected, limits->frame_bytes)), (uint64_t)1);
    return num_ceil_div(raw, frames);
}

struct join join_blocks(const struct join_block *blocks, size_t count, const struct join_limits *limits,
                        struct arena *arena) {
    struct join join = {ARENA_ARRAY(arena, size_t, count), ARENA_ARRAY(arena, struct join_frame, count), 0};
    struct group group = {.waiting = ARENA_ARRAY(arena, size_t, count)};
    uint64_t enough = share_of(blocks, count, limits);
    uint64_t most = num_add(limits->block_bytes, limits->block_bytes / 2);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct join_block *b = &blocks[i];
        if (b->codec == limits->codec) {
            pass(&join, b, i, &used);
            continue;
        }
        if (num_add(group.raw_bytes, b->raw_bytes) > most) close_group(&join, &group, &used);
        group.waiting[group.len++] = i;
        group.raw_bytes = num_add(group.raw_bytes, b->raw_bytes);
        group.expected_bytes = num_add(group.expected_bytes, b->expected_bytes);
        if (group.raw_bytes >= enough || group.expected_bytes >= limits->frame_bytes) close_group(&join, &group, &used);
    }
    close_group(&join, &group, &used);
    return join;
}
