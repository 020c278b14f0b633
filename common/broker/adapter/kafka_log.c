/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_log.h"

#include "kafka_ask.h"
#include "kafka_error.h"
#include "kafka_fill.h"
#include "kafka_inside.h"
#include "log.h"
#include "metric.h"
#include "num.h"
#include "own.h"

#include <limits.h>

enum {
    SLICE_MS = 100,  /* how often a wait looks whether the broker was stopped */
    ASK_MS = 500,    /* how often a wait behind the end asks for the end */
    POKE_MS = 5,     /* how soon a read that waits pokes librdkafka; doubled up to SLICE_MS */
    AHEAD_MAX = 4096 /* messages that a read fetches on its way to a later one; beyond, it begins anew there */
};

void kafka_log_init(struct kafka_log *log, struct kafka *kafka, uint32_t partition) {
    *log = (struct kafka_log){.kafka = kafka, .partition = partition};
    (void)pthread_mutex_init(&log->turn, NULL);
    if (kafka->space.dir) kafka_cache_init(&log->cache, &kafka->space);
}

static void stop_fetching(struct kafka_log *log) {
    if (log->running) (void)rd_kafka_consume_stop(log->kafka->blocks, (int32_t)log->partition);
    log->running = false;
}

void kafka_log_done(struct kafka_log *log) {
    stop_fetching(log);
    kafka_cache_done(&log->cache);
    (void)pthread_mutex_destroy(&log->turn);
}

/* ---- bounds ---- */

static void raise(_Atomic uint64_t *value, uint64_t to) {
    uint64_t seen = atomic_load(value);
    while (seen < to && !atomic_compare_exchange_weak(value, &seen, to)) {
    }
}

void kafka_log_saw_end(struct kafka_log *log, uint64_t end) { raise(&log->end, end); }

void kafka_log_saw_start(struct kafka_log *log, uint64_t start) {
    raise(&log->start, start);
    if (log->cache.space) kafka_cache_drop(&log->cache, start);
}

static RC end_fell(struct kafka_log *log, uint64_t high, uint64_t seen, struct why *why) {
    uint64_t now = kafka_now_ms(), none = 0;
    (void)atomic_compare_exchange_strong(&log->fell_since_ms, &none, now);
    uint64_t patience = log->kafka->config.numbers.fall_patience_ms;
    if (now - atomic_load(&log->fell_since_ms) < patience)
        return why_set(why, RC_BUSY,
                       "broker: partition %u of %s seems to end at %llu, though it reached %llu; asking again",
                       log->partition, log->kafka->config.topics[BROKER_BLOCKS], (unsigned long long)high,
                       (unsigned long long)seen);
    return why_set(why, RC_BROKEN,
                   "broker: partition %u of %s ends at %llu, though messages up to %llu were acknowledged: it lost its "
                   "tail (an unclean leader election, a lost disk, or the topic was made anew); see `sluice repair`",
                   log->partition, log->kafka->config.topics[BROKER_BLOCKS], (unsigned long long)high,
                   (unsigned long long)seen);
}

enum rc kafka_log_take_bounds(struct kafka_log *log, uint64_t seen, int64_t low, int64_t high, struct why *why) {
    if (low < 0 || high < low) return why_set(why, RC_BUSY, "broker: partition %u has no bounds yet", log->partition);
    if ((uint64_t)high < seen) return end_fell(log, (uint64_t)high, seen, why);
    atomic_store(&log->fell_since_ms, 0);
    if ((uint64_t)low > atomic_load(&log->start)) kafka_log_saw_start(log, (uint64_t)low);
    raise(&log->end, (uint64_t)high);
    return RC_OK;
}

static RC ask_by(struct kafka_log *log, struct kafka_client *client, struct why *why) {
    struct kafka *kafka = log->kafka;
    uint64_t seen = atomic_load(&log->end), timeout = kafka->config.numbers.request_timeout_ms;
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    const rd_kafka_topic_partition_t *at =
        rd_kafka_topic_partition_list_add(list, kafka->config.topics[BROKER_BLOCKS], (int32_t)log->partition);
    enum rc rc = kafka_ask_offsets(client, list, RD_KAFKA_OFFSET_BEGINNING, timeout, why);
    int64_t low = at->offset;
    if (rc == RC_OK) rc = kafka_ask_offsets(client, list, RD_KAFKA_OFFSET_END, timeout, why);
    if (rc == RC_OK) return kafka_log_take_bounds(log, seen, low, at->offset, why);
    /* A broker that has just started knows no topics yet, and the topic was there when we opened it. */
    return rc == RC_DENIED && atomic_load(&client->proven) ? RC_BUSY : rc;
}

