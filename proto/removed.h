/* SPDX-License-Identifier: Apache-2.0 */
/* removed: the tombstone of a generation: it was removed, its objects are gone or going, and nobody makes any more.
 * Put once, only if absent, at name_removed(), before anything is taken away. JSON. Threads: pure. */
#ifndef SLUICE_REMOVED_H
#define SLUICE_REMOVED_H

#include "arena.h"
#include "buf.h"
#include "id.h"

enum { REMOVED_BYTES_MAX = 4096 };

struct removed {
    struct id queue;
    uint64_t generation;
    int64_t removed_ns; /* when; since the Unix epoch, for people */
};

RC removed_encode(const struct removed *removed, struct buf *out);
RC removed_decode(struct str bytes, struct arena *arena, struct removed *out, struct why *why);

#endif
