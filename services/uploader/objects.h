/* SPDX-License-Identifier: Apache-2.0 */
/* objects: puts planned objects, one large or many small ones a call, and describes them for the manifest. Blocks are
 * read from the log while it is put; those that travel stored are joined and compressed here.
 *
 * Memory: one message (4 MiB), one joined frame raw and compressed (block_bytes), one compression context, the footer,
 * and compressed what small objects of 16 MiB raw hold. Threads: one at a time. Fails: RC_BROKEN for a block that is
 * not what its header says or no longer in the log; what the store and the broker fail with. */
#ifndef SLUICE_OBJECTS_H
#define SLUICE_OBJECTS_H

#include "broker.h"
#include "chain.h"
#include "manifest.h"
#include "object.h"
#include "plan.h"
#include "stopwatch.h"

struct objects {
    struct broker broker;
    struct chain chain;
    struct buf message, raw, frame, tail, group;
    struct frame_encoder *encoder;
    struct frame_decoder *decoder;
    enum frame_format format;
    int level;
    struct stopwatch watch; /* of the uploader's step */
};

void objects_init(struct objects *objects, struct broker broker, const struct chain *chain);
void objects_done(struct objects *objects);
enum { OBJECTS_GROUP = 128 };

/* Puts the first of `len` planned objects if it is absent, else reads what is there; where it is small, those behind it
 * that are small, too, up to OBJECTS_GROUP. *out_n is how many; out[0..*out_n) are for the manifest, in `arena`. When
 * it fails some of them may be there: put them again. */
RC objects_put(struct objects *objects, const struct plan_object *planned, size_t len, const struct seal *seal,
               struct arena *arena, struct manifest_object *out, size_t *out_n, struct why *why);

#endif
