/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include "admin.h"
#include "alloc.h"
#include "clock.h"
#include "committer.h"
#include "deadline.h"
#include "inputs.h"
#include "lane.h"
#include "log.h"
#include "metric.h"
#include "num.h"
#include "own.h"
#include "progress.h"
#include "recovery.h"
#include "run_generations.h"
#include "run_inner.h"
#include "serve.h"

#include <stdlib.h>
#include <unistd.h>

enum { TELL_MS = 1000 }; /* between two tellings of what the log left out, and of the backlog */

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
    if (r->options.roles & RUN_EMITTER) {
        LOCKED(&r->lock);
        bool scanned = r->emitter.scanned;
        admin_check(checks, "scan", scanned, scanned ? NULL : "the first scan is not finished");
    }
    admin_check(checks, "services", !trouble[0], trouble[0] ? trouble : NULL);
    bool open = atomic_load(&r->open);
    admin_check(checks, "start", open, open ? NULL : "broker, ledger and output are not open yet");
    bool draining = atomic_load(&r->draining);
    admin_check(checks, "work", !draining, draining ? "the process is draining" : NULL);
}

static RC start_admin(struct run *r, struct admin **out, struct why *why) {
    const struct config *config = r->config;
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
    struct progress_row rows[1];
    bool known;
    uint64_t before;
};

static void show(struct run *r, struct shown *s) {
    LOCKED(&r->lock);
    uint64_t won = 0;
    if (!(r->options.roles & RUN_EMITTER)) return; /* nobody here knows how much there is */
    for (size_t i = 0; i < r->lanes; i++) won += r->won[i];
    if (!(r->options.roles & RUN_WORKER)) won = r->emitter.bytes_done;
    if (r->emitter.scanned && !s->known) {
        s->before = r->emitter.bytes_done - MIN(won, r->emitter.bytes_done);
        s->known = true;
    }
    uint64_t total = r->emitter.bytes - MIN(s->before, r->emitter.bytes);
    s->rows[0] = (struct progress_row){STR("convert"), MIN(won, total), s->known ? total : PROGRESS_UNKNOWN};
    metric_set(METRIC_LANES, atomic_load(&r->lanes_running));
    if (s->progress) progress_update(s->progress, s->rows, 1);
}

