/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_ask.h"

#include "num.h"

#include <stdarg.h>
#include <stdio.h>

enum { GRACE_MS = 2000 }; /* librdkafka times out by itself first, with better words */

void kafka_ask_begin(struct kafka_ask *ask, struct kafka_client *client, rd_kafka_admin_op_t op, uint64_t timeout_ms) {
    char words[128];
    *ask = (struct kafka_ask){.client = client, .timeout_ms = MIN(timeout_ms, (uint64_t)3600000)};
    ask->options = rd_kafka_AdminOptions_new(client->rk, op);
    /* Only our own constants go in: they are in range, and not every request knows the second. */
    (void)rd_kafka_AdminOptions_set_request_timeout(ask->options, (int)ask->timeout_ms, words, sizeof words);
    (void)rd_kafka_AdminOptions_set_operation_timeout(ask->options, (int)ask->timeout_ms, words, sizeof words);
    ask->queue = rd_kafka_queue_new(client->rk);
}

enum rc kafka_ask_wait(struct kafka_ask *ask, struct why *why, const char *format, ...) {
    char doing[256];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(doing, sizeof doing, format, list);
    va_end(list);
    ask->event = rd_kafka_queue_poll(ask->queue, (int)ask->timeout_ms + GRACE_MS);
    rd_kafka_resp_err_t error = ask->event ? rd_kafka_event_error(ask->event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (error) return kafka_client_fail(ask->client, error, why, "%s", doing);
    kafka_client_proven(ask->client);
    return RC_OK;
}

enum rc kafka_ask_offsets(struct kafka_client *client, rd_kafka_topic_partition_list_t *list, int64_t time,
                          uint64_t timeout_ms, struct why *why) {
    for (int i = 0; i < list->cnt; i++) list->elems[i].offset = time;
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(client->rk, list, (int)MIN(timeout_ms, (uint64_t)3600000));
    for (int i = 0; i < list->cnt && !error; i++) error = list->elems[i].err;
    if (error) return kafka_client_fail(client, error, why, "asking for offsets of %s", list->elems[0].topic);
    kafka_client_proven(client);
    return RC_OK;
}

void kafka_ask_end(struct kafka_ask *ask) {
    if (ask->event) rd_kafka_event_destroy(ask->event);
    rd_kafka_queue_destroy(ask->queue);
    rd_kafka_AdminOptions_destroy(ask->options);
}
