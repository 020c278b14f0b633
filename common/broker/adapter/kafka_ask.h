/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_ask: one request of librdkafka's admin API and the wait for its answer.
 *
 *   struct kafka_ask ask;
 *   kafka_ask_begin(&ask, client, RD_KAFKA_ADMIN_OP_…, timeout_ms);
 *   rd_kafka_…(client->rk, …, ask.options, ask.queue);
 *   rc = kafka_ask_wait(&ask, why, "doing this");   … ask.event has the result …   kafka_ask_end(&ask);
 *
 * Threads: one at a time an ask. Fails: as kafka_client_fail. */
#ifndef SLUICE_KAFKA_ASK_H
#define SLUICE_KAFKA_ASK_H

#include "kafka_client.h"

struct kafka_ask {
    struct kafka_client *client;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event;
    uint64_t timeout_ms;
};

void kafka_ask_begin(struct kafka_ask *ask, struct kafka_client *client, rd_kafka_admin_op_t op, uint64_t timeout_ms);
/* The request as a whole; what it says of each topic or partition is in the event. */
enum rc kafka_ask_wait(struct kafka_ask *ask, struct why *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void kafka_ask_end(struct kafka_ask *ask);

/* The offsets of all partitions of `list` at a time; RD_KAFKA_OFFSET_BEGINNING and RD_KAFKA_OFFSET_END are times too.
 * It ends in time, which librdkafka's call for both watermarks does not when a broker is away. */
enum rc kafka_ask_offsets(struct kafka_client *client, rd_kafka_topic_partition_list_t *list, int64_t time,
                          uint64_t timeout_ms, struct why *why);

/* For AUTO. */
static inline void kafka_list_free(rd_kafka_topic_partition_list_t **list) {
    if (*list) rd_kafka_topic_partition_list_destroy(*list);
}

#endif
