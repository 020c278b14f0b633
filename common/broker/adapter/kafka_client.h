/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_client: one handle of librdkafka: its properties, its log lines, and what it last said about its connections.
 *
 * librdkafka reports a wrong password or a broker that is away by a callback, and lets the calls meanwhile simply time
 * out. The client keeps those words, so that a time-out says why. Whether a refused login is final depends on whether
 * the same client was ever let in: a broker that is starting refuses too.
 *
 * Threads: any. Memory: librdkafka's. Fails: RC_DENIED for properties, naming the property. */
#ifndef SLUICE_KAFKA_CLIENT_H
#define SLUICE_KAFKA_CLIENT_H

#include "kafka_config.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

/* A property of ours; a user's of the same name comes after it, unless it is `fixed`. */
struct kafka_property {
    const char *name, *text; /* text NULL: `number` */
    uint64_t number;
    bool fixed;
};

struct kafka_client {
    rd_kafka_t *rk;
    bool grouped; /* a member of a group: its owner polls */
    atomic_bool proven;
    bool hurt_scram; /* this librdkafka cannot log in by SCRAM to brokers of today */
    pthread_mutex_t lock;
    rd_kafka_resp_err_t said; /* under lock: the last word about connections */
    char words[256];
};

/* What only some clients need. */
struct kafka_callbacks {
    void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
    void (*rebalance)(rd_kafka_t *rk, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list, void *opaque);
    void *opaque; /* its first member must be the struct kafka_client; NULL: the client itself */
};

/* `properties` end with a NULL name. The client must not move. */
RC kafka_client_init(struct kafka_client *client, const struct kafka_config *config, rd_kafka_type_t type,
                     const struct kafka_property *properties, const struct kafka_callbacks *callbacks, struct why *why);
/* All topics, queues and messages of the handle must be gone. Takes a zeroed one. */
void kafka_client_done(struct kafka_client *client);
/* An answer came: whatever was wrong with the connections is over. */
void kafka_client_proven(struct kafka_client *client);
/* Maps an error that a call gave to rc and words: "broker: <doing>: <what librdkafka says>; <advice>". */
enum rc kafka_client_fail(struct kafka_client *client, rd_kafka_resp_err_t error, struct why *why, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));

#endif
