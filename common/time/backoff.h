/* SPDX-License-Identifier: Apache-2.0 */
/* backoff: how long to wait before the next try. Capped exponential with full jitter (M. Brooker, "Exponential Backoff
 * And Jitter", AWS Architecture Blog, 2015): each wait is even in [1, min(cap, first * 2^n)], so that many clients that
 * failed together do not come back together. The random numbers are the caller's, so a simulation can repeat them.
 * Threads: one at a time. Fails: never; it does not count tries, the caller decides when to give up. */
#ifndef SLUICE_BACKOFF_H
#define SLUICE_BACKOFF_H

#include "rng.h"

#include <stdint.h>

struct backoff {
    uint64_t first_ms, cap_ms;
    uint64_t bound_ms; /* of the next wait */
    struct rng rng;
};

/* 0 < first_ms <= cap_ms. */
struct backoff backoff_make(uint64_t first_ms, uint64_t cap_ms, struct rng rng);
/* Milliseconds to wait now, at least 1; the bound doubles for the next time. */
uint64_t backoff_next_ms(struct backoff *backoff);
/* After a success: the next wait is a first one. */
void backoff_reset(struct backoff *backoff);

#endif
