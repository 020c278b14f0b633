/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_inside.h"

#include "alloc.h"
#include "num.h"

#include <stdlib.h>

static struct memory_message message_new(struct str head, struct str body) {
    struct memory_message message = {alloc_bytes(head.len + body.len + 1), head.len + body.len};
    if (head.len > 0) memcpy(message.at, head.at, head.len);
    if (body.len > 0) memcpy(message.at + head.len, body.at, body.len);
    return message;
}

/* ---- what is under way ---- */

static struct memory_producer *producer_find(struct broker_memory *memory, uint64_t number) {
    for (struct memory_producer *producer = memory->producers; producer; producer = producer->next)
        if (producer->number == number) return producer;
    return NULL;
}

static void producer_ack(struct memory_producer *producer, struct broker_ack ack, size_t bytes) {
    alloc_grow(&producer->acks, &producer->ack_room, producer->ack_count + 1, sizeof ack);
    alloc_grow(&producer->ack_bytes, &producer->ack_bytes_room, producer->ack_count + 1, sizeof bytes);
    producer->ack_bytes[producer->ack_count] = bytes;
    producer->acks[producer->ack_count++] = ack;
}

static struct under_way take_waiting(struct memory_log *log, size_t i) {
    struct under_way taken = log->waiting[i];
    log->waiting_count--;
    memmove(log->waiting + i, log->waiting + i + 1, (log->waiting_count - i) * sizeof taken);
    return taken;
}

/* Cuts what a producer has under way to a log at a random place. */
static void cut_waiting(struct broker_memory *memory, struct memory_log *log, uint64_t producer) {
    uint64_t own = 0, kept = 0;
    for (size_t i = 0; i < log->waiting_count; i++) own += log->waiting[i].producer == producer;
    uint64_t keep = rng_below(&memory->rng, own + 1);
    for (size_t i = 0; i < log->waiting_count;) {
        if (log->waiting[i].producer != producer || kept++ < keep)
            i++;
        else
            free(take_waiting(log, i).message.at);
    }
}

static void cut_producer(struct broker_memory *memory, uint64_t producer) {
    for (uint32_t k = 0; k < memory->options.block_partitions; k++) cut_waiting(memory, &memory->logs[k], producer);
}

/* The oldest message of the producer whose message is at `i`. */
static size_t oldest_of_same(const struct memory_log *log, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (log->waiting[j].producer == log->waiting[i].producer) return j;
    return i;
}

static void arrive(struct broker_memory *memory, uint32_t partition, size_t i) {
    struct memory_log *log = &memory->logs[partition];
    struct under_way taken = take_waiting(log, i);
    struct memory_producer *producer = producer_find(memory, taken.producer);
    uint64_t offset = memory_log_end(log);
    memory_log_put(memory, log, taken.message);
    if (!producer || producer->failed) return;
    producer_ack(producer, (struct broker_ack){taken.cookie, partition, offset, BROKER_BLOCKS},
                 taken.message.len + MEMORY_QUEUE_BYTES);
}

bool broker_memory_step(struct broker_memory *memory) {
    uint64_t sum = 0;
    for (uint32_t k = 0; k < memory->options.block_partitions; k++) sum += memory->logs[k].waiting_count;
    if (sum == 0) return false;
    uint64_t pick = rng_below(&memory->rng, sum);
    uint32_t partition = 0;
    while (pick >= memory->logs[partition].waiting_count) pick -= memory->logs[partition++].waiting_count;
    struct memory_log *log = &memory->logs[partition];
    size_t i = oldest_of_same(log, (size_t)pick);
    struct memory_producer *producer = producer_find(memory, log->waiting[i].producer);
    if (producer && !producer->failed && memory_by_chance(memory, memory->options.knobs.producer_fails)) {
        producer->failed = true;
        cut_producer(memory, producer->number);
        return true;
    }
    arrive(memory, partition, i);
    return true;
}

void broker_memory_settle(struct broker_memory *memory) {
    while (broker_memory_step(memory)) {
    }
}

/* ---- producer ---- */

