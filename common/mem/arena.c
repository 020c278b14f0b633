/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "alloc.h"
#include "num.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t room, used;
    alignas(max_align_t) char bytes[];
};

void arena_done(struct arena *arena) {
    if (!arena) return;
    for (struct arena_chunk *c = arena->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    *arena = ARENA_INIT;
}

void arena_reset(struct arena *arena) {
    for (struct arena_chunk *c = arena->first; c; c = c->next) c->used = 0;
    arena->now = arena->first;
    arena->used = 0;
}

static struct arena_chunk *chunk_new(size_t bytes) {
    size_t room = MAX(bytes, (size_t)ARENA_CHUNK);
    struct arena_chunk *c = alloc_bytes(sizeof *c + room);
    *c = (struct arena_chunk){.room = room};
    return c;
}

/* The next chunk with room for `bytes`: one kept from before the reset, or a new one put in behind the current. */
static struct arena_chunk *chunk_with_room(struct arena *arena, size_t bytes) {
    struct arena_chunk *c = arena->now;
    if (c && c->room - c->used >= bytes) return c;
    if (c && c->next && c->next->room >= bytes) return arena->now = c->next;
    struct arena_chunk *fresh = chunk_new(bytes);
    if (c) {
        fresh->next = c->next;
        c->next = fresh;
    } else {
        arena->first = fresh;
    }
    return arena->now = fresh;
}

void *arena_alloc(struct arena *arena, size_t bytes) {
    size_t align = alignof(max_align_t), size = (bytes + align - 1) / align * align;
    struct arena_chunk *c = chunk_with_room(arena, size);
    void *p = c->bytes + c->used;
    c->used += size;
    arena->used += size;
    memset(p, 0, size);
    return p;
}

struct str arena_str(struct arena *arena, struct str from) {
    char *p = arena_alloc(arena, from.len + 1);
    if (from.len) memcpy(p, from.at, from.len);
    return (struct str){p, from.len};
}

size_t arena_used(const struct arena *arena) { return arena->used; }
