/* SPDX-License-Identifier: Apache-2.0 */
#include "remover.h"

void remover_done(struct remover *r) { arena_done(&r->arena); }

static RC remove_each(const struct remover *r, struct why *why) {
    for (size_t i = 0; i < r->len; i++) TRY(store_remove(r->store, r->keys[i], why));
    return RC_OK;
}

RC remover_flush(struct remover *r, struct why *why) {
    enum rc rc = r->many.remove ? r->many.remove(r->many.context, r->store, r->keys, r->len, why) : remove_each(r, why);
    r->len = 0;
    arena_reset(&r->arena);
    return rc;
}

RC remover_add(struct remover *r, struct str key, struct why *why) {
    r->keys[r->len++] = arena_str(&r->arena, key);
    return r->len == REMOVER_BATCH ? remover_flush(r, why) : RC_OK;
}