enum rc kafka_log_ask(struct kafka_log *log, struct why *why) { return ask_by(log, &log->kafka->asker, why); }

enum rc kafka_log_bounds(struct kafka_log *log, uint64_t *out_start, uint64_t *out_end, struct why *why) {
    TRY(kafka_log_ask(log, why));
    *out_start = atomic_load(&log->start);
    *out_end = atomic_load(&log->end);
    return RC_OK;
}

/* ---- fetching ---- */

static RC begin_fetching(struct kafka_log *log, uint64_t offset, struct why *why) {
    if (log->running && log->position == offset) return RC_OK;
    stop_fetching(log);
    if (rd_kafka_consume_start(log->kafka->blocks, (int32_t)log->partition, (int64_t)offset) != 0)
        return kafka_client_fail(&log->kafka->reader, rd_kafka_last_error(), why, "fetching partition %u",
                                 log->partition);
    log->running = true;
    log->position = offset;
    return RC_OK;
}

static RC nothing_there(const struct kafka_log *log, uint64_t offset, struct why *why) {
    return why_set(why, RC_ABSENT, "broker: partition %u has no message %llu", log->partition,
                   (unsigned long long)offset);
}

/* The next message that librdkafka has lies behind the one that we are to get. */
static RC jumped(struct kafka_log *log, uint64_t to, struct why *why) {
    uint64_t wanted = log->position;
    stop_fetching(log);
    TRY(kafka_log_ask(log, why));
    uint64_t start = atomic_load(&log->start);
    if (start <= wanted)
        return why_set(why, RC_BROKEN,
                       "broker: partition %u of %s has no messages %llu to %llu, though it begins at %llu: it was "
                       "compacted, damaged, or written to in transactions by somebody else",
                       log->partition, log->kafka->config.topics[BROKER_BLOCKS], (unsigned long long)wanted,
                       (unsigned long long)to - 1, (unsigned long long)start);
    kafka_cache_reset(&log->cache, start); /* trimmed or expired meanwhile */
    return RC_OK;
}

static RC take_message(struct kafka_log *log, const rd_kafka_message_t *message, struct why *why) {
    uint64_t offset = (uint64_t)message->offset;
    if (offset < log->position) return RC_OK; /* the beginning of a batch that we begin in the middle of */
    if (offset > log->position) return jumped(log, offset, why);
    bool hole = kafka_fill_is(message);
    enum rc rc = kafka_cache_add(&log->cache, (struct str){hole ? "" : message->payload, message->len}, hole, why);
    if (rc != RC_OK) {
        stop_fetching(log); /* it is taken out of librdkafka's queue, and has to be asked for again */
        return rc;
    }
    log->position = offset + 1;
    kafka_log_saw_end(log, offset + 1);
    if (!hole) kafka_saw_message(log->kafka, message->len);
    metric_add(METRIC_BROKER_FETCHED, message->len);
    return RC_OK;
}

static RC take_error(struct kafka_log *log, rd_kafka_resp_err_t error, struct why *why) {
    if (error == RD_KAFKA_RESP_ERR__PARTITION_EOF) return RC_OK;
    if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        stop_fetching(log);
        TRY(kafka_log_ask(log, why));
        uint64_t base, next;
        kafka_cache_window(&log->cache, &base, &next);
        if (atomic_load(&log->start) > next) kafka_cache_reset(&log->cache, atomic_load(&log->start));
        return RC_OK;
    }
    stop_fetching(log);
    enum rc rc = kafka_client_fail(&log->kafka->reader, error, why, "fetching partition %u of %s", log->partition,
                                   log->kafka->config.topics[BROKER_BLOCKS]);
    return rc == RC_ABSENT || (rc == RC_DENIED && !kafka_error_is_login(error)) ? RC_BUSY : rc;
}

/* Lets the window be where `offset` can be added to it soon. */
static void aim(struct kafka_log *log, uint64_t offset) {
    uint64_t base, next;
    kafka_cache_window(&log->cache, &base, &next);
    if (offset < base || offset > next + AHEAD_MAX) kafka_cache_reset(&log->cache, offset);
}

static RC fetch_one(struct kafka_log *log, uint64_t wait_ms, struct why *why) {
    uint64_t base, next;
    kafka_cache_window(&log->cache, &base, &next);
    TRY(begin_fetching(log, next, why));
    rd_kafka_message_t *message = rd_kafka_consume(log->kafka->blocks, (int32_t)log->partition, kafka_ms(wait_ms));
    if (!message) return RC_OK;
    kafka_client_proven(&log->kafka->reader);
    enum rc rc = message->err ? take_error(log, message->err, why) : take_message(log, message, why);
    rd_kafka_message_destroy(message);
    return rc;
}

