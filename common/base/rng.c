/* SPDX-License-Identifier: Apache-2.0 */
#include "rng.h"

#include "must.h"

#include <sys/random.h>

static uint64_t splitmix(uint64_t *x) {
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct rng rng_from_seed(uint64_t seed) {
    struct rng rng;
    for (int i = 0; i < 4; i++) rng.state[i] = splitmix(&seed);
    return rng;
}

struct rng rng_from_kernel(void) {
    struct rng rng;
    MUST(getrandom(&rng, sizeof rng, 0) == (ssize_t)sizeof rng);
    rng.state[0] |= 1; /* the all-zero state is the one that xoshiro never leaves */
    return rng;
}

static uint64_t rotate(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

uint64_t rng_next(struct rng *rng) {
    uint64_t *s = rng->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t below) {
    MUST(below > 0);
    return (uint64_t)(((unsigned __int128)rng_next(rng) * below) >> 64);
}
