/* SPDX-License-Identifier: Apache-2.0 */
#include "run_inner.h"

#include "clock.h"
#include "num.h"
#include "own.h"

static void uploader_publish_view(struct run *r, const struct uploader *u, uint32_t number, struct uploader_view *out) {
    uploader_look(u, out);
    LOCKED(&r->lock);
    r->uploads[number] = *out;
}

static void uploader_wait(struct run *r, const struct uploader_view *view, uint32_t partition, uint64_t wait_ms) {
    struct why why = {0};
    enum rc rc =
        broker_wait(r->runtime->broker, partition, view->position, MIN(wait_ms, (uint64_t)RUN_IDLE_WAIT_MS), &why);
    if (rc == RC_OK && view->position < view->end) return;
    if (rc != RC_OK && rc != RC_ABSENT) loops_sleep(&r->loops, RUN_IDLE_WAIT_MS);
}

static bool uploader_turn(struct run *r, struct uploader *u, struct loop *loop, uint32_t number, unsigned *flushed) {
    struct why why = {0};
    uint64_t wait_ms = 0;
    unsigned flushes = atomic_load(&r->flushes);
    uploader_set_epoch(u, atomic_load(&r->loops.epoch));
    if (flushes != *flushed) uploader_flush(u);
    *flushed = flushes;
    enum rc rc = uploader_step(u, clock_ms(clock_real()), &wait_ms, &why);
    struct uploader_view view;
    if (rc == RC_OK && wait_ms) {
        uploader_publish_view(r, u, number, &view);
        if (atomic_load(&r->converted) && !view.drained) {
            uploader_flush(u);
            wait_ms = MIN(wait_ms, (uint64_t)20);
        }
        uploader_wait(r, &view, number, wait_ms);
    }
    return loop_settle(loop, rc, &why);
}

void *run_uploader_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct loop loop;
    loop_init(&loop, &r->loops, "uploader");
    struct uploader_settings settings = r->settings.uploader;
    settings.partition = t->number;
    settings.abandoned_before = r->abandoned[t->number];
    struct uploader_ports ports = {r->runtime->broker, r->runtime->ledger, r->runtime->store};
    struct uploader *u = uploader_new(&settings, &ports);
    unsigned flushed = 0;
    while (!loops_stopping(&r->loops) && uploader_turn(r, u, &loop, t->number, &flushed)) {
    }
    uploader_free(u);
    return NULL;
}
