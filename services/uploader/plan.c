/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "alloc.h"
#include "split.h"

#include <stdlib.h>

struct group {
    const struct batch_block **blocks;
    size_t len;
};

static bool kept(const struct batch_block *block) { return block->output && block->attempt->decision == LEDGER_WON; }

/* The won blocks of each output, in the log's order: count, then place. */
static struct group *group_blocks(const struct batch *b, uint64_t end, struct arena *arena) {
    struct group *groups = ARENA_ARRAY(arena, struct group, b->outputs_len);
    for (size_t i = 0; i < b->blocks_len && b->blocks[i].offset < end; i++)
        if (kept(&b->blocks[i])) groups[b->blocks[i].output->number].len++;
    for (size_t i = 0; i < b->outputs_len; i++) {
        groups[i].blocks = ARENA_ARRAY(arena, const struct batch_block *, groups[i].len);
        groups[i].len = 0;
    }
    for (size_t i = 0; i < b->blocks_len && b->blocks[i].offset < end; i++) {
        if (!kept(&b->blocks[i])) continue;
        struct group *g = &groups[b->blocks[i].output->number];
        g->blocks[g->len++] = &b->blocks[i];
    }
    return groups;
}

static struct join *join_group(const struct group *g, const struct settings *settings, enum block_codec codec,
                               struct arena *arena) {
    struct join_block *blocks = ARENA_ARRAY(arena, struct join_block, g->len);
    for (size_t i = 0; i < g->len; i++)
        blocks[i] = (struct join_block){(enum block_codec)g->blocks[i]->codec, g->blocks[i]->raw_bytes,
                                        g->blocks[i]->expected_bytes};
    struct join *join = ARENA_NEW(arena, struct join);
    struct join_limits limits = {codec, settings->block_bytes, split_frame_bytes(settings->object_bytes)};
    *join = join_blocks(blocks, g->len, &limits, arena);
    return join;
}

/* Where each object of the output ends, in frames. */
static size_t *cut_group(const struct join *join, const struct settings *settings, struct arena *arena,
                         size_t *out_objects) {
    uint64_t *sizes = ARENA_ARRAY(arena, uint64_t, join->frames_len), sum = 0;
    for (size_t i = 0; i < join->frames_len; i++) sum += sizes[i] = join->frames[i].expected_bytes;
    size_t objects = split_count(sum, join->frames_len, settings->object_bytes);
    size_t *ends = ARENA_ARRAY(arena, size_t, objects);
    split_frames(sizes, join->frames_len, objects, ends);
    *out_objects = objects;
    return ends;
}

void plan_make(const struct batch *b, uint64_t end, const struct settings *settings, enum block_codec codec,
               struct arena *arena, struct plan *out) {
    struct group *groups = group_blocks(b, end, arena);
    struct plan_object *objects = NULL;
    size_t len = 0, room = 0;
    for (size_t i = 0; i < b->outputs_len; i++) {
        if (!groups[i].len) continue;
        struct join *join = join_group(&groups[i], settings, codec, arena);
        size_t n = 0, *ends = cut_group(join, settings, arena, &n);
        alloc_grow(&objects, &room, len + n, sizeof *objects);
        for (size_t k = 0; k < n; k++)
            objects[len++] = (struct plan_object){.output = b->outputs[i],
                                                  .blocks = groups[i].blocks,
                                                  .join = join,
                                                  .frames_from = k ? ends[k - 1] : 0,
                                                  .frames_to = ends[k],
                                                  .number = (uint32_t)k};
    }
    *out = (struct plan){.objects = ARENA_ARRAY(arena, struct plan_object, len), .objects_len = len};
    if (len) memcpy(out->objects, objects, len * sizeof *objects);
    free(objects);
}
