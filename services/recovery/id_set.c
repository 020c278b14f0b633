/* SPDX-License-Identifier: Apache-2.0 */
#include "id_set.h"

#include "alloc.h"
#include "must.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

void id_set_done(struct id_set *set) {
    free(set->slots);
    *set = (struct id_set){0};
}

static struct id *slot_of(const struct id_set *set, struct id id) {
    uint64_t hash = 0;
    memcpy(&hash, id.bytes, sizeof hash); /* ids are random */
    size_t at = hash & (set->room - 1);
    while (!id_is_none(set->slots[at]) && !id_equal(set->slots[at], id)) at = (at + 1) & (set->room - 1);
    return &set->slots[at];
}

bool id_set_has(const struct id_set *set, struct id id) { return set->room && !id_is_none(*slot_of(set, id)); }

static void grow(struct id_set *set) {
    struct id_set more = {.room = set->room ? set->room * 2 : FIRST_ROOM, .len = set->len};
    more.slots = alloc_zero(more.room, sizeof *more.slots);
    for (size_t i = 0; i < set->room; i++)
        if (!id_is_none(set->slots[i])) *slot_of(&more, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = more;
}

bool id_set_add(struct id_set *set, struct id id) {
    MUST(!id_is_none(id));
    if ((set->len + 1) * 2 > set->room) grow(set);
    struct id *slot = slot_of(set, id);
    if (!id_is_none(*slot)) return false;
    *slot = id;
    set->len++;
    return true;
}
