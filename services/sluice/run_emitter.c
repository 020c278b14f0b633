/* SPDX-License-Identifier: Apache-2.0 */
#include "run_inner.h"

#include "clock.h"
#include "metric.h"
#include "num.h"
#include "own.h"
#include "serve.h"

enum { VIEW_MS = 200 }; /* between two views that the emitter makes of itself (it goes through all files) */

static void emitter_publish_view(struct run *r, struct emitter *e) {
    struct emitter_view view;
    emitter_look(e, &view);
    LOCKED(&r->lock);
    r->emitter = view;
    atomic_store(&r->converted, view.converted);
    if (view.done) atomic_store(&r->done, true);
    metric_set_at(METRIC_FILES, LABEL_STATE_OPEN, (int64_t)view.open);
    metric_set_at(METRIC_FILES, LABEL_STATE_CLOSED, (int64_t)view.closed);
    metric_set_at(METRIC_FILES, LABEL_STATE_DURABLE, (int64_t)view.receipted);
    metric_set_at(METRIC_FILES, LABEL_STATE_SET_ASIDE, (int64_t)view.set_aside);
}

static RC emitter_turn(struct run *r, struct emitter *e, uint64_t *viewed_ms, struct why *why) {
    struct clock clock = clock_real();
    uint64_t wait_ms = 0, now_ms = clock_ms(clock);
    emitter_set_epoch(e, atomic_load(&r->loops.epoch));
    enum rc rc = emitter_step(e, now_ms, clock_wall_ns(clock), &wait_ms, why);
    if (wait_ms || now_ms - *viewed_ms >= VIEW_MS) {
        emitter_publish_view(r, e);
        *viewed_ms = now_ms;
    }
    if (rc != RC_OK || !wait_ms) return rc;
    bool changed = false;
    rc = source_wait(r->runtime->source, MIN(wait_ms, (uint64_t)RUN_IDLE_WAIT_MS), &changed, why);
    if (changed) emitter_wake(e);
    return rc;
}

static RC watch_all(struct run *r, struct why *why) {
    for (size_t i = 0; !r->options.once && i < r->settings.emitter.sources_len; i++)
        TRY(source_watch(r->runtime->source, &r->settings.emitter.sources[i].pattern, why));
    return RC_OK;
}

void *run_emitter_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct loop loop;
    struct why why = {0};
    struct emitter *e = NULL;
    struct emitter_ports ports = {r->runtime->broker, r->runtime->ledger, r->runtime->source,
                                  r->runtime->store,  r->runtime->notify, serve_share(r->serve)};
    loop_init(&loop, &r->loops, "emitter");
    enum rc rc = emitter_new(&r->settings.emitter, &ports, rng_from_kernel(), &e, &why);
    if (rc == RC_OK) rc = watch_all(r, &why);
    if (rc != RC_OK) loops_fail(&r->loops, loop.name, rc, &why);
    uint64_t viewed_ms = 0;
    while (!loops_stopping(&r->loops) && !atomic_load(&r->draining)) {
        why.text[0] = '\0';
        if (!loop_settle(&loop, emitter_turn(r, e, &viewed_ms, &why), &why)) break;
    }
    if (e) emitter_publish_view(r, e);
    emitter_free(e);
    return NULL;
}
