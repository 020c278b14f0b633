/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

/* How long a lane may hold back from asking for its next job: it converts for a slice, and may wait for an object store
 * that is away. */
enum { POLL_INTERVAL_MS = 30 * 60 * 1000 };

struct broker_kafka_settings fleet_kafka(const struct config *config, uint64_t generation, struct arena *arena) {
    const struct config_broker *b = &config->broker;
    struct broker_kafka_property *properties =
        ARENA_ARRAY(arena, struct broker_kafka_property, b->properties.count + 1);
    for (size_t i = 0; i < b->properties.count; i++)
        properties[i] = (struct broker_kafka_property){b->properties.at[i].name, b->properties.at[i].value};
    return (struct broker_kafka_settings){.servers = b->servers,
                                          .pipeline = config->pipeline,
                                          .generation = generation,
                                          .properties = properties,
                                          .properties_len = b->properties.count,
                                          .instance_id = b->instance,
                                          .cache_dir = b->cache,
                                          .cache_bytes_max = b->cache_bytes_max,
                                          .poll_interval_ms = POLL_INTERVAL_MS};
}

struct broker_kafka_wanted fleet_topics(const struct config *config) {
    return (struct broker_kafka_wanted){.job_partitions = (uint32_t)config->broker.job_partitions,
                                        .block_partitions = (uint32_t)config->broker.partitions,
                                        .replication = (uint32_t)config->broker.replication};
}

struct ledger_redis_settings fleet_redis(const struct config *config) {
    const struct config_ledger *l = &config->ledger;
    return (struct ledger_redis_settings){.url = l->url,
                                          .user = l->user,
                                          .password = l->password,
                                          .ca = l->ca_file,
                                          .cert = l->cert_file,
                                          .key = l->key_file,
                                          .pipeline = config->pipeline,
                                          .generation = config->generation};
}

/* Every text of a configuration ends in a NUL. */
static const char *given(struct str text) { return text.len ? text.at : NULL; }

struct s3_settings fleet_bucket(const struct config_s3 *s) {
    static const enum s3_style styles[] = {
        [CONFIG_STYLE_AUTO] = S3_STYLE_AUTO, [CONFIG_STYLE_PATH] = S3_STYLE_PATH, [CONFIG_STYLE_HOST] = S3_STYLE_HOST};
    return (struct s3_settings){.endpoint = given(s->endpoint),
                                .region = given(s->region),
                                .style = styles[s->style],
                                .credentials = {.access = given(s->access_key),
                                                .secret = given(s->secret_key),
                                                .token = given(s->session_token),
                                                .profile = given(s->profile)},
                                .ca_file = given(s->ca_file),
                                .connections = (unsigned)s->connections,
                                .tries = (unsigned)s->tries,
                                .connect_ms = s->connect_ms,
                                .stall_ms = s->stall_ms,
                                .request_ms = s->request_ms};
}

struct store_s3_settings fleet_s3(const struct config *config) {
    return (struct store_s3_settings){.url = config->output.url.at,
                                      .s3 = fleet_bucket(&config->output.s3),
                                      .part_bytes = config->output.s3.part_bytes,
                                      .parts_parallel = (unsigned)config->output.s3.parts_parallel};
}
