/* SPDX-License-Identifier: Apache-2.0 */
#include "backoff.h"

#include "must.h"

struct backoff backoff_make(uint64_t first_ms, uint64_t cap_ms, struct rng rng) {
    MUST(first_ms > 0 && first_ms <= cap_ms);
    return (struct backoff){.first_ms = first_ms, .cap_ms = cap_ms, .bound_ms = first_ms, .rng = rng};
}

uint64_t backoff_next_ms(struct backoff *backoff) {
    uint64_t bound = backoff->bound_ms;
    backoff->bound_ms = bound > backoff->cap_ms / 2 ? backoff->cap_ms : bound * 2;
    return 1 + rng_below(&backoff->rng, bound);
}

void backoff_reset(struct backoff *backoff) { backoff->bound_ms = backoff->first_ms; }
