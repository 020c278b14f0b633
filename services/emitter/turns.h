/* SPDX-License-Identifier: Apache-2.0 */
/* turns: whose stripe is said next. Each source has two queues, of files with one stripe to do and of files with more,
 * and the queues take turns by what was said of them in bytes, divided by the source's weight: so neither one huge file
 * nor a flood of small ones is behind all of the other (start-time fair queueing, Goyal, Vin and Cheng 1996).
 *
 * A queue that was empty does not save up turns. Memory: 24 bytes a waiting file. Threads: one at a time. Fails: never.
 */
#ifndef SLUICE_TURNS_H
#define SLUICE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TURNS_JOB_BYTES = 256 * 1024, /* what a job costs besides its bytes: about a millisecond of a lane */
    TURNS_WEIGHT_MAX = 1000,
};

struct turns_item {
    int64_t key; /* the smallest is first */
    uint64_t number;
    uint32_t place;
};

struct turns_queue {
    struct turns_item *heap;
    size_t len, room;
    uint64_t spent; /* bytes, times TURNS_WEIGHT_MAX, by weight */
    uint32_t weight;
    bool was_ready;
};

struct turns {
    struct turns_queue *queues; /* 2 a source: single stripes, many stripes */
    size_t queues_len;
    size_t waiting; /* files in all of them */
    uint64_t now;   /* .spent of the queue whose turn it was last */
    uint64_t next_number;
};

void turns_init(struct turns *turns, size_t sources);
void turns_done(struct turns *turns);
void turns_set_weight(struct turns *turns, size_t source, uint32_t weight);
static inline size_t turns_queue_of(size_t source, bool many) { return 2 * source + (many ? 1 : 0); }
static inline bool turns_is_of_many(size_t queue) { return queue % 2; }
/* Files with the same key in the order in which they came. */
void turns_add(struct turns *turns, size_t queue, int64_t key, uint32_t place);
/* The first waiting file of the queue, which has one. */
uint32_t turns_take(struct turns *turns, size_t queue);
/* The queue whose turn it is, of those that are ready; queues_len: none is. */
size_t turns_next(struct turns *turns, const bool *ready);
/* So much was said of the queue whose turn it was. */
void turns_spend(struct turns *turns, size_t queue, uint64_t bytes);

#endif
