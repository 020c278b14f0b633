/* SPDX-License-Identifier: Apache-2.0 */
/* uploader_read: heads of messages into the batch. */
#include "uploader_inner.h"

enum { HEAD_BYTES = 4096 }; /* a block's head is a few hundred bytes; longer ones are read again whole */

static RC read_head(struct uploader *u, uint64_t offset, struct block_message *out, struct why *why) {
    uint64_t len = 0;
    TRY(broker_read_head(u->ports.broker, u->settings.partition, offset, HEAD_BYTES, &u->head, &len, why));
    size_t need = block_head_bytes(buf_str(&u->head));
    if (need > u->head.len && need <= len)
        TRY(broker_read_head(u->ports.broker, u->settings.partition, offset, need, &u->head, &len, why));
    enum rc rc = block_decode(buf_str(&u->head), out, why); /* the payload is cut off, and not looked at */
    if (rc == RC_OK) return RC_OK;
    return why_wrap(why, rc == RC_BAD ? RC_BROKEN : rc, "message %llu of partition %u", (unsigned long long)offset,
                    u->settings.partition);
}

/* Adds up to UPLOADER_READ messages below `end`. */
static RC read_some(struct uploader *u, uint64_t end, uint64_t now_ms, struct why *why) {
    for (size_t i = 0; i < UPLOADER_READ && u->batch.position < end; i++) {
        uint64_t offset = u->batch.position;
        struct block_message m;
        enum rc rc = read_head(u, offset, &m, why);
        if (rc == RC_ABSENT) { /* a hole that recovery left: go on behind it */
            u->batch.position = offset + 1;
            continue;
        }
        if (rc != RC_OK) return rc;
        TRY(batch_add(&u->batch, offset, &m, now_ms, why));
    }
    return RC_OK;
}

RC uploader_follow(struct uploader *u, uint64_t now_ms, struct why *why) {
    uint64_t start = 0, end = 0;
    TRY(broker_bounds(u->ports.broker, u->settings.partition, &start, &end, why));
    if (u->seal.start != u->seal.end && (start > u->seal.start || end < u->seal.end))
        return uploader_broken(
            u, why, "its blocks are not all in the log any more, and it has no manifest; see `sluice repair`");
    TRY(read_some(u, u->seal.end, now_ms, why));
    if (u->batch.position < u->seal.end) return RC_OK;
    TRY(batch_obey(&u->batch, &u->seal, why));
    u->phase = BUILD;
    u->plan = (struct plan){0};
    return RC_OK;
}

RC uploader_read(struct uploader *u, uint64_t now_ms, struct why *why) {
    uint64_t start = 0;
    TRY(broker_bounds(u->ports.broker, u->settings.partition, &start, &u->log_end, why));
    if (start > u->batch.start)
        return uploader_broken(u, why,
                               "the log begins behind the last seal's end: blocks were lost; see `sluice repair`");
    if (u->log_end < u->batch.start)
        return uploader_broken(u, why,
                               "the log ends before the last seal's end: it lost its tail; see `sluice repair`");
    if (u->flush) {
        u->flush_to = u->log_end;
        u->flush = false;
    }
    if (!uploader_batch_is_full(u)) TRY(read_some(u, u->log_end, now_ms, why));
    u->phase = JUDGE;
    return RC_OK;
}