static void watch(struct run *r, struct signals *signals, struct shown *shown) {
    uint64_t told_ms = 0, drain_ms = 0;
    while (!loops_stopping(&r->loops)) {
        (void)signals_wait(signals, RUN_LOOK_MS);
        if (signals_take_flush(signals)) {
            LOG_INFO("sealing and uploading at once");
            (void)atomic_fetch_add(&r->flushes, 1);
        }
        if (signals_draining(signals) && !atomic_exchange(&r->draining, true)) {
            LOG_INFO("draining");
            drain_ms = clock_ms(clock_real());
        }
        if (drain_ms && clock_ms(clock_real()) - drain_ms > r->config->drain_ms) loops_stop(&r->loops);
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
    unsigned roles = r->options.roles;
    atomic_store(&r->lanes_running, (unsigned)r->lanes);
    for (uint32_t i = 0; i < r->upload_threads; i++) start(r, run_uploader_main, i);
    if (r->upload_threads && r->runtime->fleet) {
        start(r, run_share_main, 0);
        start(r, run_keeper_main, 0);
        if (r->config->generation > 1) start(r, run_older_main, 0);
    }
    if (r->upload_threads && !r->options.once) start(r, run_upkeep_main, 0);
    if (r->lanes) start(r, run_committer_main, 0);
    for (uint32_t i = 0; i < r->lanes; i++) start(r, run_lane_main, i);
    if (roles & RUN_EMITTER) start(r, run_emitter_main, 0);
}

static void stop_all(struct run *r) {
    broker_stop(r->runtime->broker);
    if (r->worker) committer_stop(worker_committer(r->worker));
    for (size_t i = 0; i < r->threads_len; i++) (void)pthread_join(r->threads[i].id, NULL);
    for (size_t i = 0; i < r->lanes; i++) lane_free(r->settings.lanes_to_free[i]);
}

/* A state folder that was restored from a copy is behind what the seals say: it is brought to agree with them first. */
static RC recover_if_needed(struct run *r, struct why *why) {
    struct runtime *runtime = r->runtime;
    struct recovery_ports ports = runtime_recovery_ports(runtime);
    struct recovery_settings settings = runtime_recovery_settings(runtime, &r->settings.uploader.output);
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

/* Recovery comes first, also one that an earlier run began: until it is done the ledger answers nobody, not even the
 * uploaders that finish an earlier generation. Those need the lock of the queues for themselves. */
static RC open_queue(struct run *r, struct signals *signals, struct why *why) {
    TRY(runtime_open_broker(r->runtime, why));
    if (r->runtime->fleet) return RC_OK; /* the keeper sees to it, beside everybody else */
    TRY(recover_if_needed(r, why));
    if (r->config->generation == 1) return RC_OK;
    runtime_close_broker(r->runtime);
    TRY(run_finish_generations(r->runtime, &r->settings, &(struct run_until){.signals = signals}, why));
    return runtime_open_broker(r->runtime, why);
}

static RC open_lanes(struct run *r, struct why *why) {
    if (!(r->options.roles & RUN_WORKER)) return RC_OK;
    struct worker_ports ports = {r->runtime->broker, r->runtime->ledger, r->runtime->source};
    TRY(worker_new(&r->settings.worker, &ports, &r->worker, why));
    r->lanes = config_lanes(r->config);
    r->won = alloc_zero(r->lanes, sizeof *r->won);
    r->settings.lanes_to_free = alloc_zero(r->lanes, sizeof(struct lane *));
    return RC_OK;
}

/* On one machine all partitions are ours, and whatever is in the log was published by a process that is dead. */
static RC open_uploads(struct run *r, struct why *why) {
    if (!(r->options.roles & RUN_UPLOADER)) return RC_OK;
    uint32_t partitions = 0;
    TRY(broker_partitions(r->runtime->broker, BROKER_BLOCKS, &partitions, why));
    r->uploads = alloc_zero(partitions, sizeof *r->uploads);
    r->partitions = partitions;
    r->upload_threads = MIN(r->partitions, (size_t)RUN_UPLOAD_THREADS);
    for (uint32_t p = 0; p < partitions; p++) {
        struct run_upload *u = &r->uploads[p];
        uint64_t start_offset = 0;
        atomic_init(&u->owned, !r->runtime->fleet);
        atomic_init(&u->reset_to, UINT64_MAX);
        if (!r->runtime->fleet) TRY(broker_bounds(r->runtime->broker, p, &start_offset, &u->abandoned, why));
    }
    return RC_OK;
}

static RC open_run(struct run *r, struct signals *signals, struct why *why) {
    TRY(runtime_open(r->config, RUNTIME_WRITE, r->runtime, why));
    r->runtime->reads_blocks = r->options.roles & RUN_UPLOADER;
    r->loops.ledger = r->runtime->ledger;
    atomic_store(&r->loops.epoch, r->runtime->ledger.at.epoch);
    TRY(run_settings_make(r->runtime, r->options.once, &r->settings, why));
    TRY(open_queue(r, signals, why));
    if (r->options.redrive) TRY(run_redrive_find(r, why));
    if (r->options.roles & RUN_EMITTER) TRY(runtime_open_notify(r->runtime, why));
    if (r->options.roles & RUN_EMITTER) TRY(inputs_check(r->config, r->runtime->source, why));
    bool files = (r->options.roles & RUN_EMITTER) && !r->options.redrive; /* rejects are in the store, for all */
    if (files) TRY(serve_start(r->config, r->runtime->source, &r->serve, why));
    TRY(open_lanes(r, why));
    TRY(open_uploads(r, why));
    enum { OTHERS = 6 }; /* emitter, committer, share, keeper, older, upkeep */
    r->threads = alloc_zero(r->lanes + r->upload_threads + OTHERS, sizeof *r->threads);
    return RC_OK;
}

/* What open_run() made, also by half. */
static void close_parts(struct run *r) {
    worker_free(TAKE(r->worker));
    serve_free(TAKE(r->serve));
    run_settings_done(&r->settings);
    redrive_done(&r->redrive);
    free(TAKE(r->won));
    free(TAKE(r->uploads));
    free(TAKE(r->threads));
    r->lanes = r->partitions = r->upload_threads = 0;
    runtime_close(r->runtime);
}

/* Less when somebody tells it to end. */
static void rest(struct run *r, struct signals *signals, uint64_t ms) {
    uint64_t until_ms = clock_ms(clock_real()) + ms;
    while (!signals_draining(signals) && clock_ms(clock_real()) < until_ms) (void)signals_wait(signals, RUN_LOOK_MS);
    atomic_store(&r->draining, signals_draining(signals));
}

/* Servers of a fleet come and go, also while we start: waits for them as it does later, and says so to readyz. */
static RC open_patiently(struct run *r, struct signals *signals, struct why *why) {
    struct loop loop;
    loop_init(&loop, &r->loops, "start");
    for (;;) {
        struct why local = {0};
        enum rc rc = open_run(r, signals, &local);
        if (rc == RC_OK) {
            (void)loop_settle(&loop, rc, &local);
            atomic_store(&r->open, true);
            return RC_OK;
        }
        if (rc != RC_BUSY || config_broker_is_local(r->config)) {
            if (why) *why = local;
            return rc;
        }
        close_parts(r);
        uint64_t rest_ms = 0;
        (void)loop_judge(&loop, rc, &local, &rest_ms);
        rest(r, signals, rest_ms);
        if (signals_draining(signals)) return why_set(why, RC_STOP, "stopped while it waited: %s", local.text);
    }
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
    close_parts(r);
    loops_done(&r->loops);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->runtime);
    free(r);
}

static struct run *make_run(const struct config *config, const struct run_options *options) {
    struct run *r = ALLOC(struct run);
    r->config = config;
    r->options = *options;
    r->runtime = ALLOC(struct runtime);
    r->runtime->config = config;
    loops_init(&r->loops, r->runtime->ledger);
    r->loops.patience_ms = options->patience_ms;
    (void)pthread_mutex_init(&r->lock, NULL);
    return r;
}

static enum rc work(struct run *r, struct signals *signals, struct run_summary *out, struct why *why) {
    struct shown shown = {0};
    if (r->options.progress) shown.progress = progress_open(&(struct progress_options){.fd = STDERR_FILENO});
    start_all(r);
    watch(r, signals, &shown);
    stop_all(r);
    show(r, &shown);
    progress_close(shown.progress, shown.rows, 1);
    return outcome(r, out, why);
}

RC run_pipeline(const struct config *config, const struct run_options *options, struct signals *signals,
                struct run_summary *out, struct why *why) {
    struct run *r = make_run(config, options);
    struct admin *admin = NULL;
    *out = (struct run_summary){0};
    struct deadline deadline;
    bool fleet = !config_broker_is_local(config);
    if (fleet) deadline_start(&deadline, signals, config->drain_ms);
    enum rc rc = start_admin(r, &admin, why);
    if (rc == RC_OK) rc = open_patiently(r, signals, why);
    if (rc == RC_OK) rc = work(r, signals, out, why);
    admin_free(admin);
    close_run(r);
    if (fleet) deadline_stop(&deadline);
    return rc == RC_STOP ? RC_OK : rc;
}
