/* SPDX-License-Identifier: Apache-2.0 */
/* lane_flights: attempts from their first message to their decision. */
#include "lane_inner.h"

#include "alloc.h"
#include "log.h"
#include "metric.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>

enum {
    ACKS = 256,
    APPEND_TRIES =
        600, /* times APPEND_WAIT_MS: how long a full producer may hold a lane before the attempt is given up */
    APPEND_WAIT_MS = 100,
};

void lane_work_release(struct lane *l, struct work *work) {
    if (--work->refs) return;
    worker_give_back(l->worker, work->key);
    if (!work->again) {
        free(work);
        return;
    }
    work->next = l->again;
    l->again = work;
}

struct flight *lane_flight_new(struct lane *l, uint64_t to) {
    struct task *t = &l->task;
    struct flight *f = ALLOC(struct flight);
    f->work = t->work;
    f->work->refs++;
    f->number = l->next_number++;
    f->source = t->source;
    f->submission.ask.attempt = (struct attempt){.generation = worker_ports(l->worker)->ledger.at.generation,
                                                 .file = t->job.file,
                                                 .stripe = t->job.stripe,
                                                 .from = t->at,
                                                 .to = to,
                                                 .id = id_make(&l->rng),
                                                 .predecessor = t->predecessor,
                                                 .epoch = t->epoch};
    LOG_DEBUG("attempt begins", F_STR("file", t->job.facts.uri), F_U64("stripe", t->job.stripe), F_U64("offset", t->at),
              F_U64("to", to), F_ID("attempt", f->submission.ask.attempt.id));
    *l->last = f;
    l->last = &f->next;
    l->flights++;
    return f;
}

/* Forgets an attempt that is not with the committer. */
void lane_flight_forget(struct lane *l, struct flight *f) {
    l->unacked_bytes -= f->unacked_bytes;
    lane_work_release(l, f->work);
    l->flights--;
    free(f->claims);
    free(f);
}

/* The attempt that could not be published whole is the last in the list: it goes, and the task with it. */
void lane_flight_abandon(struct lane *l, struct flight *f) {
    struct flight **link = &l->first;
    while (*link != f) link = &(*link)->next;
    MUST(!f->next);
    *link = NULL;
    l->last = link;
    lane_flight_forget(l, f);
    lane_task_end(l);
}

/* Appends, waiting for room where the producer is full. */
enum rc lane_append(void *context, uint32_t partition, struct str head, struct str body, struct why *why) {
    struct lane *l = context;
    struct flight *f = l->publishing;
    for (int i = 0; i < APPEND_TRIES; i++) {
        enum rc rc = broker_append(l->producer, BROKER_BLOCKS, partition, head, body, f->number, why);
        if (rc == RC_BROKEN) l->producer_broken = true;
        if (rc != RC_BUSY) {
            if (rc != RC_OK) return rc;
            f->unacked++;
            f->unacked_bytes += head.len + body.len;
            l->unacked_bytes += head.len + body.len;
            return RC_OK;
        }
        TRY(lane_take_acks(l, APPEND_WAIT_MS, why));
    }
    return why_set(why, RC_BUSY, "the queue takes no more blocks");
}

static void acknowledged(struct lane *l, const struct broker_ack *ack) {
    worker_acknowledge(l->worker, ack->partition, ack->offset);
    for (struct flight *f = l->first; f; f = f->next) {
        if (f->number != ack->cookie) continue;
        MUST(f->unacked > 0);
        f->unacked--;
        if (!f->unacked && f->published) {
            l->unacked_bytes -= f->unacked_bytes;
            f->unacked_bytes = 0;
        }
        return;
    }
}

/* In the order of the ranges: a successor is never asked before its predecessor. */
static void submit_ready(struct lane *l) {
    for (struct flight *f = l->first; f && f->published && !f->unacked; f = f->next) {
        if (f->submitted) continue;
        f->submitted = true;
        committer_submit(worker_committer(l->worker), &f->submission);
    }
}

RC lane_take_acks(struct lane *l, uint64_t wait_ms, struct why *why) {
    struct broker_ack acks[ACKS];
    size_t n = 0;
    do {
        enum rc rc = broker_poll(l->producer, wait_ms, acks, ACKS, &n, why);
        if (rc == RC_BROKEN) { /* the next step makes it anew */
            l->producer_broken = true;
            return RC_BUSY;
        }
        if (rc != RC_OK) return rc;
        for (size_t i = 0; i < n; i++) acknowledged(l, &acks[i]);
        wait_ms = 0;
    } while (n == ACKS);
    submit_ready(l);
    return RC_OK;
}

static void count_won(struct lane *l, const struct flight *f) {
    const struct ledger_advance *a = &f->submission.ask;
    uint64_t bytes = a->attempt.to - a->attempt.from;
    l->bytes_won += bytes;
    metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_WON, 1);
    metric_add_at(METRIC_LINES_READ, f->source->metric_label, f->counts.lines);
    metric_add_at(METRIC_BYTES_READ, f->source->metric_label, bytes);
    metric_add(METRIC_RECORDS, f->counts.records);
    metric_add(METRIC_BLANK, f->counts.blank);
    metric_add(METRIC_OVERFLOW, f->counts.overflow);
    metric_add(METRIC_HISTOGRAMS_DROPPED, f->counts.dropped);
    metric_add(METRIC_DUPLICATES, f->counts.duplicates);
    for (size_t i = 1; i < REASON_COUNT; i++)
        if (f->counts.reasons[i])
            metric_add_at(METRIC_REJECTS,
                          metric_label(LABEL_REASON, str_of(converter_reason_name((enum converter_reason)i))),
                          f->counts.reasons[i]);
}

void lane_retire_decided(struct lane *l) {
    while (l->first && l->first->submitted) {
        struct flight *f = l->first;
        enum ledger_decision decision = (enum ledger_decision)atomic_load(&f->submission.decision);
        if (decision == LEDGER_UNDECIDED) return;
        if (decision == LEDGER_WON)
            count_won(l, f);
        else {
            LOG_DEBUG("attempt lost", F_ID("attempt", f->submission.ask.attempt.id),
                      F_U64("stripe", f->submission.ask.attempt.stripe),
                      F_U64("offset", f->submission.ask.attempt.from));
            metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_LOST, 1);
            f->work->lost = true;
            f->work->again = f->work->again || f->claims;
        }
        l->first = f->next;
        if (!l->first) l->last = &l->first;
        lane_flight_forget(l, f);
    }
}

/* A producer that failed takes with it all that was not submitted: nobody knows what of it is in the log. */
RC lane_renew_producer(struct lane *l, struct why *why) {
    const struct worker_ports *ports = worker_ports(l->worker);
    if (l->task.work) lane_task_end(l);
    struct flight **link = &l->first;
    while (*link) {
        struct flight *f = *link;
        if (f->submitted) {
            link = &f->next;
            continue;
        }
        *link = f->next;
        lane_flight_forget(l, f);
    }
    l->last = link;
    if (l->producer.ops) broker_producer_free(l->producer);
    l->producer = (struct broker_producer){0};
    TRY(broker_producer_new(ports->broker, worker_settings(l->worker)->lane_bytes, &l->producer, why));
    l->producer_broken = false;
    return RC_OK;
}
