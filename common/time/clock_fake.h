/* SPDX-License-Identifier: Apache-2.0 */
/* clock_fake: a clock that stands still until it is told to move; sleeping on it moves it. For tests and the
 * simulation. Set the fields at will; keep the struct in one place while a clock made from it is used.
 * Threads: one at a time. */
#ifndef SLUICE_CLOCK_FAKE_H
#define SLUICE_CLOCK_FAKE_H

#include "clock.h"

struct clock_fake {
    uint64_t monotonic_ms;
    int64_t wall_ns;
    uint64_t slept_ms; /* the sum of all sleeps */
    uint64_t sleeps;   /* how many there were */
};

struct clock clock_fake(struct clock_fake *fake);
/* Both clocks go on by `ms`. */
void clock_fake_advance(struct clock_fake *fake, uint64_t ms);

#endif
