/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_config.h"

#include "alloc.h"
#include "must.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MESSAGE_BYTES_MAX = 8 * 1024 * 1024,
    MESSAGE_TIMEOUT_MS = 120 * 1000,   /* far below the time after which an uploader voids an attempt */
    SESSION_TIMEOUT_MS = 45 * 1000,    /* Kafka's own default */
    POLL_INTERVAL_MS = 30 * 60 * 1000, /* KAFKA.md, "A consumer that is busy" */
    REQUEST_TIMEOUT_MS = 10 * 1000,
    FALL_PATIENCE_MS = 30 * 1000, /* three times the time after which a broker that hangs is fenced */
    TOPIC_NAME_MAX = 249          /* Kafka's bound */
};
static const uint64_t CACHE_BYTES_MAX = 4ULL << 30;

static uint64_t or_default(uint64_t value, uint64_t otherwise) { return value ? value : otherwise; }

static char *text_or(struct str text, const char *otherwise) {
    return text.len ? alloc_text(text.at, text.len) : alloc_text(otherwise, strlen(otherwise));
}

/* "<pipeline>.<kind>", and ".g<generation>" where the topic is one a generation. */
static char *topic_or(struct str given, struct str pipeline, const char *kind, const uint64_t *generation) {
    if (given.len) return alloc_text(given.at, given.len);
    char *name = NULL;
    int n = generation ? asprintf(&name, "%.*s.%s.g%llu", STR_ARG(pipeline), kind, (unsigned long long)*generation)
                       : asprintf(&name, "%.*s.%s", STR_ARG(pipeline), kind);
    MUST(n > 0);
    return name;
}

static RC check_topic(const char *name, struct why *why) {
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i])) len = 0;
    if (len > 0 && len <= TOPIC_NAME_MAX) return RC_OK;
    return why_set(why, RC_DENIED, "broker: '%s' cannot be a topic: letters, digits, '.', '_' and '-', at most %d",
                   name, TOPIC_NAME_MAX);
}

static void copy_numbers(struct broker_kafka_settings *n) {
    n->cache_bytes_max = or_default(n->cache_bytes_max, CACHE_BYTES_MAX);
    n->message_bytes_max = or_default(n->message_bytes_max, MESSAGE_BYTES_MAX);
    n->message_timeout_ms = or_default(n->message_timeout_ms, MESSAGE_TIMEOUT_MS);
    n->session_timeout_ms = or_default(n->session_timeout_ms, SESSION_TIMEOUT_MS);
    n->poll_interval_ms = or_default(n->poll_interval_ms, POLL_INTERVAL_MS);
    if (n->poll_interval_ms < n->session_timeout_ms) n->poll_interval_ms = n->session_timeout_ms;
    n->request_timeout_ms = or_default(n->request_timeout_ms, REQUEST_TIMEOUT_MS);
    n->fall_patience_ms = or_default(n->fall_patience_ms, FALL_PATIENCE_MS);
}

enum rc kafka_config_init(struct kafka_config *config, const struct broker_kafka_settings *settings, struct why *why) {
    *config = (struct kafka_config){.numbers = *settings, .properties_len = settings->properties_len};
    copy_numbers(&config->numbers);
    config->servers = text_or(settings->servers, "");
    config->pipeline = text_or(settings->pipeline, "");
    config->client_id = text_or(settings->client_id, "sluice");
    config->instance_id = text_or(settings->instance_id, "");
    config->cluster_id = text_or(settings->cluster_id, "");
    config->cache_dir = text_or(settings->cache_dir, "");
    struct str pipeline = settings->pipeline;
    config->topics[BROKER_JOBS] = topic_or(settings->jobs_topic, pipeline, "jobs", NULL);
    config->topics[BROKER_BLOCKS] = topic_or(settings->blocks_topic, pipeline, "blocks", &settings->generation);
    config->topics[BROKER_EVENTS] = topic_or(settings->events_topic, pipeline, "events", NULL);
    config->properties = alloc_zero(settings->properties_len + 1, sizeof *config->properties);
    for (size_t i = 0; i < settings->properties_len; i++) {
        config->properties[i].name = text_or(settings->properties[i].name, "");
        config->properties[i].value = text_or(settings->properties[i].value, "");
    }
    if (!settings->servers.len) return why_set(why, RC_DENIED, "broker: no server is named");
    if (!settings->pipeline.len) return why_set(why, RC_DENIED, "broker: the pipeline has no name");
    for (size_t i = 0; i < 3; i++) TRY(check_topic(config->topics[i], why));
    return RC_OK;
}

void kafka_config_done(struct kafka_config *config) {
    free(config->servers);
    free(config->pipeline);
    free(config->client_id);
    free(config->instance_id);
    free(config->cluster_id);
    free(config->cache_dir);
    for (size_t i = 0; i < 3; i++) free(config->topics[i]);
    for (size_t i = 0; config->properties && i < config->properties_len; i++) {
        free(config->properties[i].name);
        free(config->properties[i].value);
    }
    free(config->properties);
    *config = (struct kafka_config){0};
}

char *kafka_config_group(const struct kafka_config *config, struct str group) {
    char *name = NULL;
    MUST(asprintf(&name, "%s.%.*s", config->pipeline, STR_ARG(group)) > 0);
    return name;
}
