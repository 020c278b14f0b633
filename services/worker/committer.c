/* SPDX-License-Identifier: Apache-2.0 */
#include "committer.h"

#include "alloc.h"
#include "metric.h"
#include "own.h"
#include "stopwatch.h"
#include "worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct committer {
    struct worker *worker;
    pthread_mutex_t lock;
    pthread_cond_t submitted, decided;
    struct submission *first, **last;
    bool stopped;
    struct ledger_advance asks[COMMITTER_BATCH];
    enum ledger_decision answers[COMMITTER_BATCH];
    struct submission *taken[COMMITTER_BATCH];
};

struct committer *committer_new(struct worker *worker) {
    struct committer *c = ALLOC(struct committer);
    c->worker = worker;
    c->last = &c->first;
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->submitted, &attr);
    (void)pthread_cond_init(&c->decided, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&c->lock, NULL);
    return c;
}

void committer_free(struct committer *c) {
    if (!c) return;
    (void)pthread_cond_destroy(&c->submitted);
    (void)pthread_cond_destroy(&c->decided);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

void committer_submit(struct committer *c, struct submission *s) {
    LOCKED(&c->lock);
    s->next = NULL;
    *c->last = s;
    c->last = &s->next;
    (void)pthread_cond_signal(&c->submitted);
}

/* Looks at the first in the queue without taking them: what fails is asked again. */
static size_t peek(struct committer *c) {
    LOCKED(&c->lock);
    size_t n = 0, claims = 0;
    for (struct submission *s = c->first; s && n < COMMITTER_BATCH; s = s->next) {
        claims += claims_count(s->ask.claims);
        if (n && claims > CLAIMS_MAX) break;
        c->taken[n] = s;
        c->asks[n++] = s->ask;
    }
    return n;
}

/* Takes the first n off the queue with their decisions. The lane may free a submission as soon as it is decided. */
static void settle(struct committer *c, size_t n, bool all_lost) {
    LOCKED(&c->lock);
    for (size_t i = 0; i < n; i++) {
        c->first = c->taken[i]->next;
        if (!c->first) c->last = &c->first;
        enum ledger_decision d = all_lost || c->answers[i] == LEDGER_UNDECIDED ? LEDGER_LOST : c->answers[i];
        atomic_store(&c->taken[i]->decision, (int)d);
    }
    (void)pthread_cond_broadcast(&c->decided);
}

/* One of the batch is of a file that the ledger does not know (it was emptied): ask one by one, so that only that one
 * is lost. */
static RC ask_singly(struct committer *c, size_t n, const struct ledger_acknowledged *acks, size_t acks_n,
                     struct why *why) {
    struct ledger ledger = worker_ledger(c->worker);
    for (size_t i = 0; i < n; i++) {
        enum rc rc = ledger_advance(ledger, &c->asks[i], 1, acks, acks_n, &c->answers[i], why);
        if (rc == RC_ABSENT)
            c->answers[i] = LEDGER_LOST;
        else if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

RC committer_step(struct committer *c, struct why *why) {
    size_t n = peek(c);
    if (!n) return RC_ABSENT;
    struct ledger_acknowledged acks[WORKER_PARTITIONS_MAX];
    size_t acks_n = worker_acknowledged(c->worker, acks);
    struct stopwatch watch;
    stopwatch_start(&watch);
    enum rc rc = ledger_advance(worker_ledger(c->worker), c->asks, n, acks, acks_n, c->answers, why);
    if (rc == RC_ABSENT) rc = ask_singly(c, n, acks, acks_n, why);
    stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_ADVANCE);
    if (rc == RC_OK || rc == RC_STALE) settle(c, n, rc == RC_STALE);
    return rc;
}

static void wait_on(struct committer *c, pthread_cond_t *cond, bool for_submission, uint64_t wait_ms) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    LOCKED(&c->lock);
    if (c->stopped || (for_submission && c->first)) return;
    (void)pthread_cond_timedwait(cond, &c->lock, &until);
}

void committer_wait(struct committer *c, uint64_t wait_ms) { wait_on(c, &c->submitted, true, wait_ms); }

void committer_wait_decided(struct committer *c, uint64_t wait_ms) { wait_on(c, &c->decided, false, wait_ms); }

void committer_stop(struct committer *c) {
    LOCKED(&c->lock);
    c->stopped = true;
    (void)pthread_cond_broadcast(&c->submitted);
    (void)pthread_cond_broadcast(&c->decided);
}