static RC append_job(struct memory_producer *producer, uint32_t partition, struct str head, struct str body,
                     uint64_t cookie, struct why *why) {
    struct broker_memory *memory = producer->memory;
    uint64_t offset = 0;
    partition %= memory->options.job_partitions;
    if (!memory_by_chance(memory, memory->options.knobs.job_lost))
        TRY(job_queue_put(memory->jobs, partition, head, body, &offset, why));
    producer_ack(producer, (struct broker_ack){cookie, partition, offset, BROKER_JOBS},
                 head.len + body.len + MEMORY_QUEUE_BYTES);
    return RC_OK;
}

static RC producer_append(void *self, enum broker_topic topic, uint32_t partition, struct str head, struct str body,
                          uint64_t cookie, struct why *why) {
    struct memory_producer *producer = self;
    struct broker_memory *memory = producer->memory;
    size_t bytes = head.len + body.len + MEMORY_QUEUE_BYTES;
    if (producer->failed) return why_set(why, RC_BROKEN, "broker: the producer has failed");
    if (topic == BROKER_BLOCKS && partition >= memory->options.block_partitions)
        return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
    if (head.len + body.len > memory->options.message_bytes_max)
        return why_set(why, RC_LIMIT, "broker: a message of %zu bytes", head.len + body.len);
    if (producer->queued > 0 && num_add(producer->queued_bytes, bytes) > producer->queue_bytes)
        return why_set(why, RC_BUSY, "broker: %zu bytes are not yet acknowledged", producer->queued_bytes);
    if (topic == BROKER_JOBS) {
        TRY(append_job(producer, partition, head, body, cookie, why));
    } else if (topic == BROKER_EVENTS) {
        producer_ack(producer, (struct broker_ack){cookie, 0, memory->events++, BROKER_EVENTS}, bytes);
    } else {
        struct memory_log *log = &memory->logs[partition];
        alloc_grow(&log->waiting, &log->waiting_room, log->waiting_count + 1, sizeof *log->waiting);
        log->waiting[log->waiting_count++] = (struct under_way){message_new(head, body), producer->number, cookie};
    }
    producer->queued++;
    producer->queued_bytes += bytes;
    return RC_OK;
}

static RC producer_poll(void *self, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n,
                        struct why *why) {
    struct memory_producer *producer = self;
    (void)wait_ms;
    if (producer->memory->options.step_in_poll) broker_memory_settle(producer->memory);
    size_t n = MIN(max, producer->ack_count);
    if (n == 0 && producer->failed) return why_set(why, RC_BROKEN, "broker: the producer has failed");
    for (size_t i = 0; i < n; i++) {
        out[i] = producer->acks[i];
        producer->queued_bytes -= producer->ack_bytes[i];
    }
    producer->queued -= n;
    producer->ack_count -= n;
    if (producer->ack_count > 0) {
        memmove(producer->acks, producer->acks + n, producer->ack_count * sizeof *producer->acks);
        memmove(producer->ack_bytes, producer->ack_bytes + n, producer->ack_count * sizeof *producer->ack_bytes);
    }
    *out_n = n;
    return RC_OK;
}

static void producer_free(void *self) {
    struct memory_producer *producer = self;
    struct broker_memory *memory = producer->memory;
    if (!producer->failed) cut_producer(memory, producer->number);
    struct memory_producer **link = &memory->producers;
    while (*link != producer) link = &(*link)->next;
    *link = producer->next;
    free(producer->acks);
    free(producer->ack_bytes);
    free(producer);
}

static const struct broker_producer_ops PRODUCER_OPS = {producer_append, producer_poll, producer_free};

enum rc memory_producer_new(struct broker_memory *memory, size_t queue_bytes, struct broker_producer *out) {
    struct memory_producer *producer = ALLOC(struct memory_producer);
    *producer = (struct memory_producer){
        .next = memory->producers, .memory = memory, .number = ++memory->producers_made, .queue_bytes = queue_bytes};
    memory->producers = producer;
    *out = (struct broker_producer){&PRODUCER_OPS, producer};
    return RC_OK;
}
