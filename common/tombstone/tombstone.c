/* SPDX-License-Identifier: Apache-2.0 */
#include "tombstone.h"

#include "names.h"
#include "own.h"
#include "time_format.h"

#include <inttypes.h>

RC tombstone_look(struct store store, struct id queue, uint64_t generation, bool *out_removed, int64_t *out_ns,
                  struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(REMOVED_BYTES_MAX);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct removed removed;
    TRY(name_removed(queue, generation, &key));
    enum rc rc = store_get(store, buf_str(&key), 0, REMOVED_BYTES_MAX, &bytes, why);
    *out_removed = rc == RC_OK;
    if (rc == RC_ABSENT) return RC_OK;
    if (rc == RC_OK && removed_decode(buf_str(&bytes), &arena, &removed, why) != RC_OK) rc = RC_BROKEN;
    if (rc != RC_OK) return why_wrap(why, rc, "%s", buf_text(&key));
    *out_ns = removed.removed_ns;
    return RC_OK;
}

RC tombstone_check(struct store store, struct id queue, uint64_t generation, enum rc removed, struct why *why) {
    bool is = false;
    int64_t ns = 0;
    char when[TIME_FORMAT_RFC3339_MAX];
    TRY(tombstone_look(store, queue, generation, &is, &ns, why));
    if (!is) return RC_OK;
    return why_set(why, removed,
                   "generation %" PRIu64
                   " was removed by `sluice gc` at %s: its objects are gone. A configuration needs "
                   "a `generation` that was not removed; see `sluice generations`",
                   generation, time_format_rfc3339(ns, 0, when));
}

RC tombstone_put(struct store store, const struct removed *removed, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(REMOVED_BYTES_MAX);
    TRY(name_removed(removed->queue, removed->generation, &key));
    TRY(removed_encode(removed, &bytes));
    return store_put_absent(store, buf_str(&key), buf_str(&bytes), why);
}
