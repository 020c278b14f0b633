/* SPDX-License-Identifier: Apache-2.0 */
/* identity: who writes to an output location: pipeline, ledger id, queue id. Put once, only if absent, at
 * NAME_LEDGER_IDENTITY; a state folder or cluster that does not match it is refused before anything is written. JSON.
 * Threads: pure. */
#ifndef SLUICE_IDENTITY_H
#define SLUICE_IDENTITY_H

#include "arena.h"
#include "buf.h"
#include "id.h"

enum { IDENTITY_BYTES_MAX = 64 * 1024, IDENTITY_PIPELINE_MAX = 255 };

struct identity {
    struct str pipeline;
    struct id ledger, queue;
    uint32_t partitions; /* of the queue */
};

RC identity_encode(const struct identity *identity, struct buf *out);
RC identity_decode(struct str bytes, struct arena *arena, struct identity *out, struct why *why);

#endif
