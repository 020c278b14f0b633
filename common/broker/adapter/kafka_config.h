/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_config: the adapter's own copy of its settings, with every default filled in and every name made.
 * Memory: the texts. Threads: read only once made. */
#ifndef SLUICE_KAFKA_CONFIG_H
#define SLUICE_KAFKA_CONFIG_H

#include "broker_kafka.h"

struct kafka_text_property {
    char *name, *value;
};

struct kafka_config {
    char *servers, *pipeline, *client_id, *instance_id, *cluster_id, *cache_dir;
    char *topics[3]; /* by enum broker_topic */
    struct kafka_text_property *properties;
    size_t properties_len;
    struct broker_kafka_settings numbers; /* its texts are not to be used */
};

/* RC_DENIED when something that is needed is missing, or a name cannot be a topic's. */
RC kafka_config_init(struct kafka_config *config, const struct broker_kafka_settings *settings, struct why *why);
void kafka_config_done(struct kafka_config *config);
/* "<pipeline>.<group>"; the caller frees. */
char *kafka_config_group(const struct kafka_config *config, struct str group);

#endif
