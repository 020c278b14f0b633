/* SPDX-License-Identifier: Apache-2.0 */
#include "deadline.h"

#include "clock.h"
#include "log.h"
#include "own.h"

#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 100 };

/* False when the process got to its end. */
static bool rest(struct deadline *d) {
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    LOCKED(&d->lock);
    if (!d->over) (void)pthread_cond_timedwait(&d->changed, &d->lock, &until);
    return !d->over;
}

/* The main thread looks at the signals, too, but not while it opens servers or waits for the threads' ends. */
static void *watch(void *context) {
    struct deadline *d = context;
    uint64_t first_ms = 0, second_ms = 0;
    while (rest(d)) {
        (void)signals_poll(d->signals);
        unsigned drains = atomic_load(&d->signals->drains);
        uint64_t now_ms = clock_ms(clock_real());
        if (drains > 0 && !first_ms) first_ms = now_ms;
        if (drains > 1 && !second_ms) second_ms = now_ms;
        bool due = first_ms && now_ms - first_ms > d->drain_ms + DEADLINE_GRACE_MS;
        if (!due && !(second_ms && now_ms - second_ms > DEADLINE_GRACE_MS)) continue;
        LOG_WARN("ending where it is: something did not answer in time; what was under way is begun anew");
        _exit(0);
    }
    return NULL;
}

void deadline_start(struct deadline *d, struct signals *signals, uint64_t drain_ms) {
    *d = (struct deadline){.signals = signals, .drain_ms = drain_ms};
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&d->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&d->lock, NULL);
    d->running = pthread_create(&d->thread, NULL, watch, d) == 0; /* without one the calls' own time-outs hold */
}

void deadline_stop(struct deadline *d) {
    {
        LOCKED(&d->lock);
        d->over = true;
        (void)pthread_cond_broadcast(&d->changed);
    }
    if (d->running) (void)pthread_join(d->thread, NULL);
    (void)pthread_cond_destroy(&d->changed);
    (void)pthread_mutex_destroy(&d->lock);
}
