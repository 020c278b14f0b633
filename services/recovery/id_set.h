/* SPDX-License-Identifier: Apache-2.0 */
/* id_set: a set of ids. Memory: 32 bytes an id at most. Threads: one at a time. Fails: never. */
#ifndef SLUICE_ID_SET_H
#define SLUICE_ID_SET_H

#include "id.h"

struct id_set {
    struct id *slots; /* open addressing; the none id is empty */
    size_t room, len;
};

void id_set_done(struct id_set *set);
bool id_set_has(const struct id_set *set, struct id id);
/* `id` is not none. False when it was in there. */
bool id_set_add(struct id_set *set, struct id id);

#endif
