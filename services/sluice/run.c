/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "admin.h"
#include "alloc.h"
#include "clock.h"
#include "committer.h"
#include "emitter.h"
#include "lane.h"
#include "log.h"
#include "loop.h"
#include "metric.h"
#include "num.h"
#include "own.h"
#include "progress.h"
#include "recovery.h"
#include "run_generations.h"
#include "run_settings.h"
#include "stamp.h"
#include "uploader.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LOOK_MS = 100,      /* between two looks of the main thread at everything */
    VIEW_MS = 200,      /* between two views that the emitter makes of itself (it goes through all files) */
    LANE_WAIT_MS = 200, /* how long a lane waits for a job at a time: the time to notice a stop */
    IDLE_WAIT_MS = 100,
    TELL_MS = 1000,
};

struct run {
    struct runtime *runtime;
    struct run_options options;
    struct loops loops;
    struct run_settings settings;
    struct worker *worker;
    pthread_mutex_t lock; /* of the views */
    struct emitter_view emitter;
    uint64_t *won; /* a lane */
    atomic_bool draining, converted, done;
    _Atomic unsigned flushes;
    _Atomic unsigned lanes_running;
    struct uploader_view *uploads;
    size_t lanes, partitions;
    struct run_thread *threads;
    size_t threads_len;
    uint64_t abandoned[WORKER_PARTITIONS_MAX];
};

struct run_thread {
    struct run *run;
    uint32_t number;
    pthread_t id;
};

/* ---- emitter ---- */

static void emitter_publish_view(struct run *r, const struct emitter *e) {
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
    rc = source_wait(r->runtime->source, MIN(wait_ms, (uint64_t)IDLE_WAIT_MS), &changed, why);
    if (changed) emitter_wake(e);
    return rc;
}

static RC watch_all(struct run *r, struct why *why) {
    for (size_t i = 0; !r->options.once && i < r->settings.emitter.sources_len; i++)
        TRY(source_watch(r->runtime->source, &r->settings.emitter.sources[i].pattern, why));
    return RC_OK;
}

static void *emitter_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct loop loop;
    struct why why = {0};
    struct emitter *e = NULL;
    struct emitter_ports ports = {r->runtime->broker, r->runtime->ledger, r->runtime->source, r->runtime->store};
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

/* ---- lanes and committer ---- */

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
        if (drain && !view.working && !view.flights) return true;
        if (stamp_mono_ns() - from < 1000000) loops_sleep(&r->loops, IDLE_WAIT_MS); /* it could not wait by itself */
    }
    return !loop_settle(loop, rc, &why);
}

static void *lane_main(void *context) {
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
        if (stamp_mono_ns() - viewed_ns < (uint64_t)LOOK_MS * 1000000) continue;
        viewed_ns = stamp_mono_ns();
        lane_publish_view(r, lane, t->number);
    }
    if (lane) lane_publish_view(r, lane, t->number);
    (void)atomic_fetch_sub(&r->lanes_running, 1);
    /* The committer may still hold attempts of this lane: it is freed with the others, when the committer has ended. */
    r->settings.lanes_to_free[t->number] = lane;
    return NULL;
}

static void *committer_main(void *context) {
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
            committer_wait(c, IDLE_WAIT_MS);
        else if (!loop_settle(&loop, rc, &why))
            break;
    }
    return NULL;
}

/* ---- uploaders ---- */

static void uploader_publish_view(struct run *r, const struct uploader *u, uint32_t number, struct uploader_view *out) {
    uploader_look(u, out);
    LOCKED(&r->lock);
    r->uploads[number] = *out;
}

