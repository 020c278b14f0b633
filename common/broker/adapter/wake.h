/* SPDX-License-Identifier: Apache-2.0 */
/* wake: lets threads wait until something has changed, with a time-out, without losing a change that comes between
 * looking and waiting: read the count, look, wait for a count that differs. Threads: any. */
#ifndef SLUICE_WAKE_H
#define SLUICE_WAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct wake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t count;
};

/* A time on the monotonic clock. */
struct timespec;

void wake_init(struct wake *wake);
void wake_done(struct wake *wake);
uint64_t wake_count(struct wake *wake);
/* Something has changed: all that wait look again. */
void wake_all(struct wake *wake);
/* The deadline that is wait_ms from now. */
void wake_deadline(uint64_t wait_ms, struct timespec *out);
/* Waits until the count differs from `seen`; false when the deadline has passed. */
bool wake_wait(struct wake *wake, uint64_t seen, const struct timespec *deadline);

#endif
