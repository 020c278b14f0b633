/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include "must.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

static struct timespec read_clock(clockid_t id) {
    struct timespec now;
    MUST(clock_gettime(id, &now) == 0);
    return now;
}

static uint64_t real_monotonic_ms(void *self) {
    (void)self;
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int64_t real_wall_ns(void *self) {
    (void)self;
    struct timespec now = read_clock(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Until an absolute time, so that signals do not stretch it. */
static void real_sleep_ms(void *self, uint64_t ms) {
    (void)self;
    struct timespec until = read_clock(CLOCK_MONOTONIC);
    uint64_t seconds = ms / 1000;
    until.tv_sec += seconds > INT_MAX ? INT_MAX : (time_t)seconds;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int error;
    do {
        error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    } while (error == EINTR);
    MUST(error == 0);
}

static const struct clock_ops real_ops = {real_monotonic_ms, real_wall_ns, real_sleep_ms};

struct clock clock_real(void) {
    return (struct clock){&real_ops, NULL};
}
