/* SPDX-License-Identifier: Apache-2.0 */
/* num: small arithmetic that must not be written twice. Threads: pure. */
#ifndef SLUICE_NUM_H
#define SLUICE_NUM_H

#include <stdint.h>

/* Each argument is evaluated once: an atomic that changes between two looks would give neither. Both are taken as the
 * type that `a < b ? a : b` has (typeof evaluates nothing), so that signed meets unsigned as loudly as there. The names
 * of the locals differ from call to call, for one may stand in another's argument. Not for constant expressions. */
#define NUM_JOIN_(a, b) a##b
#define NUM_NAME_(name, n) NUM_JOIN_(name, n)
#define NUM_PICK_(a, b, compare, n)                                                                                    \
    __extension__({                                                                                                    \
        __typeof__(1 ? (a) : (b)) NUM_NAME_(num_a_, n) = (a), NUM_NAME_(num_b_, n) = (b);                              \
        NUM_NAME_(num_a_, n) compare NUM_NAME_(num_b_, n) ? NUM_NAME_(num_a_, n) : NUM_NAME_(num_b_, n);               \
    })
#define MIN(a, b) NUM_PICK_(a, b, <, __COUNTER__)
#define MAX(a, b) NUM_PICK_(a, b, >, __COUNTER__)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* a + b, stopping at UINT64_MAX. */
static inline uint64_t num_add(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }
/* a / b rounded up; b > 0. */
static inline uint64_t num_ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

#endif
