/* SPDX-License-Identifier: Apache-2.0 */
/* A producer: a handle of librdkafka of its own, so that a lane shares nothing with another, and what fails of one lane
 * fails alone. Its thread alone touches it: delivery reports come out of poll. */
#include "alloc.h"
#include "kafka_error.h"
#include "kafka_inside.h"
#include "metric.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>

enum {
    QUEUED_BYTES = 64, /* what a message counts beside its bytes, as broker.h says */
    MESSAGES_MIN = 1000,
    MESSAGES_MAX = 10000000,
    BATCH_OVERHEAD = 4096, /* of a batch around one message, and of its header */
    SLICE_MS = 1000
};

/* A message that is under way: librdkafka carries its number as the opaque pointer. */
struct slot {
    uint64_t cookie, since_ms;
    size_t bytes, next_free;
};

struct done {
    struct broker_ack ack;
    size_t bytes;
};

struct kafka_producer {
    struct kafka_client client; /* first: kafka_client.h */
    struct kafka *kafka;
    rd_kafka_topic_t *topics[3];
    size_t queue_bytes, queued_bytes, queued;
    struct slot *slots;
    size_t slots_len, slots_room, free_slot; /* free_slot: SIZE_MAX none */
    struct done *done;                       /* acknowledged, not handed out: done[done_at..done_len) */
    size_t done_at, done_len, done_room;
    enum rc failed;
    struct why failure;
};

/* ---- acknowledgements ---- */

static size_t slot_take(struct kafka_producer *p) {
    if (p->free_slot == SIZE_MAX) {
        alloc_grow(&p->slots, &p->slots_room, p->slots_len + 1, sizeof *p->slots);
        return p->slots_len++;
    }
    size_t slot = p->free_slot;
    p->free_slot = p->slots[slot].next_free;
    return slot;
}

static void slot_give(struct kafka_producer *p, size_t slot) {
    p->slots[slot].next_free = p->free_slot;
    p->free_slot = slot;
}

static enum broker_topic topic_of(const struct kafka_producer *p, const rd_kafka_topic_t *topic) {
    return topic == p->topics[BROKER_JOBS]     ? BROKER_JOBS
           : topic == p->topics[BROKER_BLOCKS] ? BROKER_BLOCKS
                                               : BROKER_EVENTS;
}

/* The first failure decides what the producer has come to. */
static void fail(struct kafka_producer *p, rd_kafka_resp_err_t error, const char *topic, int32_t partition) {
    if (p->failed != RC_OK) return;
    char fatal[256] = "";
    if (error == RD_KAFKA_RESP_ERR__FATAL) error = rd_kafka_fatal_error(p->client.rk, fatal, sizeof fatal);
    enum rc rc = kafka_client_fail(&p->client, error, &p->failure, "appending to partition %" PRId32 " of %s%s%s",
                                   partition, topic, *fatal ? ": " : "", fatal);
    /* Whatever it is, this producer will acknowledge no more in order: nothing is left to wait for. */
    p->failed = rc == RC_DENIED ? RC_DENIED : RC_BROKEN;
    metric_add(METRIC_BROKER_ERRORS, 1);
}

static void acknowledge(struct kafka_producer *p, const rd_kafka_message_t *message, const struct slot *slot) {
    enum broker_topic topic = topic_of(p, message->rkt);
    uint32_t partition = (uint32_t)message->partition;
    uint64_t offset = (uint64_t)message->offset;
    alloc_grow(&p->done, &p->done_room, p->done_len + 1, sizeof *p->done);
    p->done[p->done_len++] = (struct done){{slot->cookie, partition, offset, topic}, slot->bytes};
    if (topic == BROKER_BLOCKS && partition < p->kafka->partitions[BROKER_BLOCKS]) {
        kafka_log_saw_end(&p->kafka->logs[partition], offset + 1);
        kafka_saw_message(p->kafka, message->len);
    }
    if (p->client.said || !atomic_load(&p->client.proven)) kafka_client_proven(&p->client);
    metric_add_at(METRIC_BROKER_ACKED, topic, 1);
    metric_add_at(METRIC_BROKER_ACKED_BYTES, topic, message->len);
    metric_observe(METRIC_BROKER_ACK_WAIT, (kafka_now_ms() - slot->since_ms) * 1000000);
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    struct kafka_producer *p = opaque;
    size_t slot = (size_t)(uintptr_t)message->_private;
    if (message->err)
        fail(p, message->err, rd_kafka_topic_name(message->rkt), message->partition);
    else if (p->failed == RC_OK)
        acknowledge(p, message, &p->slots[slot]);
    slot_give(p, slot);
}

static size_t hand_out(struct kafka_producer *p, struct broker_ack *out, size_t max) {
    size_t n = MIN(max, p->done_len - p->done_at);
    for (size_t i = 0; i < n; i++) {
        out[i] = p->done[p->done_at + i].ack;
        p->queued_bytes -= p->done[p->done_at + i].bytes;
    }
    p->queued -= n;
    p->done_at += n;
    if (p->done_at == p->done_len) p->done_at = p->done_len = 0;
    return n;
}

static RC producer_poll(void *self, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n,
                        struct why *why) {
    struct kafka_producer *p = self;
    uint64_t deadline = num_add(kafka_now_ms(), wait_ms);
    (void)rd_kafka_poll(p->client.rk, 0);
    for (;;) {
        size_t n = hand_out(p, out, max);
        if (n == 0 && p->failed != RC_OK) {
            if (why) *why = p->failure;
            return p->failed;
        }
        uint64_t now = kafka_now_ms();
        if (n > 0 || p->queued == 0 || now >= deadline) {
            *out_n = n;
            return RC_OK;
        }
        (void)rd_kafka_poll(p->client.rk, (int)MIN(deadline - now, (uint64_t)SLICE_MS));
    }
}

