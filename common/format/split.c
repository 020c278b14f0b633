/* SPDX-License-Identifier: Apache-2.0 */
#include "split.h"

#include "must.h"
#include "num.h"

#include <stdbool.h>

uint64_t split_frame_bytes(uint64_t object_bytes) { return MAX(object_bytes / 40, (uint64_t)SPLIT_FRAME_MIN); }

size_t split_count(uint64_t bytes, size_t frames, uint64_t object_bytes) {
    MUST(object_bytes > 0);
    uint64_t share = num_add(object_bytes, object_bytes / 20);
    uint64_t objects = MAX(num_ceil_div(bytes, share), 1U);
    return (size_t)MIN(objects, (uint64_t)frames);
}

/* Share i of n of `sum`, without overflow. */
static uint64_t share_end(uint64_t sum, size_t i, size_t n) { return (uint64_t)((unsigned __int128)sum * i / n); }

void split_frames(const uint64_t *sizes, size_t count, size_t objects, size_t *out_ends) {
    MUST(objects <= count);
    uint64_t sum = 0, at = 0;
    for (size_t i = 0; i < count; i++) sum = num_add(sum, sizes[i]);
    size_t frame = 0;
    for (size_t object = 0; object < objects; object++) {
        uint64_t aim = share_end(sum, object + 1, objects);
        size_t first = frame, left = objects - object - 1;
        /* At least one frame here, and one left for each object behind; a frame that lies across the aim goes where
         * more of it is. */
        while (frame < count - left) {
            bool mine = frame == first || left == 0 || num_add(at, sizes[frame] / 2) <= aim;
            if (!mine) break;
            at = num_add(at, sizes[frame++]);
        }
        out_ends[object] = frame;
    }
}
