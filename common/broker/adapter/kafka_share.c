/* SPDX-License-Identifier: Apache-2.0 */
/* A share: a member of a group on the topic of blocks that fetches nothing. */
#include "alloc.h"
#include "kafka_inside.h"
#include "kafka_member.h"
#include "num.h"
#include "own.h"

#include <string.h>

enum { SLICE_MS = 200 };

struct kafka_share {
    struct kafka_member member;
    struct kafka *kafka;
    bool *told; /* what the last poll told */
};

static RC share_poll(void *self, uint64_t wait_ms, bool *out_owned, struct why *why) {
    struct kafka_share *share = self;
    size_t n = share->member.partitions_max;
    uint64_t now = kafka_now_ms(), deadline = num_add(now, wait_ms);
    for (;;) {
        if (atomic_load(&share->kafka->stopped)) return why_set(why, RC_STOP, "broker: stopping");
        rd_kafka_message_t *message = NULL;
        TRY(kafka_member_poll(&share->member, MIN(deadline - now, (uint64_t)SLICE_MS), &message, why));
        if (message) rd_kafka_message_destroy(message); /* fetched before the pause took hold */
        now = kafka_now_ms();
        if (now < deadline && memcmp(share->told, share->member.owned, n) == 0) continue;
        memcpy(share->told, share->member.owned, n);
        memcpy(out_owned, share->told, n);
        return RC_OK;
    }
}

static RC check(const struct kafka_share *share, uint32_t partition, struct why *why) {
    if (partition < share->member.partitions_max) return RC_OK;
    return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
}

static RC share_committed(void *self, uint32_t partition, uint64_t *out_offset, struct why *why) {
    struct kafka_share *share = self;
    TRY(check(share, partition, why));
    return kafka_member_committed(&share->member, partition, out_offset, why);
}

static RC share_commit(void *self, uint32_t partition, uint64_t offset, struct why *why) {
    struct kafka_share *share = self;
    TRY(check(share, partition, why));
    AUTO(own_free) uint64_t *offsets = alloc_zero(share->member.partitions_max, sizeof *offsets);
    for (uint32_t i = 0; i < share->member.partitions_max; i++) offsets[i] = i == partition ? offset : UINT64_MAX;
    return kafka_member_commit(&share->member, offsets, share->member.partitions_max, false, why);
}

static void share_free(void *self) {
    struct kafka_share *share = self;
    kafka_member_done(&share->member);
    (void)atomic_fetch_sub(&share->kafka->handles, 1);
    free(share->told);
    free(share);
}

static const struct broker_share_ops SHARE_OPS = {share_poll, share_committed, share_commit, share_free};

enum rc kafka_share_new(struct kafka *kafka, struct str group, struct broker_share *out, struct why *why) {
    struct kafka_share *share = ALLOC(struct kafka_share);
    share->kafka = kafka;
    share->told = alloc_zero(kafka->partitions[BROKER_BLOCKS], sizeof *share->told);
    (void)atomic_fetch_add(&kafka->handles, 1);
    enum rc rc = kafka_member_init(&share->member, kafka, BROKER_BLOCKS, group, true, why);
    if (rc != RC_OK) {
        share_free(share);
        return rc;
    }
    *out = (struct broker_share){&SHARE_OPS, share};
    return RC_OK;
}
