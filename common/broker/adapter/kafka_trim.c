/* SPDX-License-Identifier: Apache-2.0 */
/* What changes a log of blocks but for appending: trimming at its start, skipping at its end. */
#include "kafka_ask.h"
#include "kafka_fill.h"
#include "kafka_inside.h"
#include "num.h"
#include "own.h"

enum {
    FILL_AT_ONCE = 10000,   /* fillers under way */
    FILLERS_MAX = 16 << 20, /* a longer gap is not worth its messages: begin a new generation instead */
};

/* ---- trimming ---- */

static RC delete_before(struct kafka_log *log, uint64_t before, struct why *why) {
    struct kafka *kafka = log->kafka;
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, kafka->config.topics[BROKER_BLOCKS], (int32_t)log->partition)->offset =
        (int64_t)before;
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    struct kafka_ask ask;
    kafka_ask_begin(&ask, &kafka->asker, RD_KAFKA_ADMIN_OP_DELETERECORDS, kafka->config.numbers.request_timeout_ms);
    rd_kafka_DeleteRecords(kafka->asker.rk, &records, 1, ask.options, ask.queue);
    rd_kafka_DeleteRecords_destroy(records);
    enum rc rc = kafka_ask_wait(&ask, why, "trimming partition %u", log->partition);
    if (rc == RC_OK) {
        const rd_kafka_topic_partition_list_t *done =
            rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(ask.event));
        rd_kafka_resp_err_t error = done->cnt == 1 ? done->elems[0].err : RD_KAFKA_RESP_ERR__FAIL;
        if (error) rc = kafka_client_fail(&kafka->asker, error, why, "trimming partition %u", log->partition);
    }
    kafka_ask_end(&ask);
    return rc;
}

enum rc kafka_log_trim(struct kafka_log *log, uint64_t before, struct why *why) {
    if (before <= atomic_load(&log->start)) return RC_OK;
    TRY(kafka_log_ask(log, why)); /* somebody else may have trimmed, and `before` may be above the end */
    before = MIN(before, (uint64_t)atomic_load(&log->end));
    if (before > atomic_load(&log->start)) {
        enum rc rc = delete_before(log, before, why);
        if (rc == RC_ABSENT) return why_wrap(why, RC_BUSY, "the log changed meanwhile");
        if (rc != RC_OK) return rc;
    }
    kafka_log_saw_start(log, before);
    return RC_OK;
}

/* ---- skipping ---- */

struct filler {
    struct kafka_client client; /* first: kafka_client.h */
    size_t under_way;
    uint64_t last; /* the highest offset that a filler got */
    rd_kafka_resp_err_t error;
};

static void filled(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
    (void)rk;
    struct filler *filler = opaque;
    filler->under_way--;
    if (message->err)
        filler->error = message->err;
    else
        filler->last = MAX(filler->last, (uint64_t)message->offset);
}

static RC fill(struct filler *filler, rd_kafka_topic_t *topic, uint32_t partition, uint64_t n, struct why *why) {
    while ((n > 0 || filler->under_way > 0) && !filler->error) {
        while (n > 0 && filler->under_way < FILL_AT_ONCE) {
            if (rd_kafka_produce(topic, (int32_t)partition, 0, NULL, 0, KAFKA_FILL_KEY, sizeof KAFKA_FILL_KEY - 1,
                                 NULL) != 0)
                break;
            filler->under_way++;
            n--;
        }
        (void)rd_kafka_poll(filler->client.rk, 100);
    }
    if (!filler->error) return RC_OK;
    enum rc rc = kafka_client_fail(&filler->client, filler->error, why, "skipping offsets of partition %u", partition);
    return rc == RC_BROKEN ? RC_BUSY : rc; /* what got in is in: the next call goes on from there */
}

static RC fill_up(struct kafka_log *log, uint64_t n, uint64_t *out_last, struct why *why) {
    const struct kafka_property properties[] = {{"enable.idempotence", "true", 0, true},
                                                {"acks", "all", 0, true},
                                                {"message.timeout.ms", NULL, 30000, false},
                                                {NULL, NULL, 0, false}};
    struct filler filler = {.error = RD_KAFKA_RESP_ERR_NO_ERROR};
    const struct kafka_callbacks callbacks = {.delivered = filled, .opaque = &filler};
    TRY(kafka_client_init(&filler.client, &log->kafka->config, RD_KAFKA_PRODUCER, properties, &callbacks, why));
    rd_kafka_topic_t *topic = rd_kafka_topic_new(filler.client.rk, log->kafka->config.topics[BROKER_BLOCKS], NULL);
    enum rc rc = fill(&filler, topic, log->partition, n, why);
    (void)rd_kafka_purge(filler.client.rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_topic_destroy(topic);
    kafka_client_done(&filler.client);
    *out_last = filler.last;
    return rc;
}

enum rc kafka_log_skip_to(struct kafka_log *log, uint64_t offset, struct why *why) {
    TRY(kafka_log_ask(log, why));
    uint64_t end = atomic_load(&log->end), last = 0;
    if (offset < end)
        return why_set(why, RC_BAD, "broker: partition %u ends at %llu already", log->partition,
                       (unsigned long long)end);
    if (offset == end) return RC_OK;
    if (offset - end > FILLERS_MAX)
        return why_set(why, RC_LIMIT,
                       "broker: partition %u ends at %llu and has to go on at %llu: too far to fill up; raise the "
                       "generation, or make the topic anew",
                       log->partition, (unsigned long long)end, (unsigned long long)offset);
    TRY(fill_up(log, offset - end, &last, why));
    kafka_log_saw_end(log, last + 1);
    if (last + 1 == offset) return RC_OK;
    return why_set(why, RC_BROKEN, "broker: partition %u ends at %llu instead of %llu: somebody appends to it",
                   log->partition, (unsigned long long)last + 1, (unsigned long long)offset);
}
