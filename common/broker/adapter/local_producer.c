/* SPDX-License-Identifier: Apache-2.0 */
#include "local_inside.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <time.h>

/* What a message costs beside its bytes: the record's header and an entry here. */
enum { PENDING_BYTES = 64 };

struct pending {
    uint64_t cookie, offset;
    size_t bytes;
};

/* Messages without a handed-out acknowledgement, oldest first: a ring of `room`, a power of two. */
struct pending_ring {
    struct pending *at;
    size_t first, count, room;
};

struct local_producer {
    struct local *local;
    size_t queue_bytes, queued_bytes, queued;
    uint32_t turn;              /* the ring that poll looks at first, so that none starves */
    struct pending_ring *rings; /* a partition of blocks each, then a partition of jobs each */
};

static void ring_put(struct pending_ring *ring, struct pending pending) {
    if (ring->count == ring->room) {
        size_t room = ring->room ? ring->room * 2 : 16;
        struct pending *at = alloc_zero(room, sizeof *at);
        for (size_t i = 0; i < ring->count; i++) at[i] = ring->at[(ring->first + i) & (ring->room - 1)];
        free(ring->at);
        *ring = (struct pending_ring){at, 0, ring->count, room};
    }
    ring->at[(ring->first + ring->count++) & (ring->room - 1)] = pending;
}

static struct pending ring_take(struct pending_ring *ring) {
    struct pending pending = ring->at[ring->first];
    ring->first = (ring->first + 1) & (ring->room - 1);
    ring->count--;
    return pending;
}

static RC producer_append(void *self, enum broker_topic topic, uint32_t partition, struct str head, struct str body,
                          uint64_t cookie, struct why *why) {
    struct local_producer *producer = self;
    struct local *local = producer->local;
    size_t bytes = PENDING_BYTES + head.len + body.len;
    if (topic == BROKER_EVENTS) return why_set(why, RC_BAD, "broker: the local broker has no events");
    if (topic == BROKER_BLOCKS && partition >= local->block_partitions)
        return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
    if (producer->queued > 0 && num_add(producer->queued_bytes, bytes) > producer->queue_bytes)
        return why_set(why, RC_BUSY, "broker: %zu bytes are not yet acknowledged", producer->queued_bytes);
    uint64_t offset = 0;
    if (topic == BROKER_BLOCKS) {
        TRY(spool_log_append(local->partitions[partition].log, head, body, &offset, why));
    } else {
        partition %= local->job_partitions;
        TRY(job_queue_put(local->jobs, partition, head, body, &offset, why));
    }
    uint32_t ring = topic == BROKER_BLOCKS ? partition : local->block_partitions + partition;
    ring_put(&producer->rings[ring], (struct pending){cookie, offset, bytes});
    producer->queued++;
    producer->queued_bytes += bytes;
    return RC_OK;
}

/* Hands out what is acknowledged in one ring. */
static size_t gather_ring(struct local_producer *producer, uint32_t number, struct broker_ack *out, size_t max) {
    const struct local *local = producer->local;
    struct pending_ring *ring = &producer->rings[number];
    bool block = number < local->block_partitions;
    uint64_t end = UINT64_MAX;
    if (block && ring->count > 0) end = spool_log_acknowledged(local->partitions[number].log);
    size_t n = 0;
    while (n < max && ring->count > 0 && ring->at[ring->first].offset < end) {
        struct pending pending = ring_take(ring);
        producer->queued--;
        producer->queued_bytes -= pending.bytes;
        out[n++] = (struct broker_ack){.cookie = pending.cookie,
                                       .partition = block ? number : number - local->block_partitions,
                                       .offset = pending.offset,
                                       .topic = block ? BROKER_BLOCKS : BROKER_JOBS};
    }
    return n;
}

static size_t gather(struct local_producer *producer, struct broker_ack *out, size_t max) {
    uint32_t rings = producer->local->block_partitions + producer->local->job_partitions;
    size_t n = 0;
    for (uint32_t i = 0; i < rings && n < max; i++) {
        n += gather_ring(producer, producer->turn, out + n, max - n);
        if (n < max) producer->turn = (producer->turn + 1) % rings;
    }
    return n;
}

/* RC_BROKEN when a message of ours will never be acknowledged. */
static RC check_logs(const struct local_producer *producer, struct why *why) {
    for (uint32_t i = 0; i < producer->local->block_partitions; i++)
        if (producer->rings[i].count > 0) TRY(spool_log_health(producer->local->partitions[i].log, why));
    return RC_OK;
}

static RC producer_poll(void *self, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n,
                        struct why *why) {
    struct local_producer *producer = self;
    struct timespec deadline;
    wake_deadline(wait_ms, &deadline);
    for (;;) {
        uint64_t seen = wake_count(&producer->local->progress);
        enum rc health = check_logs(producer, why); /* before gathering: what was acknowledged first comes out */
        size_t n = gather(producer, out, max);
        if (n == 0 && health != RC_OK) return health;
        if (n == 0 && producer->queued > 0 && wait_ms > 0 && wake_wait(&producer->local->progress, seen, &deadline))
            continue;
        *out_n = n;
        return RC_OK;
    }
}

static void producer_free(void *self) {
    struct local_producer *producer = self;
    uint32_t rings = producer->local->block_partitions + producer->local->job_partitions;
    for (uint32_t i = 0; i < rings; i++) free(producer->rings[i].at);
    (void)atomic_fetch_sub(&producer->local->handles, 1);
    free(producer->rings);
    free(producer);
}

static const struct broker_producer_ops PRODUCER_OPS = {producer_append, producer_poll, producer_free};

enum rc local_producer_new(struct local *local, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    (void)why;
    struct local_producer *producer = ALLOC(struct local_producer);
    *producer = (struct local_producer){.local = local, .queue_bytes = queue_bytes};
    producer->rings = alloc_zero((size_t)local->block_partitions + local->job_partitions, sizeof *producer->rings);
    (void)atomic_fetch_add(&local->handles, 1);
    *out = (struct broker_producer){&PRODUCER_OPS, producer};
    return RC_OK;
}
