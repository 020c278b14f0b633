/* SPDX-License-Identifier: Apache-2.0 */
#include "cut_off.h"

#include "buf.h"
#include "names.h"
#include "own.h"

struct looking {
    const struct cut_off_ask *ask;
    struct buf complete; /* the last folder that has an index */
    struct buf newest;   /* of all that have one */
    struct upkeep_tally *nobodys, *in_progress;
    bool judge;
};

static struct str folder_of(struct str key) {
    size_t len = key.len;
    while (len > NAME_SNAPSHOTS.len && key.at[len - 1] != '/') len--;
    return str_sub(key, 0, len > NAME_SNAPSHOTS.len ? len - 1 : len);
}

/* Names are told in ascending order, and "index" before "p00000000". */
static enum rc see(void *context, struct str key, uint64_t bytes) {
    struct looking *l = context;
    struct str folder = folder_of(key);
    if (str_ends(key, NAME_SNAPSHOT_INDEX)) {
        buf_reset(&l->complete);
        buf_add(&l->complete, folder);
        return RC_OK;
    }
    if (!l->judge || str_equal(folder, buf_str(&l->complete))) return RC_OK;
    if (str_compare(folder, buf_str(&l->newest)) > 0) {
        upkeep_tally_add(l->in_progress, bytes);
        return RC_OK;
    }
    upkeep_tally_add(l->nobodys, bytes);
    return l->ask->page(l->ask->context, key, bytes);
}

static RC look(struct looking *l, struct store store, struct why *why) {
    TRY(store_list(store, NAME_SNAPSHOTS, STR(""), see, l, why));
    buf_add(&l->newest, buf_str(&l->complete));
    buf_reset(&l->complete);
    l->judge = true;
    return store_list(store, NAME_SNAPSHOTS, STR(""), see, l, why);
}

RC cut_off_each(struct store store, const struct cut_off_ask *ask, struct upkeep_tally *nobodys,
                struct upkeep_tally *in_progress, struct why *why) {
    struct looking l = {ask, BUF_INIT(NAME_MAX_BYTES), BUF_INIT(NAME_MAX_BYTES), nobodys, in_progress, false};
    enum rc rc = look(&l, store, why);
    buf_done(&l.complete);
    buf_done(&l.newest);
    return rc;
}
