/* SPDX-License-Identifier: Apache-2.0 */
#include "walk_world.h"

#include "committer.h"
#include "ledger_sqlite.h"
#include "must.h"
#include "num.h"
#include "source_posix.h"
#include "store_memory.h"

#include <stdio.h>

enum {
    NEVER_MS = 1000 * 1000 * 1000,
    REST_MS = 8000,         /* many scans, and longer than a job waits before it is said again a few times */
    STEPS_MAX = 400 * 1000, /* of one rest, or the end: more is no end */
    SMALL_FILE = 64
};

static uint64_t between(struct walk_world *w, uint64_t from, uint64_t to) {
    return from + rng_below(&w->rng, to - from + 1);
}

static void draw_settings(struct walk_world *w, bool closes) {
    uint64_t line_bytes_max = 4096;
    w->emitter_source = (struct emitter_source){.name = STR("walk"),
                                                .pattern = {.paths = &w->pattern, .paths_len = 1},
                                                .stripe_bytes = between(w, SMALL_FILE, 1024),
                                                .close_after_ms = closes ? 1000 : NEVER_MS,
                                                .rotated_after_ms = closes ? 500 : NEVER_MS};
    w->emitter_settings = (struct emitter_settings){
        .sources = &w->emitter_source, .sources_len = 1, .rescan_ms = 300, .poll_ms = 50, .republish_ms = 200};
    w->worker_source = (struct worker_source){.name = STR("walk"),
                                              .converter = {.kind = CONVERTER_RAW,
                                                            .source = STR("walk"),
                                                            .partition = STR("s={source}"),
                                                            .line_bytes_max = line_bytes_max},
                                              .max_line_bytes = line_bytes_max};
    w->worker_settings = (struct worker_settings){.sources = &w->worker_source,
                                                  .sources_len = 1,
                                                  .format = FRAME_ZST,
                                                  .level = 1,
                                                  .block_bytes = between(w, 64, 1000),
                                                  .lane_bytes = between(w, 4000, 20000),
                                                  .slice_bytes_min = between(w, 64, 2000),
                                                  .piece_bytes = between(w, 16, 200),
                                                  .jobs_attempts_max = 1000,
                                                  .backlog_bytes_max = 1 << 30};
    w->uploader_settings = (struct uploader_settings){.queue = w->queue,
                                                      .output = {.format = STR("jsonl.zst"),
                                                                 .level = 1,
                                                                 .object_bytes = between(w, 200, 4000),
                                                                 .block_bytes = between(w, 64, 1000),
                                                                 .encoder = STR("walk")},
                                                      .flush_ms = 500,
                                                      .seal_bytes_max = 4000,
                                                      .void_after_ms = 1000};
}

RC walk_world_init(struct walk_world *w, const char *folder, bool closes, struct rng rng, struct why *why) {
    *w = (struct walk_world){.rng = rng, .now_ms = 1000000};
    (void)why;
    (void)snprintf(w->ledger_path, sizeof w->ledger_path, "%s/ledger.db", folder);
    (void)snprintf(w->pattern_text, sizeof w->pattern_text, "%s/in/*.log", folder);
    w->pattern = str_of(w->pattern_text);
    w->queue = id_make(&w->rng);
    draw_settings(w, closes);
    struct broker_memory_options options = {.job_partitions = 1, .block_partitions = 1, .seed = rng_next(&w->rng)};
    w->broker = broker_memory_new(&options);
    w->store = store_memory_new();
    return RC_OK;
}

void walk_world_done(struct walk_world *w) {
    walk_world_kill(w);
    broker_memory_free(w->broker);
    store_free(w->store);
}

static enum source_verdict between_calls(void *context, enum source_call call) {
    struct walk_world *w = context;
    (void)call;
    if (w->meanwhile) w->meanwhile(w->context);
    return SOURCE_PASS;
}

static RC open_ports(struct walk_world *w, struct why *why) {
    struct ledger_sqlite_settings ledger = {
        .path = w->ledger_path, .generation = 1, .create = true, .ledger = w->queue, .queue = w->queue};
    TRY(ledger_sqlite_open(&ledger, &w->ledger, why));
    struct source source;
    TRY(source_posix_open(&source, why));
    w->fault = (struct source_fault){.decide = between_calls, .context = w};
    w->source = source_fault_new(walk_broken_source(w, source), &w->fault);
    w->store_again = store_memory_again(w->store);
    return RC_OK;
}

