/* SPDX-License-Identifier: Apache-2.0 */
/* arena: many small allocations that end together: one slice of work, one batch. arena_reset() keeps the chunks, so a
 * lane stops calling malloc after its first slice. Memory: chunks of at least ARENA_CHUNK bytes; bounded by what the
 * owner puts in, which it can read with arena_used(). Threads: one at a time. Fails: only by running out of memory
 * (alloc.h). */
#ifndef SLUICE_ARENA_H
#define SLUICE_ARENA_H

#include "str.h"

#include <stddef.h>

enum { ARENA_CHUNK = 64 * 1024 };

struct arena {
    struct arena_chunk *first, *now;
    size_t used;
};

#define ARENA_INIT ((struct arena){0})

void arena_done(struct arena *arena);
/* Forgets all allocations, keeps the memory. */
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* A copy with a NUL behind it (not counted in .len). */
struct str arena_str(struct arena *arena, struct str from);
/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

#endif
