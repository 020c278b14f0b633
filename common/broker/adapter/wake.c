/* SPDX-License-Identifier: Apache-2.0 */
#include "wake.h"

#include "num.h"
#include "own.h"

#include <errno.h>
#include <time.h>

/* A year; longer waits are cut so that the seconds cannot overflow. */
enum { WAIT_S_MAX = 366 * 86400 };

void wake_init(struct wake *wake) {
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&wake->lock, NULL);
    (void)pthread_cond_init(&wake->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    wake->count = 0;
}

void wake_done(struct wake *wake) {
    (void)pthread_cond_destroy(&wake->changed);
    (void)pthread_mutex_destroy(&wake->lock);
}

uint64_t wake_count(struct wake *wake) {
    LOCKED(&wake->lock);
    return wake->count;
}

void wake_all(struct wake *wake) {
    LOCKED(&wake->lock);
    wake->count++;
    (void)pthread_cond_broadcast(&wake->changed);
}

void wake_deadline(uint64_t wait_ms, struct timespec *out) {
    uint64_t seconds = MIN(wait_ms / 1000, (uint64_t)WAIT_S_MAX);
    (void)clock_gettime(CLOCK_MONOTONIC, out);
    out->tv_sec += (time_t)seconds;
    out->tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (out->tv_nsec >= 1000000000) {
        out->tv_nsec -= 1000000000;
        out->tv_sec++;
    }
}

bool wake_wait(struct wake *wake, uint64_t seen, const struct timespec *deadline) {
    LOCKED(&wake->lock);
    while (wake->count == seen)
        if (pthread_cond_timedwait(&wake->changed, &wake->lock, deadline) == ETIMEDOUT) return wake->count != seen;
    return true;
}
