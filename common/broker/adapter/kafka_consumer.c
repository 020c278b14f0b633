/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer of jobs. What it was given and is not committed comes again after its end, or at another member when a
 * partition moves: jobs may come twice. */
#include "alloc.h"
#include "kafka_inside.h"
#include "kafka_member.h"
#include "num.h"
#include "own.h"

enum {
    SLICE_MS = 200,        /* how often a wait looks whether the broker was stopped */
    COMMIT_EVERY_MS = 500, /* a lane says after each job that it is done, and jobs may be tiny */
};

struct kafka_consumer {
    struct kafka_member member; /* first: `lost` gets it back */
    struct kafka *kafka;
    /* A partition of jobs each, UINT64_MAX none: the offset behind the last that next gave; and what of it was
     * committed and may still be on its way. */
    uint64_t *given, *committing;
    uint32_t partitions;
    bool behind; /* .committing has not been sent yet */
    uint64_t committed_ms;
};

static void lost(struct kafka_member *member, uint32_t partition) {
    struct kafka_consumer *consumer = (struct kafka_consumer *)member;
    if (partition < consumer->partitions) consumer->given[partition] = consumer->committing[partition] = UINT64_MAX;
}

/* Partitions may be added while we run. */
static void make_room(struct kafka_consumer *consumer, uint32_t partition) {
    if (partition < consumer->partitions) return;
    uint32_t room = partition + 1;
    consumer->given = alloc_resize(consumer->given, room, sizeof *consumer->given);
    consumer->committing = alloc_resize(consumer->committing, room, sizeof *consumer->committing);
    for (uint32_t i = consumer->partitions; i < room; i++) consumer->given[i] = consumer->committing[i] = UINT64_MAX;
    consumer->partitions = room;
}

static RC take(struct kafka_consumer *consumer, const rd_kafka_message_t *message, struct buf *out_bytes,
               struct broker_message *out, struct why *why) {
    uint32_t partition = (uint32_t)message->partition;
    uint64_t offset = (uint64_t)message->offset;
    make_room(consumer, partition);
    consumer->given[partition] = offset + 1;
    buf_add(out_bytes, (struct str){message->payload, message->payload ? message->len : 0});
    if (buf_rc(out_bytes) != RC_OK) {
        buf_reset(out_bytes);
        return why_set(why, RC_LIMIT, "broker: message %llu of partition %u of %s has %zu bytes: too large for a job",
                       (unsigned long long)offset, partition, consumer->member.topic, message->len);
    }
    *out = (struct broker_message){offset, partition, buf_str(out_bytes)};
    return RC_OK;
}

static RC commit_when_due(struct kafka_consumer *consumer, uint64_t now_ms, struct why *why) {
    if (!consumer->behind || now_ms - consumer->committed_ms < COMMIT_EVERY_MS) return RC_OK;
    consumer->behind = false;
    consumer->committed_ms = now_ms;
    return kafka_member_commit(&consumer->member, consumer->committing, consumer->partitions, false, why);
}

static RC consumer_next(void *self, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
                        struct why *why) {
    struct kafka_consumer *consumer = self;
    uint64_t now = kafka_now_ms(), deadline = num_add(now, wait_ms);
    for (;;) {
        if (atomic_load(&consumer->kafka->stopped)) return why_set(why, RC_STOP, "broker: stopping");
        TRY(commit_when_due(consumer, now, why));
        rd_kafka_message_t *message = NULL;
        TRY(kafka_member_poll(&consumer->member, MIN(deadline - now, (uint64_t)SLICE_MS), &message, why));
        if (message) {
            enum rc rc = take(consumer, message, out_bytes, out, why);
            rd_kafka_message_destroy(message);
            return rc;
        }
        now = kafka_now_ms();
        if (now >= deadline) return why_set(why, RC_ABSENT, "broker: no job");
    }
}

static RC consumer_commit(void *self, struct why *why) {
    struct kafka_consumer *consumer = self;
    for (uint32_t i = 0; i < consumer->partitions; i++) consumer->committing[i] = consumer->given[i];
    consumer->behind = true;
    return commit_when_due(consumer, kafka_now_ms(), why);
}

static void consumer_free(void *self) {
    struct kafka_consumer *consumer = self;
    /* What was committed last may still be on its way. What next gave after it is not done, and comes again. */
    if (consumer->member.client.rk)
        (void)!kafka_member_commit(&consumer->member, consumer->committing, consumer->partitions, true, NULL);
    kafka_member_done(&consumer->member);
    (void)atomic_fetch_sub(&consumer->kafka->handles, 1);
    free(consumer->given);
    free(consumer->committing);
    free(consumer);
}

static const struct broker_consumer_ops CONSUMER_OPS = {consumer_next, consumer_commit, consumer_free};

enum rc kafka_consumer_new(struct kafka *kafka, struct str group, struct broker_consumer *out, struct why *why) {
    struct kafka_consumer *consumer = ALLOC(struct kafka_consumer);
    consumer->kafka = kafka;
    (void)atomic_fetch_add(&kafka->handles, 1);
    enum rc rc = kafka_member_init(&consumer->member, kafka, BROKER_JOBS, group, false, why);
    if (rc != RC_OK) {
        consumer_free(consumer);
        return rc;
    }
    consumer->member.lost = lost;
    *out = (struct broker_consumer){&CONSUMER_OPS, consumer};
    return RC_OK;
}
