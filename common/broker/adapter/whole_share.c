/* SPDX-License-Identifier: Apache-2.0 */
#include "whole_share.h"

#include "alloc.h"

#include <stdlib.h>

struct committed {
    bool known;
    uint64_t offset;
};

struct whole_share {
    uint32_t partitions;
    bool told; /* the first poll has told that they are ours: it is a change */
    whole_share_wait *wait;
    void (*gone)(void *context);
    void *context;
    struct committed *committed;
};

static RC share_poll(void *self, uint64_t wait_ms, bool *out_owned, struct why *why) {
    struct whole_share *share = self;
    if (share->wait(share->context, share->told ? wait_ms : 0)) return why_set(why, RC_STOP, "broker: stopping");
    for (uint32_t i = 0; i < share->partitions; i++) out_owned[i] = true;
    share->told = true;
    return RC_OK;
}

static RC check(const struct whole_share *share, uint32_t partition, struct why *why) {
    if (partition < share->partitions) return RC_OK;
    return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
}

static RC share_committed(void *self, uint32_t partition, uint64_t *out_offset, struct why *why) {
    const struct whole_share *share = self;
    TRY(check(share, partition, why));
    if (!share->committed[partition].known)
        return why_set(why, RC_ABSENT, "broker: nothing was committed for partition %u", partition);
    *out_offset = share->committed[partition].offset;
    return RC_OK;
}

static RC share_commit(void *self, uint32_t partition, uint64_t offset, struct why *why) {
    struct whole_share *share = self;
    TRY(check(share, partition, why));
    share->committed[partition] = (struct committed){true, offset};
    return RC_OK;
}

static void share_free(void *self) {
    struct whole_share *share = self;
    if (share->gone) share->gone(share->context);
    free(share->committed);
    free(share);
}

static const struct broker_share_ops SHARE_OPS = {share_poll, share_committed, share_commit, share_free};

void whole_share_new(uint32_t partitions, whole_share_wait *wait, void (*gone)(void *context), void *context,
                     struct broker_share *out) {
    struct whole_share *share = ALLOC(struct whole_share);
    *share = (struct whole_share){.partitions = partitions, .wait = wait, .gone = gone, .context = context};
    share->committed = alloc_zero(partitions, sizeof *share->committed);
    *out = (struct broker_share){&SHARE_OPS, share};
}
