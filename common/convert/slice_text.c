/* SPDX-License-Identifier: Apache-2.0 */
#include "slice_impl.h"

#include "alloc.h"
#include "num.h"

#include <stdlib.h>

/* Records of one output are adjacent only inside a chunk, so it is some pieces long. */
enum { CHUNK = 256 * 1024 };

char *slice_text_room(struct slice_text *text, size_t bytes) {
    struct slice_chunk *now = text->now;
    if (now && now->room - now->len >= bytes) return now->at + now->len;
    struct slice_chunk **link = now ? &now->next : &text->first;
    while (*link && (*link)->room < bytes) { /* kept from an earlier slice, and too small */
        struct slice_chunk *small = *link;
        *link = small->next;
        free(small);
    }
    if (!*link) {
        size_t room = MAX(bytes, (size_t)CHUNK);
        struct slice_chunk *made = alloc_bytes(sizeof *made + room);
        *made = (struct slice_chunk){.room = room};
        *link = made;
    }
    text->now = *link;
    text->now->len = 0;
    text->used += text->now->room;
    return text->now->at;
}

void slice_text_take(struct slice_text *text, size_t bytes) { text->now->len += bytes; }

void slice_text_reset(struct slice_text *text) {
    /* Chunks for single long lines go, so that they do not add up. */
    for (struct slice_chunk **link = &text->first; *link;) {
        struct slice_chunk *chunk = *link;
        if (chunk->room <= CHUNK) {
            link = &chunk->next;
            continue;
        }
        *link = chunk->next;
        free(chunk);
    }
    text->now = NULL;
    text->used = 0;
}

void slice_text_done(struct slice_text *text) {
    while (text->first) {
        struct slice_chunk *chunk = text->first;
        text->first = chunk->next;
        free(chunk);
    }
}
