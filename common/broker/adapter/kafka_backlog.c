/* SPDX-License-Identifier: Apache-2.0 */
/* How much is kept in the topic of blocks: messages that are not trimmed, times the mean length of those seen here.
 * A thread asks for the bounds of all partitions every second, in two requests, so that asking us costs nothing. */
#include "alloc.h"
#include "kafka_ask.h"
#include "kafka_inside.h"
#include "metric.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <time.h>

enum {
    LOOK_MS = 1000,
    TRUST_MS = 30000,        /* older than this, what is known is not told any more */
    GUESS_BYTES = 256 << 10, /* of a message, as long as few were seen: blocks and small trailers mixed */
    GUESS_WEIGHT = 8,
    FORGET_AT = 1 << 16 /* messages after which the old ones count half */
};

uint64_t kafka_now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void kafka_saw_message(struct kafka *kafka, size_t bytes) {
    (void)atomic_fetch_add(&kafka->seen_bytes, bytes);
    if (atomic_fetch_add(&kafka->seen_messages, 1) != FORGET_AT) return;
    atomic_store(&kafka->seen_bytes, atomic_load(&kafka->seen_bytes) / 2);
    atomic_store(&kafka->seen_messages, FORGET_AT / 2);
}

static uint64_t kept_messages(const struct kafka *kafka) {
    uint64_t sum = 0;
    for (uint32_t k = 0; k < kafka->partitions[BROKER_BLOCKS]; k++) {
        uint64_t start = atomic_load(&kafka->logs[k].start), end = atomic_load(&kafka->logs[k].end);
        sum += end > start ? end - start : 0;
    }
    return sum;
}

/* Every partition's first or last offset, by one request a broker. */
static RC ask_all(struct kafka *kafka, int64_t which, rd_kafka_topic_partition_list_t *list, struct why *why) {
    enum rc rc = kafka_ask_offsets(&kafka->asker, list, which, kafka->config.numbers.request_timeout_ms, why);
    return rc == RC_OK || rc == RC_DENIED ? rc : RC_BUSY;
}

static RC look(struct kafka *kafka, struct why *why) {
    uint32_t n = kafka->partitions[BROKER_BLOCKS];
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *starts = rd_kafka_topic_partition_list_new((int)n);
    AUTO(own_free) uint64_t *seen = alloc_zero(n, sizeof *seen);
    for (uint32_t k = 0; k < n; k++) {
        rd_kafka_topic_partition_list_add(starts, kafka->config.topics[BROKER_BLOCKS], (int32_t)k);
        seen[k] = atomic_load(&kafka->logs[k].end);
    }
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *ends = rd_kafka_topic_partition_list_copy(starts);
    TRY(ask_all(kafka, RD_KAFKA_OFFSET_BEGINNING, starts, why));
    TRY(ask_all(kafka, RD_KAFKA_OFFSET_END, ends, why));
    /* A fallen end is for those who read the log to tell; the estimate goes by what was seen. */
    for (int i = 0; i < starts->cnt; i++) {
        uint32_t k = (uint32_t)starts->elems[i].partition;
        if (ends->elems[i].partition != starts->elems[i].partition) continue;
        (void)!kafka_log_take_bounds(&kafka->logs[k], seen[k], starts->elems[i].offset, ends->elems[i].offset, NULL);
    }
    atomic_store(&kafka->looked_ms, kafka_now_ms());
    metric_set(METRIC_BROKER_KEPT, (int64_t)kept_messages(kafka));
    return RC_OK;
}

static void *watch(void *context) {
    struct kafka *kafka = context;
    pthread_mutex_lock(&kafka->watch_lock);
    while (!kafka->ending) {
        pthread_mutex_unlock(&kafka->watch_lock);
        (void)!look(kafka, NULL); /* that it did not work shows by its age */
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_MS / 1000;
        pthread_mutex_lock(&kafka->watch_lock);
        while (!kafka->ending &&
               pthread_cond_timedwait(&kafka->watch_changed, &kafka->watch_lock, &until) != ETIMEDOUT) {
        }
    }
    pthread_mutex_unlock(&kafka->watch_lock);
    return NULL;
}

static RC begin_watching(struct kafka *kafka, struct why *why) {
    LOCKED(&kafka->watch_lock);
    if (kafka->watching) return RC_OK;
    TRY(look(kafka, why)); /* the first answer is no guess */
    int error = pthread_create(&kafka->watcher, NULL, watch, kafka);
    if (error) return why_errno(why, RC_BUSY, error, "broker: starting a thread");
    kafka->watching = true;
    return RC_OK;
}

void kafka_backlog_end(struct kafka *kafka) {
    {
        LOCKED(&kafka->watch_lock);
        kafka->ending = true;
        (void)pthread_cond_signal(&kafka->watch_changed);
        if (!kafka->watching) return;
    }
    (void)pthread_join(kafka->watcher, NULL);
}

enum rc kafka_backlog(struct kafka *kafka, uint64_t *out, struct why *why) {
    uint64_t looked = atomic_load(&kafka->looked_ms);
    if (!looked) {
        TRY(begin_watching(kafka, why));
        looked = atomic_load(&kafka->looked_ms);
    }
    uint64_t age = kafka_now_ms() - looked;
    if ((int64_t)age > TRUST_MS)
        return why_set(why, RC_BUSY, "broker: how much is kept in %s is not known: Kafka was last heard %llu s ago",
                       kafka->config.topics[BROKER_BLOCKS], (unsigned long long)age / 1000);
    uint64_t messages = atomic_load(&kafka->seen_messages), bytes = atomic_load(&kafka->seen_bytes);
    uint64_t mean = (bytes + (uint64_t)GUESS_BYTES * GUESS_WEIGHT) / (messages + GUESS_WEIGHT);
    uint64_t kept = kept_messages(kafka);
    *out = kept * MAX(mean, (uint64_t)1);
    return RC_OK;
}
