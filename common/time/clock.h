/* SPDX-License-Identifier: Apache-2.0 */
/* clock: time as a port, so that the simulation and the tests decide what time it is.
 *
 * A clock goes by value. Monotonic time is for ages, time-outs and waits; wall time is for what a person reads and
 * never decides anything (it may jump). Threads: any. Fails: never. */
#ifndef SLUICE_CLOCK_H
#define SLUICE_CLOCK_H

#include <stdint.h>

struct clock_ops {
    uint64_t (*monotonic_ms)(void *self);
    int64_t (*wall_ns)(void *self);
    void (*sleep_ms)(void *self, uint64_t ms);
};

struct clock {
    const struct clock_ops *ops;
    void *self;
};

/* The kernel's clocks: CLOCK_MONOTONIC, CLOCK_REALTIME, clock_nanosleep. */
struct clock clock_real(void);

/* Milliseconds since some start; never goes back, does not count time in which the machine was suspended. */
static inline uint64_t clock_ms(struct clock clock) { return clock.ops->monotonic_ms(clock.self); }
/* Nanoseconds since the Unix epoch. */
static inline int64_t clock_wall_ns(struct clock clock) { return clock.ops->wall_ns(clock.self); }
/* Sleeps at least so long; a signal does not end it. For a wait that a signal must end, see signals.h. */
static inline void clock_sleep_ms(struct clock clock, uint64_t ms) { clock.ops->sleep_ms(clock.self, ms); }

#endif
