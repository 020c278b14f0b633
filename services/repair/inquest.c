/* SPDX-License-Identifier: Apache-2.0 */
#include "inquest.h"

#include "alloc.h"
#include "batch.h"
#include "chain_end.h"
#include "num.h"
#include "own.h"

#include <stdlib.h>

void inquest_done(struct inquest *inquest) { lost_done(&inquest->lost); }

bool inquest_partition_is_hurt(const struct inquest_partition *p) {
    bool given_up = false;
    for (const struct inquest_seal *seal = p->seals; seal; seal = seal->next) given_up = given_up || seal->given_up;
    return given_up || p->damaged || p->log_start > p->chain_end || p->log_end < MAX(p->chain_end, p->acknowledged);
}

static struct chain chain_of(const struct inquest *s, uint32_t partition) {
    return (struct chain){s->store, s->queue, s->generation, partition};
}

static RC read_message(const struct inquest *s, uint32_t partition, uint64_t offset, struct buf *bytes,
                       struct block_message *out, struct why *why) {
    struct broker_message message;
    TRY(broker_read(s->broker, partition, offset, bytes, &message, why));
    enum rc rc = block_decode(message.bytes, out, why);
    if (rc == RC_OK) rc = block_check(out, why);
    return rc == RC_BAD ? RC_BROKEN : rc;
}

/* ---- the log behind the chain ---- */

struct flags {
    bool **at;
    size_t len, room;
};

static void flags_done(struct flags *flags) { free(flags->at); }

static RC see_log(struct inquest *s, uint32_t k, struct flags *flags, bool *out_damaged, struct why *why) {
    struct inquest_partition *p = &s->partitions[k];
    AUTO(buf_done) struct buf bytes = BUF_INIT(BLOCK_MESSAGE_MAX);
    for (uint64_t offset = MAX(p->log_start, p->chain_end); offset < p->log_end; offset++) {
        struct block_message m;
        bool *flag = NULL;
        enum rc rc = read_message(s, k, offset, &bytes, &m, why);
        if (rc == RC_ABSENT) continue; /* a hole that a recovery left */
        *out_damaged = rc == RC_BROKEN || rc == RC_LIMIT;
        if (*out_damaged) return RC_OK;
        if (rc != RC_OK) return rc;
        rc = lost_see_message(&s->lost, &m, &flag, why);
        if (rc != RC_OK) return why_wrap(why, rc, "message %llu of partition %u", (unsigned long long)offset, k);
        if (!flag) continue;
        alloc_grow(&flags->at, &flags->room, flags->len + 1, sizeof(bool *));
        flags->at[flags->len++] = flag;
    }
    return RC_OK;
}

/* Where one message is damaged nothing behind the chain counts: an uploader cannot go past it. */
static RC inquest_log(struct inquest *s, uint32_t k, struct why *why) {
    AUTO(flags_done) struct flags flags = {0};
    struct inquest_partition *p = &s->partitions[k];
    TRY(see_log(s, k, &flags, &p->damaged, why));
    for (size_t i = 0; p->damaged && i < flags.len; i++) lost_unsee(&s->lost, flags.at[i]);
    return RC_OK;
}

/* ---- a seal ---- */

/* Would an uploader that follows it find all that it needs? */
static RC is_whole(const struct inquest *s, uint32_t k, const struct seal *seal, bool *out, struct why *why) {
    const struct inquest_partition *p = &s->partitions[k];
    AUTO(buf_done) struct buf bytes = BUF_INIT(BLOCK_MESSAGE_MAX);
    AUTO(batch_done) struct batch batch = {0};
    *out = false;
    if (p->damaged || p->log_start > seal->start || p->log_end < seal->end) return RC_OK;
    batch_reset(&batch, seal->start);
    enum rc rc = RC_OK;
    for (uint64_t offset = seal->start; offset < seal->end && (rc == RC_OK || rc == RC_ABSENT); offset++) {
        struct block_message m;
        rc = read_message(s, k, offset, &bytes, &m, why);
        if (rc == RC_OK) rc = batch_add(&batch, offset, &m, 0, why);
    }
    if (rc == RC_OK || rc == RC_ABSENT) rc = batch_obey(&batch, seal, why);
    if (rc != RC_OK && rc != RC_BROKEN && rc != RC_LIMIT) return rc;
    *out = rc == RC_OK;
    return RC_OK;
}

