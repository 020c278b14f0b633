/* SPDX-License-Identifier: Apache-2.0 */
/* num: small arithmetic that must not be written twice. Threads: pure. */
#ifndef SLUICE_NUM_H
#define SLUICE_NUM_H

#include <stdint.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* a + b, stopping at UINT64_MAX. */
static inline uint64_t num_add(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }
/* a / b rounded up; b > 0. */
static inline uint64_t num_ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

#endif
