/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_members: the members of a JSON object, each key once: of one that stands twice the last value counts, at
 * the first one's place. So Python's json reads them, which is what the format was defined with.
 *
 * Memory: some 100 bytes a member, kept for the next object. Threads: one at a time. */
#ifndef SLUICE_TELEMETRY_MEMBERS_H
#define SLUICE_TELEMETRY_MEMBERS_H

#include "json.h"

struct telemetry_member {
    struct str name;     /* unescaped */
    struct str key, raw; /* as written, the key with its quotes */
    struct json_node node;
    uint64_t hash; /* of the name; see telemetry_hash() */
};

struct telemetry_members {
    struct telemetry_member *at;
    size_t count, room;
    uint32_t *slots; /* index + 1; of objects with many members */
    size_t slots_room;
};

uint64_t telemetry_hash(struct str name);
/* `raw` is the text of the object that `node` is. Good as long as these are. */
void telemetry_members_read(struct telemetry_members *members, struct json_node node, struct str raw);
/* NULL: it has none of this name. */
const struct telemetry_member *telemetry_members_find(const struct telemetry_members *members, struct str name);
/* The same for who wants one of an object: JSON_NODE_NONE: none. */
struct json_node telemetry_member_last(struct json_node object, struct str name);
void telemetry_members_done(struct telemetry_members *members);

#endif
