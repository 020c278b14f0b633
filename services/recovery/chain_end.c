/* SPDX-License-Identifier: Apache-2.0 */
#include "chain_end.h"

#include "names.h"
#include "own.h"

static RC has_seal(const struct chain *chain, uint64_t index, bool *out, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    uint64_t bytes = 0;
    TRY(name_seal(chain->queue, chain->generation, chain->partition, index, &key));
    enum rc rc = store_size(chain->store, buf_str(&key), &bytes, why);
    *out = rc == RC_OK;
    return rc == RC_ABSENT ? RC_OK : rc;
}

/* The first index without a seal: behind `from` first in steps that double, then between the last two by halves. */
static RC find_index(const struct chain *chain, uint64_t from, uint64_t *out, struct why *why) {
    uint64_t there = from, gap = 1; /* all below `there` are there */
    bool has = true;
    for (;; gap *= 2) {
        TRY(has_seal(chain, there + gap - 1, &has, why));
        if (!has) break;
        there += gap;
    }
    uint64_t none = there + gap - 1;
    while (there < none) {
        uint64_t middle = there + (none - there) / 2;
        TRY(has_seal(chain, middle, &has, why));
        if (has)
            there = middle + 1;
        else
            none = middle;
    }
    *out = there;
    return RC_OK;
}

RC chain_end_find(const struct chain *chain, uint64_t from, struct chain_end *out, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct chain_end found = {0};
    struct seal seal;
    TRY(find_index(chain, from, &found.index, why));
    for (uint64_t i = found.index; i > 0 && !found.sealed; i--) { /* back over barriers, of which there are few */
        arena_reset(&arena);
        TRY(chain_get_seal(chain, i - 1, &arena, &seal, why));
        if (i == found.index) found.end = seal.end;
        if (i == found.index) found.epoch = seal.epoch;
        if (!seal_is_barrier(&seal)) found.sealed = seal.epoch;
    }
    *out = found;
    return RC_OK;
}
