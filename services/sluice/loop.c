/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include "clock.h"
#include "log.h"
#include "metric.h"
#include "own.h"

#include <stdio.h>
#include <time.h>

enum {
    BACKOFF_FIRST_MS = 20,
    BACKOFF_CAP_MS = 10000,
    LIMIT_OVER_MS = 3 * BACKOFF_CAP_MS, /* without a RC_LIMIT: there is room again */
    STALES_TOLD = 10, /* one or two are usual when somebody else was first; so many is waiting, and is said */
};

void loops_init(struct loops *l, struct ledger ledger) {
    *l = (struct loops){.ledger = ledger};
    atomic_init(&l->epoch, ledger.at.epoch);
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&l->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&l->lock, NULL);
}

void loops_done(struct loops *l) {
    (void)pthread_cond_destroy(&l->changed);
    (void)pthread_mutex_destroy(&l->lock);
}

void loops_stop(struct loops *l) {
    LOCKED(&l->lock);
    atomic_store(&l->stopping, true);
    (void)pthread_cond_broadcast(&l->changed);
}

void loops_fail(struct loops *l, const char *who, enum rc rc, const struct why *why) {
    {
        LOCKED(&l->lock);
        if (!atomic_load(&l->failed)) {
            l->rc = rc;
            l->why = *why;
            atomic_store(&l->failed, true);
        }
    }
    LOG_ERROR("stopping", F_STR("service", str_of(who)), F_RC(rc), F_STR("error", str_of(why->text)));
    loops_stop(l);
}

void loops_sleep(struct loops *l, uint64_t ms) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    LOCKED(&l->lock);
    while (!atomic_load(&l->stopping))
        if (pthread_cond_timedwait(&l->changed, &l->lock, &until) != 0) return;
}

void loops_trouble(struct loops *l, char *out, size_t room) {
    LOCKED(&l->lock);
    (void)snprintf(out, room, "%s", atomic_load(&l->trouble) ? l->trouble_text : "");
}

void loop_init(struct loop *loop, struct loops *all, const char *name) {
    struct backoff backoff = backoff_make(BACKOFF_FIRST_MS, BACKOFF_CAP_MS, rng_from_kernel());
    *loop = (struct loop){.all = all, .name = name, .backoff = backoff};
}

static void set_trouble(struct loop *loop, bool on, const struct why *why) {
    if (on == loop->in_trouble) return;
    loop->in_trouble = on;
    LOCKED(&loop->all->lock);
    (void)atomic_fetch_add(&loop->all->trouble, on ? 1 : -1);
    if (on)
        (void)snprintf(loop->all->trouble_text, sizeof loop->all->trouble_text, "%s: %.200s", loop->name, why->text);
}

static void await_recovery(struct loop *loop, const char *words) {
    struct why why = {0};
    (void)!why_set(&why, RC_STALE, "%s: it waits for its recovery", words);
    set_trouble(loop, true, &why);
}

static void tell_waiting(struct loop *loop, const struct why *why) {
    LOG_WARN("waiting", F_STR("service", str_of(loop->name)), F_STR("error", str_of(why->text)));
    set_trouble(loop, true, why);
}

/* Another epoch: everybody reads it before the next step. It only ever rises: a lower one is a ledger that was set
 * back. */
static void refresh_epoch(struct loop *loop, const struct why *why) {
    uint64_t known = atomic_load(&loop->all->epoch);
    struct ledger_identity who;
    struct why inner = {0};
    enum rc rc = ledger_identity(loop->all->ledger, &who, &inner);
    if (rc == RC_ABSENT) await_recovery(loop, "the ledger was emptied");
    if (rc != RC_OK) {
        if (rc != RC_ABSENT) tell_waiting(loop, &inner);
        return;
    }
    if (who.recovering) {
        await_recovery(loop, "the ledger was restarted or set back");
    } else if (who.epoch < known) {
        await_recovery(loop, "the ledger is at an older epoch than it was");
    } else if (who.epoch > known) {
        LOG_INFO("the ledger is at another epoch", F_STR("service", str_of(loop->name)), F_U64("epoch", who.epoch));
        atomic_store(&loop->all->epoch, who.epoch);
    } else if (loop->stales >= STALES_TOLD) {
        tell_waiting(loop, why);
    }
    LOG_DEBUG("decided elsewhere", F_STR("service", str_of(loop->name)), F_STR("error", str_of(why->text)));
}

/* Steps that need no room succeed in between; so it is over only when none was missed for a while. */
static bool is_out_of_patience(struct loop *loop) {
    uint64_t now_ms = clock_ms(clock_real());
    if (!loop->limit_last_ms || now_ms - loop->limit_last_ms > LIMIT_OVER_MS) loop->limit_since_ms = now_ms;
    loop->limit_last_ms = now_ms;
    return loop->all->patience_ms && now_ms - loop->limit_since_ms >= loop->all->patience_ms;
}

void loop_done(struct loop *loop) { set_trouble(loop, false, NULL); }

bool loop_settle(struct loop *loop, enum rc rc, const struct why *why) {
    uint64_t rest_ms = 0;
    bool go_on = loop_judge(loop, rc, why, &rest_ms);
    if (rest_ms) loops_sleep(loop->all, rest_ms);
    return go_on;
}

bool loop_judge(struct loop *loop, enum rc rc, const struct why *why, uint64_t *out_rest_ms) {
    *out_rest_ms = 0;
    if (rc != RC_OK) metric_add_at(METRIC_ERRORS, (uint32_t)rc, 1);
    switch (rc) {
    case RC_OK:
        if (loop->in_trouble) LOG_INFO("going on", F_STR("service", str_of(loop->name)));
        set_trouble(loop, false, why);
        backoff_reset(&loop->backoff);
        loop->stales = 0;
        return true;
    case RC_STALE:
        loop->stales++;
        refresh_epoch(loop, why);
        *out_rest_ms = backoff_next_ms(&loop->backoff);
        return true;
    case RC_BUSY:
    case RC_LIMIT:
        if (rc == RC_LIMIT && is_out_of_patience(loop)) {
            loops_fail(loop->all, loop->name, rc, why);
            return false;
        }
        LOG_WARN(rc == RC_BUSY ? "waiting" : "waiting for room", F_STR("service", str_of(loop->name)),
                 F_STR("error", str_of(why->text)));
        set_trouble(loop, true, why);
        *out_rest_ms = backoff_next_ms(&loop->backoff);
        return true;
    case RC_STOP: return false;
    default: loops_fail(loop->all, loop->name, rc, why); return false;
    }
}
