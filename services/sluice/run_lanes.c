/* SPDX-License-Identifier: Apache-2.0 */
#include "run_inner.h"

#include "committer.h"
#include "lane.h"
#include "metric.h"
#include "own.h"
#include "stamp.h"

enum { LANE_WAIT_MS = 200 }; /* how long a lane waits for a job at a time */

static void lane_publish_view(struct run *r, const struct lane *lane, uint32_t number) {
    struct lane_view view;
    lane_look(lane, &view);
    LOCKED(&r->lock);
    r->won[number] = view.bytes_won;
}

/* True when the lane is drained and can end. */
static bool lane_turn(struct run *r, struct lane *lane, struct loop *loop) {
    struct why why = {0};
    bool idle = false, drain = atomic_load(&r->draining);
    if (drain) lane_drain(lane);
    uint64_t from = stamp_mono_ns();
    enum rc rc = lane_step(lane, LANE_WAIT_MS, &idle, &why);
    if (idle) {
        metric_add(METRIC_LANE_IDLE, stamp_mono_ns() - from);
        struct lane_view view;
        lane_look(lane, &view);
        /* Also with a task that waits for room: the job is said again. */
        if (drain && !view.flights) return true;
        if (stamp_mono_ns() - from < 1000000)
            loops_sleep(&r->loops, RUN_IDLE_WAIT_MS); /* it could not wait by itself */
    }
    return !loop_settle(loop, rc, &why);
}

void *run_lane_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct loop loop;
    struct why why = {0};
    struct lane *lane = NULL;
    loop_init(&loop, &r->loops, "lane");
    enum rc rc = lane_new(r->worker, rng_from_kernel(), &lane, &why);
    if (rc != RC_OK) loops_fail(&r->loops, loop.name, rc, &why);
    uint64_t viewed_ns = 0;
    while (!loops_stopping(&r->loops)) {
        if (lane_turn(r, lane, &loop)) break;
        if (stamp_mono_ns() - viewed_ns < (uint64_t)RUN_LOOK_MS * 1000000) continue;
        viewed_ns = stamp_mono_ns();
        lane_publish_view(r, lane, t->number);
    }
    if (lane) lane_publish_view(r, lane, t->number);
    (void)atomic_fetch_sub(&r->lanes_running, 1);
    /* The committer may still hold attempts of this lane: it is freed with the others, when the committer has ended. */
    r->settings.lanes_to_free[t->number] = lane;
    return NULL;
}

void *run_committer_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct loop loop;
    loop_init(&loop, &r->loops, "committer");
    struct committer *c = worker_committer(r->worker);
    while (!loops_stopping(&r->loops)) {
        struct why why = {0};
        worker_set_epoch(r->worker, atomic_load(&r->loops.epoch));
        enum rc rc = committer_step(c, &why);
        if (rc == RC_ABSENT)
            committer_wait(c, RUN_IDLE_WAIT_MS);
        else if (!loop_settle(&loop, rc, &why))
            break;
    }
    return NULL;
}