RC walk_world_start(struct walk_world *w, bool once, struct why *why) {
    TRY(open_ports(w, why));
    struct broker broker = broker_memory_port(w->broker);
    w->emitter_settings.once = once;
    struct emitter_ports emitter = {
        .broker = broker, .ledger = w->ledger, .source = w->source, .store = w->store_again};
    TRY(emitter_new(&w->emitter_settings, &emitter, rng_from_seed(rng_next(&w->rng)), &w->emitter, why));
    struct worker_ports worker = {broker, w->ledger, w->source};
    TRY(worker_new(&w->worker_settings, &worker, &w->worker, why));
    for (size_t i = 0; i < WALK_LANES; i++)
        TRY(lane_new(w->worker, rng_from_seed(rng_next(&w->rng)), &w->lanes[i], why));
    struct uploader_ports uploader = {broker, w->ledger, w->store_again};
    w->uploader = uploader_new(&w->uploader_settings, &uploader);
    w->emitter_due = w->uploader_due = w->now_ms;
    return RC_OK;
}

void walk_world_kill(struct walk_world *w) {
    if (!w->emitter) return;
    w->meanwhile = NULL;
    emitter_free(w->emitter);
    for (size_t i = 0; i < WALK_LANES; i++) lane_free(w->lanes[i]);
    worker_free(w->worker);
    uploader_free(w->uploader);
    ledger_free(w->ledger);
    store_free(w->store_again);
    source_free(w->source);
    w->emitter = NULL;
}

/* Later is no failure. */
static enum rc later(enum rc rc) { return rc == RC_BUSY || rc == RC_STALE || rc == RC_ABSENT ? RC_OK : rc; }

static RC step_emitter(struct walk_world *w, struct why *why) {
    uint64_t wait_ms = 0;
    if (w->emitter_due > w->now_ms) return RC_OK;
    enum rc rc = emitter_step(w->emitter, w->now_ms, (int64_t)w->now_ms * 1000000, &wait_ms, why);
    w->emitter_due = w->now_ms + (rc == RC_OK ? wait_ms : 20);
    return later(rc);
}

static RC step_uploader(struct walk_world *w, struct why *why) {
    uint64_t wait_ms = 0;
    if (w->uploader_due > w->now_ms) return RC_OK;
    enum rc rc = uploader_step(w->uploader, w->now_ms, &wait_ms, why);
    w->uploader_due = w->now_ms + (rc == RC_OK ? MIN(wait_ms, (uint64_t)100) : 20);
    return later(rc);
}

static RC step_one(struct walk_world *w, size_t which, struct why *why) {
    if (which == 0) return step_emitter(w, why);
    if (which == 1) return step_uploader(w, why);
    if (which == 2) return later(committer_step(worker_committer(w->worker), why));
    if (which < 3 + WALK_LANES) {
        w->idle[which - 3] = false;
        return later(lane_step(w->lanes[which - 3], 0, &w->idle[which - 3], why));
    }
    while (broker_memory_step(w->broker)) w->idle[0] = w->idle[1] = false;
    return RC_OK;
}

enum { SERVICES = 3 + WALK_LANES + 1 };

RC walk_world_step(struct walk_world *w, struct why *why) {
    w->now_ms += rng_below(&w->rng, 4);
    return step_one(w, (size_t)rng_below(&w->rng, SERVICES), why);
}

/* All of them once; time goes on where all wait. */
static RC round_of_all(struct walk_world *w, bool *out_idle, struct why *why) {
    for (size_t i = 0; i < SERVICES; i++) TRY(step_one(w, i, why));
    *out_idle = true;
    for (size_t i = 0; i < WALK_LANES; i++) {
        struct lane_view view;
        lane_look(w->lanes[i], &view);
        *out_idle = *out_idle && w->idle[i] && !view.working && !view.flights;
    }
    uint64_t next = MIN(w->emitter_due, w->uploader_due);
    if (*out_idle) w->now_ms = MAX(w->now_ms + 1, next);
    return RC_OK;
}

RC walk_world_rest(struct walk_world *w, struct why *why) {
    uint64_t until = w->now_ms + REST_MS;
    bool idle = false;
    for (size_t i = 0; w->now_ms < until || !idle; i++) {
        if (i == STEPS_MAX) return why_set(why, RC_BROKEN, "it does not come to rest");
        TRY(round_of_all(w, &idle, why));
        if (!idle && i % 16 == 0) w->now_ms++;
    }
    return RC_OK;
}

RC walk_world_finish(struct walk_world *w, struct why *why) {
    struct emitter_view view = {0};
    bool idle = false;
    walk_world_kill(w);
    TRY(walk_world_start(w, true, why));
    for (size_t i = 0; !view.done; i++) {
        if (i == STEPS_MAX) return why_set(why, RC_BROKEN, "it does not come to an end");
        TRY(round_of_all(w, &idle, why));
        emitter_look(w->emitter, &view);
    }
    return RC_OK;
}
