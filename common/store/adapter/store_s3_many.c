/* SPDX-License-Identifier: Apache-2.0 */
/* Many small objects side by side: as many requests are under way as there are connections, so that their waits
 * overlap. */
#include "store_s3_private.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <stdlib.h>

struct slot {
    struct s3_call call;
    char key[STORE_KEY_MAX + 1];
    size_t item;
    bool busy;
};

struct many {
    struct store_s3 *s3;
    const struct store_item *items;
    enum rc *rcs;
    struct why *why;
    bool told; /* `why` is about the first that failed */
};

static void note(struct many *many, size_t item, enum rc rc) {
    many->rcs[item] = rc;
    many->told = many->told || (rc != RC_OK && rc != RC_STALE);
}

static void end_slot(struct many *many, struct slot *slot) {
    if (!slot->busy) return;
    slot->busy = false;
    note(many, slot->item, s3_call_end(&many->s3->bucket, &slot->call, many->told ? NULL : many->why));
    s3_call_done(&slot->call);
}

static void begin_slot(struct many *many, struct slot *slot, size_t item) {
    struct str full;
    struct why *why = many->told ? NULL : many->why;
    enum rc rc = s3_full_key(many->s3, many->items[item].key, slot->key, &full, why);
    if (rc != RC_OK) {
        note(many, item, rc);
        return;
    }
    slot->item = item;
    slot->call = S3_CALL("PUT", full);
    s3_call_put_absent(&slot->call, many->items[item].bytes);
    rc = s3_call_start(&many->s3->bucket, &slot->call, why);
    slot->busy = rc == RC_OK;
    if (slot->busy) return;
    note(many, item, rc);
    s3_call_done(&slot->call);
}

void s3_put_absent_many(void *self, const struct store_item *items, size_t n, enum rc *out_rcs, struct why *why) {
    struct many many = {self, items, out_rcs, why, false};
    size_t width = MIN(n, (size_t)many.s3->bucket.connections), next = 0;
    if (width == 0) return;
    AUTO(own_free) struct slot *slots = alloc_zero(width, sizeof *slots);
    for (size_t i = 0; i < n; i++) {
        if (out_rcs[i] != RC_OK) continue;
        end_slot(&many, &slots[next]); /* the oldest */
        begin_slot(&many, &slots[next], i);
        next = (next + 1) % width;
    }
    for (size_t k = 0; k < width; k++) end_slot(&many, &slots[(next + k) % width]);
}
