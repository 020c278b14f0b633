/* SPDX-License-Identifier: Apache-2.0 */
/* split: cuts the frames of one output in one seal into objects of even size.
 *
 * B bytes (expected sizes, from headers) make n = ceil(B / (1.05 * object_bytes)) objects, and each end is put at the
 * frame boundary that is nearest to its even share. So, while no frame is over split_frame_bytes(): no object is above
 * 1.1 * object_bytes, and none of several is below half of it. (ceil(B / object_bytes) would cut B just above
 * object_bytes into two halves of which one can be below half; with 1.05 there is room on both sides.) Larger frames
 * weaken that, but every object holds at least one frame. Sizes after compressing again do not count: a redo cuts at
 * the same places.
 *
 * Threads: pure. Fails: never. */
#ifndef SLUICE_SPLIT_H
#define SLUICE_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/* The most that a frame should take compressed: object_bytes / 40, for an object begins and ends up to half a frame
 * beside its share. At least SPLIT_FRAME_MIN: tiny frames cost more than exact sizes are worth. */
enum { SPLIT_FRAME_MIN = 16 * 1024 };
uint64_t split_frame_bytes(uint64_t object_bytes);
/* How many objects `bytes` make, at most one a frame; 0 for no frame. object_bytes > 0. */
size_t split_count(uint64_t bytes, size_t frames, uint64_t object_bytes);
/* Object i holds the frames [i ? out_ends[i - 1] : 0, out_ends[i]). `sizes` are the expected bytes of `count` frames,
 * `out_ends` has room for `objects` = split_count() of them. */
void split_frames(const uint64_t *sizes, size_t count, size_t objects, size_t *out_ends);

#endif
