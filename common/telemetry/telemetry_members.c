/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_members.h"

#include "alloc.h"
#include "must.h"
#include "json_raw.h"

#include <stdlib.h>
#include <xxhash.h>

enum { FEW = 8 }; /* are compared each with each */

uint64_t telemetry_hash(struct str name) { return XXH3_64bits(name.at, name.len); }

static struct telemetry_member *among_few(const struct telemetry_members *m, struct str name) {
    for (size_t i = 0; i < m->count; i++)
        if (str_equal(m->at[i].name, name)) return &m->at[i];
    return NULL;
}

/* Where the name is, or its free slot. */
static uint32_t *slot_of(const struct telemetry_members *m, struct str name, uint64_t hash) {
    size_t mask = m->slots_room - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        if (!m->slots[i]) return &m->slots[i];
        const struct telemetry_member *member = &m->at[m->slots[i] - 1];
        if (member->hash == hash && str_equal(member->name, name)) return &m->slots[i];
    }
}

static void make_slots(struct telemetry_members *m, size_t total) {
    size_t room = 64;
    while (room < total * 2) room *= 2;
    if (room > m->slots_room) {
        free(m->slots);
        m->slots = alloc_zero(room, sizeof *m->slots);
        m->slots_room = room;
    } else {
        memset(m->slots, 0, m->slots_room * sizeof *m->slots);
    }
}

void telemetry_members_read(struct telemetry_members *m, struct json_node node, struct str raw) {
    size_t total = json_count(node), at = json_raw_open(raw);
    struct json_iter each = json_each(node);
    struct telemetry_member next;
    m->count = 0;
    if (m->room < total) alloc_grow(&m->at, &m->room, total, sizeof *m->at);
    if (total > FEW) make_slots(m, total);
    while (json_next(&each, &next.name, &next.node)) {
        next.raw = json_raw_next(raw, &at, &next.key);
        next.hash = telemetry_hash(next.name);
        uint32_t *slot = total > FEW ? slot_of(m, next.name, next.hash) : NULL;
        struct telemetry_member *same = slot ? *slot ? &m->at[*slot - 1] : NULL : among_few(m, next.name);
        if (same) {
            same->node = next.node;
            same->raw = next.raw;
            continue;
        }
        MUST(m->at && m->count < m->room); /* each has a place, and json_count() counted them */
        m->at[m->count++] = next;
        if (slot) *slot = (uint32_t)m->count;
    }
}

const struct telemetry_member *telemetry_members_find(const struct telemetry_members *m, struct str name) {
    return among_few(m, name);
}

struct json_node telemetry_member_last(struct json_node object, struct str name) {
    struct json_iter each = json_each(object);
    struct json_node value, found = JSON_NODE_NONE;
    struct str key;
    while (json_next(&each, &key, &value))
        if (str_equal(key, name)) found = value;
    return found;
}

void telemetry_members_done(struct telemetry_members *m) {
    free(m->at);
    free(m->slots);
    *m = (struct telemetry_members){0};
}
