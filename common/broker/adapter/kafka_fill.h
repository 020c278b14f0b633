/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_fill: messages that stand for offsets that were skipped. Kafka cannot skip offsets, so recovery writes messages
 * with this key and no value there; reading one is as if it never was. Threads: pure. */
#ifndef SLUICE_KAFKA_FILL_H
#define SLUICE_KAFKA_FILL_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <string.h>

#define KAFKA_FILL_KEY "sluice.skip"

static inline bool kafka_fill_is(const rd_kafka_message_t *message) {
    return !message->payload && message->key && message->key_len == sizeof KAFKA_FILL_KEY - 1 &&
           memcmp(message->key, KAFKA_FILL_KEY, sizeof KAFKA_FILL_KEY - 1) == 0;
}

#endif
