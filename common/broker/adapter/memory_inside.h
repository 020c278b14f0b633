/* SPDX-License-Identifier: Apache-2.0 */
/* memory_inside: what broker_memory.c and memory_producer.c share and nobody else sees. */
#ifndef SLUICE_MEMORY_INSIDE_H
#define SLUICE_MEMORY_INSIDE_H

#include "broker_memory.h"
#include "job_queue.h"
#include "rng.h"

enum { MEMORY_QUEUE_BYTES = 64 }; /* what a message counts beside its bytes, as broker.h says */

/* A message in a log; `at` is NULL where an offset was skipped. */
struct memory_message {
    char *at;
    size_t len;
};

struct under_way {
    struct memory_message message;
    uint64_t producer, cookie;
};

struct memory_log {
    struct memory_message *messages; /* of start, start + 1, ... */
    size_t count, room;
    uint64_t start;
    struct under_way *waiting; /* oldest first */
    size_t waiting_count, waiting_room;
};

struct memory_producer {
    struct memory_producer *next;
    struct broker_memory *memory;
    uint64_t number;
    bool failed;
    size_t queue_bytes, queued_bytes, queued;
    struct broker_ack *acks;
    size_t *ack_bytes;
    size_t ack_count, ack_room, ack_bytes_room;
};

struct broker_memory {
    struct broker_memory_options options;
    struct rng rng;
    struct memory_log *logs;
    struct job_queue *jobs;
    struct memory_producer *producers;
    uint64_t producers_made;
    size_t consumers; /* and shares */
    uint64_t kept_bytes, events;
    char *group;
    bool stopped;
};

bool memory_by_chance(struct broker_memory *memory, uint32_t permille);
uint64_t memory_log_end(const struct memory_log *log);
uint64_t memory_message_cost(struct memory_message message);
void memory_log_put(struct broker_memory *memory, struct memory_log *log, struct memory_message message);
RC memory_producer_new(struct broker_memory *memory, size_t queue_bytes, struct broker_producer *out);

#endif