/* ---- appending ---- */

static RC check_append(const struct kafka_producer *p, enum broker_topic topic, uint32_t partition, size_t len,
                       struct why *why) {
    if (p->failed != RC_OK) {
        if (why) *why = p->failure;
        return p->failed;
    }
    if (topic == BROKER_BLOCKS && partition >= p->kafka->partitions[BROKER_BLOCKS])
        return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
    if (len > p->kafka->config.numbers.message_bytes_max)
        return why_set(why, RC_LIMIT, "broker: a message of %zu bytes, at most %zu are allowed", len,
                       p->kafka->config.numbers.message_bytes_max);
    if (p->queued > 0 && num_add(p->queued_bytes, len + QUEUED_BYTES) > p->queue_bytes)
        return why_set(why, RC_BUSY, "broker: %zu bytes are not yet acknowledged", p->queued_bytes);
    return RC_OK;
}

static RC cannot_append(struct kafka_producer *p, enum broker_topic topic, uint32_t partition, struct why *why) {
    rd_kafka_resp_err_t error = rd_kafka_last_error();
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return why_set(why, RC_BUSY, "broker: librdkafka's queue is full; see queue.buffering.max.* in its settings");
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return why_set(why, RC_LIMIT, "broker: the message is larger than librdkafka was told to take");
    fail(p, error, p->kafka->config.topics[topic], (int32_t)partition);
    if (why) *why = p->failure;
    return p->failed;
}

static RC producer_append(void *self, enum broker_topic topic, uint32_t partition, struct str head, struct str body,
                          uint64_t cookie, struct why *why) {
    struct kafka_producer *p = self;
    size_t len = head.len + body.len;
    TRY(check_append(p, topic, partition, len, why));
    partition %= p->kafka->partitions[topic];
    AUTO(own_free) char *bytes = alloc_bytes(len + 1); /* never NULL: an empty message has a value, of no bytes */
    if (head.len > 0) memcpy(bytes, head.at, head.len);
    if (body.len > 0) memcpy(bytes + head.len, body.at, body.len);
    size_t slot = slot_take(p);
    p->slots[slot] = (struct slot){cookie, kafka_now_ms(), len + QUEUED_BYTES, SIZE_MAX};
    if (rd_kafka_produce(p->topics[topic], (int32_t)partition, RD_KAFKA_MSG_F_FREE, bytes, len, NULL, 0,
                         (void *)(uintptr_t)slot) != 0) {
        slot_give(p, slot);
        return cannot_append(p, topic, partition, why);
    }
    (void)TAKE(bytes); /* librdkafka's, until it is delivered */
    p->queued++;
    p->queued_bytes += len + QUEUED_BYTES;
    return RC_OK;
}

/* ---- the whole ---- */

static void producer_free(void *self) {
    struct kafka_producer *p = self;
    if (p->client.rk)
        (void)rd_kafka_purge(p->client.rk,
                             RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    for (size_t i = 0; i < 3; i++)
        if (p->topics[i]) rd_kafka_topic_destroy(p->topics[i]);
    kafka_client_done(&p->client);
    (void)atomic_fetch_sub(&p->kafka->handles, 1);
    free(p->slots);
    free(p->done);
    free(p);
}

static const struct broker_producer_ops PRODUCER_OPS = {producer_append, producer_poll, producer_free};

enum rc kafka_producer_new(struct kafka *kafka, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    const struct broker_kafka_settings *n = &kafka->config.numbers;
    uint64_t message_max = n->message_bytes_max + BATCH_OVERHEAD;
    uint64_t messages = MIN(MAX(queue_bytes / QUEUED_BYTES + 2, (size_t)MESSAGES_MIN), (size_t)MESSAGES_MAX);
    const struct kafka_property properties[] = {
        {"enable.idempotence", "true", 0, true},
        {"acks", "all", 0, true},
        {"enable.gapless.guarantee", "true", 0, true}, /* a message that was given up ends the producer: order */
        {"max.in.flight.requests.per.connection", NULL, 5, true},
        {"message.max.bytes", NULL, message_max, true},
        {"queue.buffering.max.messages", NULL, messages, true},
        {"queue.buffering.max.kbytes", NULL, (queue_bytes + message_max) / 1024 + 1024, true},
        {"message.timeout.ms", NULL, n->message_timeout_ms, true},
        {"linger.ms", NULL, 5, false},           /* small jobs share a batch; a block fills one alone */
        {"compression.codec", "none", 0, false}, /* blocks are compressed already */
        {"request.timeout.ms", NULL, 30000, false},
        {NULL, NULL, 0, false}};
    struct kafka_producer *p = ALLOC(struct kafka_producer);
    *p = (struct kafka_producer){.kafka = kafka, .queue_bytes = queue_bytes, .free_slot = SIZE_MAX};
    (void)atomic_fetch_add(&kafka->handles, 1);
    const struct kafka_callbacks callbacks = {.delivered = delivered, .opaque = p};
    enum rc rc = kafka_client_init(&p->client, &kafka->config, RD_KAFKA_PRODUCER, properties, &callbacks, why);
    if (rc != RC_OK) {
        producer_free(p);
        return rc;
    }
    for (size_t i = 0; i < 3; i++) p->topics[i] = rd_kafka_topic_new(p->client.rk, kafka->config.topics[i], NULL);
    *out = (struct broker_producer){&PRODUCER_OPS, p};
    return RC_OK;
}
