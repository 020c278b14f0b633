/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include "alloc.h"

#include <stdlib.h>

void route_init(struct route *route, size_t room) {
    size_t slots = 64;
    while (slots < 2 * room) slots *= 2;
    *route = (struct route){.slots = alloc_zero(slots, sizeof(struct route_slot)),
                            .stamps = alloc_zero(slots, sizeof(uint32_t)),
                            .stamp = 1,
                            .mask = (uint32_t)slots - 1,
                            .room = room};
}

void route_done(struct route *route) {
    free(route->slots);
    free(route->stamps);
}

void route_reset(struct route *route) {
    route->count = 0;
    if (++route->stamp == 0) { /* after 2^32 slices old stamps would count again */
        memset(route->stamps, 0, ((size_t)route->mask + 1) * sizeof(uint32_t));
        route->stamp = 1;
    }
}

/* The slot of the key, or the free one where it would be. */
static uint32_t find(const struct route *route, struct str key, uint64_t hash) {
    uint32_t at = (uint32_t)hash & route->mask;
    for (; route->stamps[at] == route->stamp; at = (at + 1) & route->mask) {
        const struct route_slot *slot = &route->slots[at];
        if (slot->hash == hash && str_equal((struct str){slot->key, slot->key_len}, key)) break;
    }
    return at;
}

int64_t route_get(const struct route *route, struct str key, uint64_t hash) {
    uint32_t at = find(route, key, hash);
    return route->stamps[at] == route->stamp ? (int64_t)route->slots[at].value : ROUTE_NONE;
}

void route_put(struct route *route, struct arena *arena, struct str key, uint64_t hash, uint32_t value) {
    if (route->count == route->room) return;
    uint32_t at = find(route, key, hash);
    struct str copy = arena_str(arena, key);
    route->slots[at] = (struct route_slot){hash, copy.at, (uint32_t)copy.len, value};
    route->stamps[at] = route->stamp;
    route->count++;
}