/* Fetches until `offset` is cached (RC_OK), or is seen to be out of the bounds (RC_ABSENT), or the time is over
 * (RC_BUSY). `offset` is below an end that was seen. */
static RC fetch_to(struct kafka_log *log, uint64_t offset, struct why *why) {
    uint64_t deadline = kafka_now_ms() + log->kafka->config.numbers.request_timeout_ms, slice = POKE_MS;
    LOCKED(&log->turn);
    for (bool first = true;; first = false) {
        if (offset < atomic_load(&log->start)) return nothing_there(log, offset, why);
        if (first) aim(log, offset);
        uint64_t base, next;
        kafka_cache_window(&log->cache, &base, &next);
        if (offset < base) aim(log, offset); /* given up for others' sake while we fetched on */
        if (offset >= base && offset < next) return RC_OK;
        uint64_t now = kafka_now_ms();
        if (now >= deadline)
            return kafka_client_fail(&log->kafka->reader, RD_KAFKA_RESP_ERR__TIMED_OUT, why,
                                     "fetching message %llu of partition %u", (unsigned long long)offset,
                                     log->partition);
        uint64_t before = log->position;
        TRY(fetch_one(log, slice, why));
        bool came = log->position != before;
        slice = came ? (uint64_t)POKE_MS : MIN(slice * 2, (uint64_t)SLICE_MS);
        if (!came)
            TRY(ask_by(log, &log->kafka->reader, why)); /* wakes the thread that fetches: KAFKA.md, "Reading a log" */
    }
}

static RC check_cache(const struct kafka_log *log, struct why *why) {
    if (log->cache.space) return RC_OK;
    return why_set(why, RC_DENIED, "broker: reading blocks needs a folder for the cache");
}

enum rc kafka_log_read(struct kafka_log *log, uint64_t offset, size_t max, struct buf *out, uint64_t *out_len,
                       struct why *why) {
    TRY(check_cache(log, why));
    for (;;) {
        if (offset < atomic_load(&log->start)) return nothing_there(log, offset, why);
        enum rc rc = kafka_cache_read(&log->cache, offset, max, out, out_len, why);
        if (rc == RC_ABSENT) return nothing_there(log, offset, why);
        if (rc != RC_STALE) return rc;
        if (offset >= atomic_load(&log->end)) TRY(kafka_log_ask(log, why));
        if (offset >= atomic_load(&log->end)) return nothing_there(log, offset, why);
        TRY(fetch_to(log, offset, why));
    }
}

/* ---- waiting ---- */

static RC check_stop(const struct kafka_log *log, struct why *why) {
    if (!atomic_load(&log->kafka->stopped)) return RC_OK;
    return why_set(why, RC_STOP, "broker: stopping");
}

/* One slice: lets librdkafka wait for the next message where that is the one we wait for, else only waits. */
static RC wait_a_slice(struct kafka_log *log, uint64_t offset, uint64_t wait_ms, struct why *why) {
    uint64_t base, next;
    wait_ms = MIN(wait_ms, (uint64_t)SLICE_MS);
    kafka_cache_window(&log->cache, &base, &next);
    bool near = log->cache.space && offset == atomic_load(&log->end);
    if (near && pthread_mutex_trylock(&log->turn) == 0) {
        aim(log, offset);
        enum rc rc = fetch_one(log, wait_ms, why);
        (void)pthread_mutex_unlock(&log->turn);
        return rc;
    }
    const struct timespec slice = {.tv_nsec = (long)wait_ms * 1000000};
    (void)nanosleep(&slice, NULL);
    return RC_OK;
}

enum rc kafka_log_wait(struct kafka_log *log, uint64_t offset, uint64_t wait_ms, struct why *why) {
    uint64_t now = kafka_now_ms(), deadline = num_add(now, wait_ms), asked = 0;
    for (;;) {
        TRY(check_stop(log, why));
        if (atomic_load(&log->end) > offset) return RC_OK;
        now = kafka_now_ms();
        if (!asked || now - asked >= ASK_MS) {
            TRY(kafka_log_ask(log, why));
            asked = now;
        } else if (now < deadline) {
            TRY(wait_a_slice(log, offset, deadline - now, why));
        }
        if (atomic_load(&log->end) > offset) return RC_OK;
        if (now >= deadline)
            return why_set(why, RC_ABSENT, "broker: partition %u has nothing above %llu", log->partition,
                           (unsigned long long)offset);
    }
}
