/* SPDX-License-Identifier: Apache-2.0 */
/* broker_memory: a broker for the simulation: deterministic from its seed, nothing ever waits, and what a real broker
 * leaves open is decided by chance or by the simulation.
 *
 * An appended message is under way until broker_memory_step takes it into the log and acknowledges it; messages of two
 * producers overtake each other there, those of one producer to one partition never do. When a producer is freed or
 * fails, what it had under way to a partition is cut at a random place: the part before it still arrives, maybe much
 * later, the rest never does. Jobs may be lost when they are appended and may be given out again.
 *
 * Threads: one for everything. Memory: whatever is in it. Fails: as broker.h; never by I/O. */
#ifndef SLUICE_BROKER_MEMORY_H
#define SLUICE_BROKER_MEMORY_H

#include "broker.h"

/* In thousandths, each decided anew by chance. */
struct broker_memory_knobs {
    uint32_t job_lost;       /* an appended job is acknowledged and gone */
    uint32_t job_repeated;   /* a job that next gives out is queued again too */
    uint32_t producer_fails; /* a step makes a producer fail (RC_BROKEN) instead of acknowledging */
};

struct broker_memory_options {
    uint32_t job_partitions, block_partitions; /* > 0 */
    uint64_t seed;
    size_t jobs_max;          /* 0: 65,536 */
    size_t message_bytes_max; /* 0: 8 MiB */
    bool step_in_poll;        /* poll takes all steps first: for users that drive no steps */
    struct broker_memory_knobs knobs;
};

struct broker_memory;

struct broker_memory *broker_memory_new(const struct broker_memory_options *options);
/* The port; its free does nothing. */
struct broker broker_memory_port(struct broker_memory *memory);
/* All producers, consumers and shares must have been freed. NULL is nothing. */
void broker_memory_free(struct broker_memory *memory);

/* One message that is under way arrives, or its producer fails; false when none is under way. */
bool broker_memory_step(struct broker_memory *memory);
/* Steps until nothing is under way. */
void broker_memory_settle(struct broker_memory *memory);
void broker_memory_set_knobs(struct broker_memory *memory, struct broker_memory_knobs knobs);
/* As the option step_in_poll, from now on. */
void broker_memory_settle_in_poll(struct broker_memory *memory, bool on);
/* The jobs topic is made anew: what was in it is gone. */
void broker_memory_lose_jobs(struct broker_memory *memory);
/* How many events were appended; they are counted, not kept. */
uint64_t broker_memory_events(const struct broker_memory *memory);
/* A disaster: the last `count` messages of a log (at most all) are gone, though acknowledged, and the end falls. */
void broker_memory_lose_tail(struct broker_memory *memory, uint32_t partition, uint64_t count);
/* Takes a broker_stop back: the next process on this broker. */
void broker_memory_resume(struct broker_memory *memory);

#endif
