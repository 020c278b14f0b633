/* SPDX-License-Identifier: Apache-2.0 */
/* The share: which queue partitions are this process's to upload, as the group of all uploaders divides them. A hint
 * only: two uploaders of one partition harm nobody. The group's offsets follow what is sealed, for whoever looks at
 * lag; where somebody set them back, what is sealed behind them is looked at again. */
#include "run_inner.h"

#include "alloc.h"
#include "clock.h"
#include "log.h"
#include "own.h"

#include <stdlib.h>

enum { REACH_MS = 2000 }; /* between two looks whether the broker is there, of a process that has no partition */

/* A group that lost us gives us nothing and says nothing: readyz should, when that is because nobody can be reached. */
static RC reach(struct run *r, const bool *owned, uint64_t *reached_ms, struct why *why) {
    uint64_t now_ms = clock_ms(clock_real()), start = 0, end = 0;
    for (uint32_t p = 0; p < r->partitions; p++)
        if (owned[p]) return RC_OK;
    if (now_ms - *reached_ms < REACH_MS) return RC_OK;
    *reached_ms = 0; /* until it is reached, every turn says so */
    TRY(broker_bounds(r->runtime->broker, 0, &start, &end, why));
    *reached_ms = now_ms;
    return RC_OK;
}

/* Commits are sent and not waited for: one that was lost is made good by the next, also where nothing moves any more.
 */
enum { COMMIT_AGAIN_MS = 10 * 1000 };

/* A partition that became ours: its uploader may begin. */
static RC gain(struct run *r, struct broker_share share, uint32_t p, uint64_t *committed, struct why *why) {
    uint64_t offset = UINT64_MAX;
    enum rc rc = broker_share_committed(share, p, &offset, why);
    if (rc != RC_OK && rc != RC_ABSENT) return rc;
    committed[p] = rc == RC_OK ? offset : UINT64_MAX;
    atomic_store(&r->uploads[p].reset_to, committed[p]);
    atomic_store(&r->uploads[p].owned, true);
    LOG_INFO("partition taken", F_U64("partition", p));
    return RC_OK;
}

static RC share_turn(struct run *r, struct broker_share share, bool *owned, uint64_t *committed, bool again,
                     struct why *why) {
    TRY(broker_share_poll(share, RUN_IDLE_WAIT_MS, owned, why));
    for (uint32_t p = 0; p < r->partitions; p++) {
        struct run_upload *u = &r->uploads[p];
        if (owned[p] != atomic_load(&u->owned)) {
            if (owned[p]) TRY(gain(r, share, p, committed, why));
            if (!owned[p]) LOG_INFO("partition given away", F_U64("partition", p));
            atomic_store(&u->owned, owned[p]);
            continue;
        }
        struct uploader_view view;
        {
            LOCKED(&r->lock);
            view = u->view;
        }
        if (!owned[p] || !view.found || (view.start == committed[p] && !again)) continue;
        TRY(broker_share_commit(share, p, view.start, why));
        committed[p] = view.start;
    }
    return RC_OK;
}

void *run_share_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct loop loop;
    loop_init(&loop, &r->loops, "share");
    struct why why = {0};
    struct broker_share share = {0};
    bool *owned = alloc_zero(r->partitions, sizeof *owned);
    uint64_t *committed = alloc_zero(r->partitions, sizeof *committed);
    uint64_t reached_ms = 0, committed_ms = 0;
    enum rc rc = broker_share_new(r->runtime->broker, STR("uploaders"), &share, &why);
    if (rc != RC_OK) loops_fail(&r->loops, loop.name, rc, &why);
    while (!loops_stopping(&r->loops)) {
        why.text[0] = '\0';
        uint64_t now_ms = clock_ms(clock_real());
        bool again = now_ms - committed_ms >= COMMIT_AGAIN_MS;
        if (again) committed_ms = now_ms;
        rc = share_turn(r, share, owned, committed, again, &why);
        if (rc == RC_OK) rc = reach(r, owned, &reached_ms, &why);
        if (!loop_settle(&loop, rc, &why)) break;
    }
    if (share.ops) broker_share_free(share);
    free(owned);
    free(committed);
    return NULL;
}