static void uploader_wait(struct run *r, const struct uploader_view *view, uint32_t partition, uint64_t wait_ms) {
    struct why why = {0};
    enum rc rc = broker_wait(r->runtime->broker, partition, view->position, MIN(wait_ms, (uint64_t)IDLE_WAIT_MS), &why);
    if (rc == RC_OK && view->position < view->end) return;
    if (rc != RC_OK && rc != RC_ABSENT) loops_sleep(&r->loops, IDLE_WAIT_MS);
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

static void *uploader_main(void *context) {
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

/* ---- the process ---- */

static void start(struct run *r, void *(*main)(void *), uint32_t number) {
    struct run_thread *t = &r->threads[r->threads_len];
    *t = (struct run_thread){.run = r, .number = number};
    struct why why = {0};
    int error = pthread_create(&t->id, NULL, main, t);
    if (error) {
        loops_fail(&r->loops, "run", why_errno(&why, RC_LIMIT, error, "a thread cannot be started"), &why);
        return;
    }
    r->threads_len++;
}

static void check_ready(void *self, struct admin_checks *checks) {
    struct run *r = self;
    char trouble[256];
    loops_trouble(&r->loops, trouble, sizeof trouble);
    bool scanned = false;
    {
        LOCKED(&r->lock);
        scanned = r->emitter.scanned;
    }
    admin_check(checks, "scan", scanned, scanned ? NULL : "the first scan is not finished");
    admin_check(checks, "services", !trouble[0], trouble[0] ? trouble : NULL);
    bool draining = atomic_load(&r->draining);
    admin_check(checks, "work", !draining, draining ? "the process is draining" : NULL);
}

static RC start_admin(struct run *r, struct admin **out, struct why *why) {
    const struct config *config = r->runtime->config;
    if (!config->http.listen.len) return RC_OK;
    struct admin *admin = admin_new();
    admin_on_ready(admin, check_ready, r);
    struct why inner = {0};
    enum rc rc = admin_start(admin, config->http.listen, &inner);
    if (rc != RC_OK) {
        admin_free(admin);
        return config_error(config, "http.listen", why, "%s", inner.text);
    }
    LOG_INFO("listening", F_STR("address", config->http.listen), F_U64("port", admin_port(admin)));
    *out = admin;
    return RC_OK;
}

/* What was done before this run does not count as progress of it. */
struct shown {
    struct progress *progress;
    struct progress_row rows[2];
    bool known;
    uint64_t before;
};

static void show(struct run *r, struct shown *s) {
    LOCKED(&r->lock);
    uint64_t won = 0, planned = 0, built = 0;
    for (size_t i = 0; i < r->lanes; i++) won += r->won[i];
    for (size_t i = 0; i < r->partitions; i++) {
        planned += r->uploads[i].end;
        built += r->uploads[i].start;
    }
    if (r->emitter.scanned && !s->known) {
        s->before = r->emitter.bytes_done - MIN(won, r->emitter.bytes_done);
        s->known = true;
    }
    uint64_t total = r->emitter.bytes - MIN(s->before, r->emitter.bytes);
    s->rows[0] = (struct progress_row){STR("convert"), MIN(won, total), s->known ? total : PROGRESS_UNKNOWN};
    metric_set(METRIC_LANES, atomic_load(&r->lanes_running));
    (void)planned;
    (void)built;
    if (s->progress) progress_update(s->progress, s->rows, 1);
}

static void watch(struct run *r, struct signals *signals, struct shown *shown) {
    uint64_t told_ms = 0;
    while (!loops_stopping(&r->loops)) {
        (void)signals_wait(signals, LOOK_MS);
        if (signals_take_flush(signals)) {
            LOG_INFO("sealing and uploading at once");
            (void)atomic_fetch_add(&r->flushes, 1);
        }
        if (signals_draining(signals) && !atomic_exchange(&r->draining, true)) LOG_INFO("draining");
        if (atomic_load(&signals->drains) > 1) loops_stop(&r->loops); /* the second time means: now */
        if (atomic_load(&r->draining) && !atomic_load(&r->lanes_running)) loops_stop(&r->loops);
        if (r->options.once && atomic_load(&r->done)) loops_stop(&r->loops);
        show(r, shown);
        uint64_t now_ms = clock_ms(clock_real());
        if (now_ms - told_ms < TELL_MS) continue;
        told_ms = now_ms;
        log_tell_suppressed(false);
        uint64_t backlog = 0;
        if (broker_backlog_bytes(r->runtime->broker, &backlog, NULL) == RC_OK)
            metric_set(METRIC_BACKLOG, (int64_t)backlog);
    }
}

static void start_all(struct run *r) {
    atomic_store(&r->lanes_running, (unsigned)r->lanes);
    for (uint32_t i = 0; i < r->partitions; i++) start(r, uploader_main, i);
    start(r, committer_main, 0);
    for (uint32_t i = 0; i < r->lanes; i++) start(r, lane_main, i);
    start(r, emitter_main, 0);
}

static void stop_all(struct run *r) {
    broker_stop(r->runtime->broker);
    committer_stop(worker_committer(r->worker));
    for (size_t i = 0; i < r->threads_len; i++) (void)pthread_join(r->threads[i].id, NULL);
    for (size_t i = 0; i < r->lanes; i++) lane_free(r->settings.lanes_to_free[i]);
}

/* A state folder that was restored from a copy is behind what the seals say: it is brought to agree with them first. */
static RC recover_if_needed(struct run *r, struct why *why) {
    struct runtime *runtime = r->runtime;
    struct recovery_ports ports = {runtime->broker, runtime->ledger, runtime->store};
    struct recovery_settings settings = {runtime->queue, (uint32_t)runtime->config->broker.partitions,
                                         r->settings.uploader.output};
    struct why found = {0};
    bool needed = false;
    TRY(recovery_check(&ports, &settings, &needed, &found, why));
    if (!needed) return RC_OK;
    LOG_WARN("the state is behind the output", F_STR("found", str_of(found.text)));
    struct rng rng = rng_from_kernel();
    TRY(recovery_run(&ports, &settings, &rng, &runtime->ledger.at.epoch, why));
    atomic_store(&r->loops.epoch, runtime->ledger.at.epoch);
    r->loops.ledger = runtime->ledger;
    return RC_OK;
}

static RC open_run(struct run *r, struct signals *signals, struct why *why) {
    const struct config *config = r->runtime->config;
    TRY(run_settings_make(r->runtime, r->options.once, &r->settings, why));
    TRY(run_finish_generations(r->runtime, &r->settings, signals, why));
    TRY(runtime_open_broker(r->runtime, why));
    TRY(recover_if_needed(r, why));
    struct worker_ports ports = {r->runtime->broker, r->runtime->ledger, r->runtime->source};
    TRY(worker_new(&r->settings.worker, &ports, &r->worker, why));
    r->lanes = config_lanes(config);
    r->partitions = worker_partitions(r->worker);
    r->won = alloc_zero(r->lanes, sizeof *r->won);
    r->uploads = alloc_zero(r->partitions, sizeof *r->uploads);
    r->threads = alloc_zero(r->lanes + r->partitions + 2, sizeof *r->threads);
    r->settings.lanes_to_free = alloc_zero(r->lanes, sizeof(struct lane *));
    for (uint32_t p = 0; p < r->partitions; p++) {
        uint64_t start_offset = 0;
        TRY(broker_bounds(r->runtime->broker, p, &start_offset, &r->abandoned[p], why));
    }
    return RC_OK;
}

static RC outcome(struct run *r, struct run_summary *out, struct why *why) {
    const struct emitter_view *v = &r->emitter;
    *out = (struct run_summary){v->files, v->receipted, v->set_aside, v->unreadable, v->lost_bytes, v->bytes};
    if (atomic_load(&r->loops.failed)) {
        *why = r->loops.why;
        return r->loops.rc;
    }
    if (!r->options.once || (!v->set_aside && !v->unreadable && !v->lost_bytes)) return RC_OK;
    return why_set(why, RC_BAD, "%llu files set aside, %llu unreadable, %llu bytes lost before they were read",
                   (unsigned long long)v->set_aside, (unsigned long long)v->unreadable,
                   (unsigned long long)v->lost_bytes);
}

static void close_run(struct run *r) {
    worker_free(r->worker);
    run_settings_done(&r->settings);
    loops_done(&r->loops);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->won);
    free(r->uploads);
    free(r->threads);
    free(r);
}

RC run_pipeline(struct runtime *runtime, const struct run_options *options, struct signals *signals,
                struct run_summary *out, struct why *why) {
    struct run *r = ALLOC(struct run);
    r->runtime = runtime;
    r->options = *options;
    loops_init(&r->loops, runtime->ledger);
    (void)pthread_mutex_init(&r->lock, NULL);
    struct admin *admin = NULL;
    enum rc rc = open_run(r, signals, why);
    if (rc == RC_OK) rc = start_admin(r, &admin, why);
    if (rc == RC_OK) {
        struct shown shown = {0};
        if (options->progress) shown.progress = progress_open(&(struct progress_options){.fd = STDERR_FILENO});
        start_all(r);
        watch(r, signals, &shown);
        stop_all(r);
        show(r, &shown);
        progress_close(shown.progress, shown.rows, 1);
        rc = outcome(r, out, why);
    }
    admin_free(admin);
    close_run(r);
    return rc;
}
