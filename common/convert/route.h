/* SPDX-License-Identifier: Apache-2.0 */
/* route: a table from bytes to small numbers, for one slice: partition keys and paths to outputs.
 *
 * Open addressing with linear probing; keys are compared whole, so equal hashes (which hostile data can make) only cost
 * time. Forgetting all is O(1): a slot counts only when its stamp is the present one. Memory: 24 bytes for each of at
 * least 2 * room slots, and the keys in the caller's arena. Threads: one at a time. Limits: `room` keys; more are not
 * taken. */
#ifndef SLUICE_ROUTE_H
#define SLUICE_ROUTE_H

#include "arena.h"
#include "str.h"

#include <stdint.h>

enum { ROUTE_NONE = -1 };

struct route_slot {
    uint64_t hash;
    const char *key;
    uint32_t key_len;
    uint32_t value;
};

struct route {
    struct route_slot *slots;
    uint32_t *stamps;
    uint32_t stamp, mask;
    size_t count, room;
};

void route_init(struct route *route, size_t room);
void route_done(struct route *route);
/* Forgets all keys. */
void route_reset(struct route *route);
/* The key's number, or ROUTE_NONE. */
int64_t route_get(const struct route *route, struct str key, uint64_t hash);
/* `key` is not there yet; it is copied to `arena`. Does nothing when the table is full. */
void route_put(struct route *route, struct arena *arena, struct str key, uint64_t hash, uint32_t value);

#endif
