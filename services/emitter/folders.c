/* SPDX-License-Identifier: Apache-2.0 */
#include "folders.h"

#include "alloc.h"
#include "attempt.h"
#include "must.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_ROOM_MIN = 64 };

void folders_done(struct folders *f) {
    for (size_t i = 0; i < f->len; i++) free(f->at[i].text);
    free(f->at);
    free(f->index);
    free(f->unused);
    *f = (struct folders){0};
}

static size_t home_of(const struct folders *f, struct str text) { return hash_bytes(text) & (f->index_room - 1); }

/* The slot that holds the text, or the empty one where it belongs. */
static size_t slot_of(const struct folders *f, struct str text) {
    size_t at = home_of(f, text);
    while (f->index[at] != FOLDERS_NONE && !str_equal(folders_text(f, f->index[at]), text))
        at = (at + 1) & (f->index_room - 1);
    return at;
}

static void grow(struct folders *f) {
    size_t room = f->index_room ? f->index_room * 2 : INDEX_ROOM_MIN;
    free(f->index);
    f->index = alloc_bytes(room * sizeof *f->index);
    memset(f->index, 0xff, room * sizeof *f->index);
    f->index_room = room;
    for (size_t i = 0; i < f->len; i++)
        if (f->at[i].text) f->index[slot_of(f, folders_text(f, (uint32_t)i))] = (uint32_t)i;
}

static uint32_t number_take(struct folders *f) {
    if (f->unused_len) return f->unused[--f->unused_len];
    MUST(f->len < FOLDERS_NONE - 1);
    alloc_grow(&f->at, &f->room, f->len + 1, sizeof *f->at);
    return (uint32_t)f->len++;
}

uint32_t folders_take(struct folders *f, struct str text) {
    if ((f->live + 1) * 2 > f->index_room) grow(f);
    size_t slot = slot_of(f, text);
    if (f->index[slot] == FOLDERS_NONE) {
        uint32_t number = number_take(f);
        f->at[number] = (struct folder){alloc_text(text.at, text.len), (uint32_t)text.len, 0};
        f->index[slot] = number;
        f->live++;
    }
    f->at[f->index[slot]].users++;
    return f->index[slot];
}

/* Backward-shift deletion, as in catalog.c. */
static void index_remove(struct folders *f, size_t hole) {
    size_t mask = f->index_room - 1;
    for (size_t at = (hole + 1) & mask; f->index[at] != FOLDERS_NONE; at = (at + 1) & mask) {
        size_t home = home_of(f, folders_text(f, f->index[at]));
        bool stays = hole <= at ? (hole < home && home <= at) : (hole < home || home <= at);
        if (stays) continue;
        f->index[hole] = f->index[at];
        hole = at;
    }
    f->index[hole] = FOLDERS_NONE;
}

void folders_drop(struct folders *f, uint32_t number) {
    struct folder *folder = &f->at[number];
    MUST(number < f->len && folder->users > 0);
    if (--folder->users) return;
    index_remove(f, slot_of(f, folders_text(f, number)));
    free(folder->text);
    folder->text = NULL;
    alloc_grow(&f->unused, &f->unused_room, f->unused_len + 1, sizeof *f->unused);
    f->unused[f->unused_len++] = number;
    f->live--;
}
