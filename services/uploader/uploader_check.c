/* SPDX-License-Identifier: Apache-2.0 */
/* uploader_check: looks at batches that were finished before, from the chain's end back to the offset that the group
 * was reset to. Their manifests say which objects there must be. Where one is missing the batch is followed once more
 * from its seal, which puts what is absent and changes nothing else; where the blocks are gone it is told and left. */
#include "uploader_inner.h"

#include "log.h"
#include "num.h"

enum { OBJECTS_A_STEP = 32 };

static void go_back_one(struct uploader *u) { u->check_object = SIZE_MAX; }

static RC end_check(struct uploader *u) {
    LOG_INFO("sealed batches were looked at again", F_U64("partition", u->settings.partition),
             F_U64("from", u->settings.check_from));
    u->settings.check = false;
    uploader_start_again(u);
    return RC_OK;
}

/* The batch before the one that was looked at. Its seal and manifest, into u->seal and u->manifest. */
static RC next_batch(struct uploader *u, bool *out_end, struct why *why) {
    arena_reset(&u->arena);
    *out_end = u->check_index == 0;
    if (*out_end) return RC_OK;
    enum rc rc = chain_get_seal(&u->chain, u->check_index - 1, &u->arena, &u->seal, why);
    if (rc == RC_OK && u->seal.end <= u->settings.check_from) {
        *out_end = true;
        return RC_OK;
    }
    if (rc == RC_OK) rc = chain_get_manifest(&u->chain, u->check_index - 1, &u->arena, &u->manifest, why);
    if (rc == RC_ABSENT)
        return uploader_broken(u, why,
                               "a batch before it has no seal or no manifest in the output; see `sluice audit`");
    if (rc != RC_OK) return rc;
    u->check_index--;
    u->check_object = 0;
    return RC_OK;
}

/* Follows the seal once more: what is there answers that it is. */
static void make_again(struct uploader *u) {
    u->index = u->seal.index;
    u->checking = true;
    batch_reset(&u->batch, u->seal.start);
    u->phase = FOLLOW;
}

void uploader_check_give_up(struct uploader *u) {
    LOG_ERROR("an object of a finished batch is missing, and its blocks are no longer in the queue; see `sluice audit`",
              F_U64("partition", u->settings.partition), F_U64("seal", u->seal.index));
    u->checking = false;
    go_back_one(u);
    u->phase = CHECK;
}

RC uploader_check(struct uploader *u, struct why *why) {
    if (u->check_object == SIZE_MAX) {
        bool end = false;
        TRY(next_batch(u, &end, why));
        return end ? end_check(u) : RC_OK;
    }
    size_t to = MIN(u->check_object + OBJECTS_A_STEP, u->manifest.objects_len);
    for (; u->check_object < to; u->check_object++) {
        const struct manifest_object *o = &u->manifest.objects[u->check_object];
        uint64_t bytes = 0;
        enum rc rc = store_size(u->ports.store, o->key, &bytes, why);
        if (rc == RC_ABSENT) {
            TRY(chain_check_removed(&u->chain, why)); /* not lost, but removed */
            LOG_WARN("object missing; made again", F_STR("object", o->key));
            make_again(u);
            return RC_OK;
        }
        if (rc != RC_OK) return rc;
    }
    if (to == u->manifest.objects_len) go_back_one(u);
    return RC_OK;
}
