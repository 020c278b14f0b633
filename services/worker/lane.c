/* SPDX-License-Identifier: Apache-2.0 */
#include "lane_inner.h"

#include "alloc.h"
#include "kept.h"
#include "metric.h"
#include "num.h"
#include "split.h"
#include "stopwatch.h"

#include <stdlib.h>

enum { DECISION_WAIT_MS = 20 };

RC lane_new(struct worker *worker, struct rng rng, struct lane **out, struct why *why) {
    const struct worker_settings *s = worker_settings(worker);
    const struct worker_ports *ports = worker_ports(worker);
    struct lane *l = ALLOC(struct lane);
    l->worker = worker;
    l->rng = rng;
    l->last = &l->first;
    l->message = BUF_INIT(JOB_MESSAGE_MAX);
    l->converters = alloc_zero(s->sources_len, sizeof(struct converter *));
    l->slice = slice_new((struct slice_limits){0});
    for (size_t i = 0; i < s->sources_len && !l->kept; i++)
        if (s->sources[i].converter.shape.once.key_len) l->kept = kept_new();
    l->line_work = alloc_bytes(LANE_LINE_WORK);
    l->slice_bytes = s->slice_bytes_min;
    struct blocks_settings blocks = {.format = s->format,
                                     .level = s->level,
                                     .block_bytes = s->block_bytes,
                                     .small_bytes = s->block_small_bytes,
                                     .large_bytes = s->block_large_bytes,
                                     .frame_bytes = s->object_bytes ? split_frame_bytes(s->object_bytes) : 0,
                                     .partitions = worker_partitions(worker),
                                     .append = lane_append,
                                     .context = l};
    l->blocks = blocks_new(&blocks);
    char group[WORKER_GROUP_MAX];
    worker_group(ports->ledger.at.generation, group);
    enum rc rc = broker_consumer_new(ports->broker, str_of(group), &l->consumer, why);
    if (rc == RC_OK) rc = broker_producer_new(ports->broker, s->lane_bytes, &l->producer, why);
    if (rc != RC_OK) {
        lane_free(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

static void forget_all(struct lane *l) {
    lane_task_end(l);
    while (l->first) {
        struct flight *f = l->first;
        l->first = f->next;
        lane_flight_forget(l, f);
    }
    l->last = &l->first;
}

void lane_free(struct lane *l) {
    if (!l) return;
    forget_all(l);
    for (struct work *work = l->again, *next = NULL; work; work = next) {
        next = work->next;
        free(work);
    }
    if (l->consumer.ops) broker_consumer_free(l->consumer);
    if (l->producer.ops) broker_producer_free(l->producer);
    for (size_t i = 0; i < worker_settings(l->worker)->sources_len; i++) converter_free(l->converters[i]);
    free(l->converters);
    slice_free(l->slice);
    kept_free(l->kept);
    blocks_free(l->blocks);
    buf_done(&l->message);
    arena_done(&l->job_arena);
    free(l->window);
    free(l->line_work);
    noted_done(&l->noted);
    free(l);
}

void lane_drain(struct lane *l) { l->draining = true; }

void lane_look(const struct lane *l, struct lane_view *out) {
    *out = (struct lane_view){.flights = l->flights, .bytes_won = l->bytes_won, .working = l->task.work != NULL};
}

static bool has_room(const struct lane *l) {
    if (l->kept && l->flights && kept_keys(l->kept) >= KEPT_RUN) return false;
    return l->flights < WORKER_FLIGHTS_MAX && l->unacked_bytes < worker_settings(l->worker)->lane_bytes / 2;
}

static RC backlog_is_full(struct lane *l, bool *out, struct why *why) {
    uint64_t bytes = 0;
    TRY(broker_backlog_bytes(worker_ports(l->worker)->broker, &bytes, why));
    *out = bytes >= worker_settings(l->worker)->backlog_bytes_max;
    return RC_OK;
}

/* Nothing to convert now, but attempts are under way. */
static RC wait_for_flights(struct lane *l, uint64_t wait_ms, struct why *why) {
    struct stopwatch watch;
    stopwatch_start(&watch);
    bool unacked = false;
    for (const struct flight *f = l->first; f && !unacked; f = f->next) unacked = f->unacked > 0;
    enum rc rc = RC_OK;
    if (unacked)
        rc = lane_take_acks(l, MIN(wait_ms, (uint64_t)DECISION_WAIT_MS), why);
    else if (wait_ms)
        committer_wait_decided(worker_committer(l->worker), MIN(wait_ms, (uint64_t)DECISION_WAIT_MS));
    stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_WAIT);
    return rc;
}

RC lane_step(struct lane *l, uint64_t wait_ms, bool *out_idle, struct why *why) {
    *out_idle = false;
    if (l->producer_broken) return lane_renew_producer(l, why);
    if (l->flights) {
        TRY(lane_take_acks(l, 0, why));
        lane_retire_decided(l);
    }
    bool full = false;
    TRY(backlog_is_full(l, &full, why));
    if (!has_room(l) || (full && l->flights)) return wait_for_flights(l, wait_ms, why);
    if (full) {
        *out_idle = true; /* the loop waits: only the uploader makes room */
        return RC_OK;
    }
    if (l->task.work) return lane_convert_step(l, why);
    if (l->draining) {
        *out_idle = !l->flights;
        return l->flights ? wait_for_flights(l, wait_ms, why) : RC_OK;
    }
    if (!l->flights) return lane_next_job(l, wait_ms, out_idle, why);
    TRY(lane_next_job(l, 0, out_idle, why));
    if (!*out_idle) return RC_OK;
    *out_idle = false;
    return wait_for_flights(l, wait_ms, why);
}
