/* SPDX-License-Identifier: Apache-2.0 */
/* plan: which won blocks of a sealed batch go into which frame of which object. Decided by the batch (which follows the
 * seal) and the seal's settings alone, so that every redo plans the same. Pure. Memory: in the arena. */
#ifndef SLUICE_PLAN_H
#define SLUICE_PLAN_H

#include "batch.h"
#include "join.h"

struct plan_object {
    const struct batch_output *output;
    const struct batch_block *const *blocks; /* of the output, in the log's order */
    const struct join *join;                 /* over these blocks */
    size_t frames_from, frames_to;           /* of join->frames */
    uint32_t number;                         /* 0, 1, … of the output */
};

struct plan {
    struct plan_object *objects;
    size_t objects_len;
};

/* Of all won blocks below `end`. `codec` is that of frames of the output's format. */
void plan_make(const struct batch *batch, uint64_t end, const struct settings *settings, enum block_codec codec,
               struct arena *arena, struct plan *out);

#endif
