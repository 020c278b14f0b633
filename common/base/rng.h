/* SPDX-License-Identifier: Apache-2.0 */
/* rng: a small stream of random numbers (xoshiro256**, Blackman and Vigna 2018), seeded from the kernel in production
 * and from a printed number in the simulation, so that a run can be repeated. Not for secrets. Threads: one at a time.
 * Fails: rng_from_kernel aborts if the kernel gives no entropy. */
#ifndef SLUICE_RNG_H
#define SLUICE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

struct rng rng_from_seed(uint64_t seed);
struct rng rng_from_kernel(void);
uint64_t rng_next(struct rng *rng);
/* Even in [0, below); below > 0. */
uint64_t rng_below(struct rng *rng, uint64_t below);

#endif