static RC see_whole(struct inquest *s, uint32_t k, const struct seal *seal, struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(BLOCK_MESSAGE_MAX);
    for (size_t i = 0; i < seal->blocks_len; i++) {
        struct block_message m;
        bool *flag = NULL;
        TRY(read_message(s, k, seal->blocks[i].offset, &bytes, &m, why));
        TRY(lost_see_message(&s->lost, &m, &flag, why));
    }
    return RC_OK;
}

static RC see_blocks(struct inquest *s, const struct seal *seal, uint64_t *found, bool *out_any, struct why *why) {
    for (size_t i = 0; i < seal->blocks_len; i++) {
        bool new = false;
        TRY(lost_see_sealed(&s->lost, seal, i, &new, why));
        *found += new;
        *out_any = *out_any || new;
    }
    return RC_OK;
}

static void note(struct inquest *s, uint32_t k, uint64_t index, bool given_up) {
    struct inquest_partition *p = &s->partitions[k];
    struct inquest_seal *seal = ARENA_NEW(&s->lost.arena, struct inquest_seal);
    *seal = (struct inquest_seal){.index = index, .given_up = given_up, .next = p->seals};
    p->seals = seal;
}

static RC see_manifested(struct inquest *s, const struct chain *chain, const struct seal *seal, bool told,
                         struct arena *arena, struct why *why) {
    struct manifest m;
    uint64_t found = 0;
    bool any = false;
    TRY(chain_get_manifest(chain, seal->index, arena, &m, why));
    if (!m.given_up) TRY(see_blocks(s, seal, &found, &any, why));
    for (size_t i = 0; i < seal->trailers_len; i++) {
        bool new = false;
        TRY(lost_see_trailer(&s->lost, &seal->trailers[i], &new, why));
        found += new;
    }
    if (told) s->found += found;
    return any ? inquest_objects(s, &m, why) : RC_OK;
}

static RC see_waiting(struct inquest *s, uint32_t k, const struct seal *seal, struct why *why) {
    struct inquest_partition *p = &s->partitions[k];
    bool whole = false, ignored = false;
    if (seal_is_barrier(seal)) {
        note(s, k, seal->index, false);
        return RC_OK;
    }
    TRY(is_whole(s, k, seal, &whole, why));
    p->pending = p->pending || whole;
    if (whole)
        TRY(see_whole(s, k, seal, why));
    else
        note(s, k, seal->index, true);
    for (size_t i = 0; i < seal->trailers_len; i++) TRY(lost_see_trailer(&s->lost, &seal->trailers[i], &ignored, why));
    return RC_OK;
}

static RC see_seal(struct inquest *s, uint32_t k, uint64_t index, struct arena *arena, struct why *why) {
    struct chain chain = chain_of(s, k);
    struct seal seal;
    bool manifested = false;
    TRY(chain_get_seal(&chain, index, arena, &seal, why));
    TRY(chain_has_manifest(&chain, index, &manifested, why));
    return manifested ? see_manifested(s, &chain, &seal, index < s->partitions[k].told, arena, why)
                      : see_waiting(s, k, &seal, why);
}

/* From the chains' ends down, a seal of each in turn: to what the ledger was not told, and then for as long as messages
 * that it calls durable were not met. */
static RC inquest_seals(struct inquest *s, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t k = 0; k < s->partitions_len; k++) {
            struct inquest_partition *p = &s->partitions[k];
            if (!p->next || (p->next <= p->told && s->found >= s->lost.durable)) continue;
            more = true;
            arena_reset(&arena);
            p->next--;
            TRY(see_seal(s, k, p->next, &arena, why));
        }
    }
    return RC_OK;
}

RC inquest_run(struct inquest *s, struct ledger ledger, struct why *why) {
    TRY(lost_ask(&s->lost, ledger, why));
    for (uint32_t k = 0; k < s->partitions_len; k++) {
        struct inquest_partition *p = &s->partitions[k];
        struct chain chain = chain_of(s, k);
        struct chain_end end;
        TRY(chain_end_find(&chain, 0, &end, why));
        p->index = p->next = end.index;
        p->chain_end = end.end;
        TRY(broker_bounds(s->broker, k, &p->log_start, &p->log_end, why));
        TRY(inquest_log(s, k, why));
    }
    return inquest_seals(s, why);
}
