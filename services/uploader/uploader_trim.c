/* SPDX-License-Identifier: Apache-2.0 */
/* uploader_trim: what the log need not hold any more. Only what lies below the end of a batch whose manifest is there,
 * and that the ledger was told of; `keep_ms` only makes it later. What is remembered here is lost with the process: the
 * next uploader keeps all that it finds for keep_ms more. */
#include "uploader_inner.h"

#include "alloc.h"

#include <stdlib.h>
#include <string.h>

struct uploader_keep {
    uint64_t end, until_ms;
};

RC uploader_trim_to(struct uploader *u, uint64_t end, uint64_t now_ms, struct why *why) {
    if (!u->settings.keep_ms) return broker_trim(u->ports.broker, u->settings.partition, end, why);
    if (u->keeps_len && u->keeps[u->keeps_len - 1].end >= end) return RC_OK;
    alloc_grow(&u->keeps, &u->keeps_room, u->keeps_len + 1, sizeof *u->keeps);
    u->keeps[u->keeps_len++] = (struct uploader_keep){end, now_ms + u->settings.keep_ms};
    return RC_OK;
}

RC uploader_trim_due(struct uploader *u, uint64_t now_ms, struct why *why) {
    size_t due = 0;
    while (due < u->keeps_len && u->keeps[due].until_ms <= now_ms) due++;
    if (!due) return RC_OK;
    TRY(broker_trim(u->ports.broker, u->settings.partition, u->keeps[due - 1].end, why));
    u->keeps_len -= due;
    memmove(u->keeps, u->keeps + due, u->keeps_len * sizeof *u->keeps);
    return RC_OK;
}

void uploader_trim_done(struct uploader *u) { free(u->keeps); }

RC uploader_trim(struct uploader *u, uint64_t now_ms, struct why *why) {
    TRY(uploader_trim_to(u, u->seal.end, now_ms, why));
    u->index++;
    arena_done(&u->arena); /* seal and manifest of a large batch are megabytes that the next may never need */
    batch_done(&u->batch);
    batch_reset(&u->batch,
                u->seal.end); /* what was read behind E is read again: it is little, and needs no bookkeeping */
    u->phase = READ;
    return RC_OK;
}
