/* SPDX-License-Identifier: Apache-2.0 */
/* admin_inside: what the parts of the Kafka admin share and nobody else sees. */
#ifndef SLUICE_ADMIN_INSIDE_H
#define SLUICE_ADMIN_INSIDE_H

#include "broker_kafka_admin.h"
#include "kafka_ask.h"

struct broker_kafka_admin {
    struct kafka_config config;
    struct kafka_client client;
};

/* What a topic is now. */
struct admin_topic {
    uint32_t partitions, replication;
};
/* RC_ABSENT: there is none. */
RC admin_topic_look(struct broker_kafka_admin *admin, const char *topic, struct admin_topic *out, struct why *why);
/* The topic's configurations; `visit` gets each, `own`: it was set for this topic. */
RC admin_topic_configs(struct broker_kafka_admin *admin, const char *topic,
                       void (*visit)(void *context, const char *key, const char *value, bool own), void *context,
                       struct why *why);
/* Every partition of a topic. */
rd_kafka_topic_partition_list_t *admin_all_of(const char *topic, uint32_t partitions);
/* A new step of the plan, with its text. */
struct broker_kafka_step *admin_step(struct broker_kafka_plan *plan, enum broker_kafka_step_kind kind,
                                     const char *format, ...) __attribute__((format(printf, 3, 4)));
char *admin_text(const char *text);
static inline uint64_t admin_timeout_ms(const struct broker_kafka_admin *admin) {
    return admin->config.numbers.request_timeout_ms;
}

#endif
