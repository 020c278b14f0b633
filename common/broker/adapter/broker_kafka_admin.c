/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_kafka_admin.h"

#include "admin_inside.h"
#include "alloc.h"
#include "must.h"
#include "own.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_MAX = 512 };

/* ---- plans ---- */

char *admin_text(const char *text) { return alloc_text(text, strlen(text)); }

struct broker_kafka_step *admin_step(struct broker_kafka_plan *plan, enum broker_kafka_step_kind kind,
                                     const char *format, ...) {
    char text[TEXT_MAX];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    alloc_grow(&plan->steps, &plan->steps_room, plan->steps_len + 1, sizeof *plan->steps);
    struct broker_kafka_step *step = &plan->steps[plan->steps_len++];
    *step = (struct broker_kafka_step){.kind = kind, .text = admin_text(text)};
    return step;
}

void broker_kafka_plan_done(struct broker_kafka_plan *plan) {
    for (size_t i = 0; i < plan->steps_len; i++) {
        struct broker_kafka_step *step = &plan->steps[i];
        free(step->topic);
        free(step->group);
        free(step->key);
        free(step->value);
        free(step->text);
    }
    free(plan->steps);
    *plan = (struct broker_kafka_plan){0};
}

size_t broker_kafka_plan_count(const struct broker_kafka_plan *plan, enum broker_kafka_step_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < plan->steps_len; i++) n += plan->steps[i].kind == kind;
    return n;
}

/* ---- the handle ---- */

static RC open_admin(struct broker_kafka_admin *admin, const struct broker_kafka_settings *settings, struct why *why) {
    /* A consumer without a group: unlike a producer, it never makes a topic by asking for it. */
    static const struct kafka_property none[] = {{NULL, NULL, 0, false}};
    TRY(kafka_config_init(&admin->config, settings, why));
    TRY(kafka_client_init(&admin->client, &admin->config, RD_KAFKA_CONSUMER, none, NULL, why));
    char *cluster = NULL; /* that we are let in, and by whom, shows here */
    TRY(broker_kafka_admin_cluster(admin, &cluster, why));
    free(cluster);
    return RC_OK;
}

enum rc broker_kafka_admin_open(const struct broker_kafka_settings *settings, struct broker_kafka_admin **out,
                                struct why *why) {
    struct broker_kafka_admin *admin = ALLOC(struct broker_kafka_admin);
    enum rc rc = open_admin(admin, settings, why);
    if (rc != RC_OK) {
        broker_kafka_admin_free(admin);
        return rc;
    }
    *out = admin;
    return RC_OK;
}

void broker_kafka_admin_free(struct broker_kafka_admin *admin) {
    if (!admin) return;
    kafka_client_done(&admin->client);
    kafka_config_done(&admin->config);
    free(admin);
}

enum rc broker_kafka_admin_cluster(struct broker_kafka_admin *admin, char **out, struct why *why) {
    char *id = rd_kafka_clusterid(admin->client.rk, (int)admin_timeout_ms(admin));
    if (!id)
        return kafka_client_fail(&admin->client, RD_KAFKA_RESP_ERR__TIMED_OUT, why, "connecting to %s",
                                 admin->config.servers);
    kafka_client_proven(&admin->client);
    *out = admin_text(id);
    rd_kafka_mem_free(admin->client.rk, id);
    return RC_OK;
}

/* ---- looking ---- */

static void metadata_free(const struct rd_kafka_metadata **metadata) {
    if (*metadata) rd_kafka_metadata_destroy(*metadata);
}

static uint32_t fewest_replicas(const rd_kafka_metadata_topic_t *topic) {
    int fewest = topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
    for (int i = 1; i < topic->partition_cnt; i++)
        if (topic->partitions[i].replica_cnt < fewest) fewest = topic->partitions[i].replica_cnt;
    return (uint32_t)fewest;
}

enum rc admin_topic_look(struct broker_kafka_admin *admin, const char *name, struct admin_topic *out, struct why *why) {
    AUTO(metadata_free) const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(admin->client.rk, name, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(admin->client.rk, 0, topic, &metadata, (int)admin_timeout_ms(admin));
    rd_kafka_topic_destroy(topic);
    if (!error) {
        MUST(metadata->topic_cnt == 1);
        error = metadata->topics[0].err;
    }
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return why_set(why, RC_ABSENT, "broker: there is no topic %s", name);
    if (error) return kafka_client_fail(&admin->client, error, why, "looking at the topic %s", name);
    for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
        if (metadata->topics[0].partitions[i].leader < 0)
            return why_set(why, RC_BUSY, "broker: partition %d of topic %s has no leader", i, name);
    *out = (struct admin_topic){(uint32_t)metadata->topics[0].partition_cnt, fewest_replicas(&metadata->topics[0])};
    return RC_OK;
}

enum rc broker_kafka_admin_newest(struct broker_kafka_admin *admin, uint64_t *out_generation, struct why *why) {
    AUTO(metadata_free) const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(admin->client.rk, 1, NULL, &metadata, (int)admin_timeout_ms(admin));
    if (error) return kafka_client_fail(&admin->client, error, why, "looking at all topics");
    *out_generation = 0;
    char *head = NULL;
    MUST(asprintf(&head, "%s.blocks.g", admin->config.pipeline) > 0);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        struct str name = str_of(metadata->topics[i].topic);
        uint64_t generation = 0;
        if (!str_starts(name, str_of(head))) continue;
        if (str_parse_u64(str_sub(name, strlen(head), name.len), &generation) != RC_OK) continue;
        if (generation > *out_generation) *out_generation = generation;
    }
    free(head);
    return RC_OK;
}

static RC visit_configs(struct broker_kafka_admin *admin, const struct kafka_ask *ask, const char *topic,
                        void (*visit)(void *context, const char *key, const char *value, bool own), void *context,
                        struct why *why) {
    size_t n = 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(ask->event), &n);
    MUST(n == 1);
    rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(resources[0]);
    if (error) return kafka_client_fail(&admin->client, error, why, "reading the configuration of topic %s", topic);
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &n);
    for (size_t i = 0; i < n; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        visit(context, rd_kafka_ConfigEntry_name(entries[i]), value ? value : "",
              rd_kafka_ConfigEntry_source(entries[i]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG);
    }
    return RC_OK;
}

enum rc admin_topic_configs(struct broker_kafka_admin *admin, const char *topic,
                            void (*visit)(void *context, const char *key, const char *value, bool own), void *context,
                            struct why *why) {
    struct kafka_ask ask;
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, admin_timeout_ms(admin));
    rd_kafka_DescribeConfigs(admin->client.rk, &resource, 1, ask.options, ask.queue);
    rd_kafka_ConfigResource_destroy(resource);
    enum rc rc = kafka_ask_wait(&ask, why, "reading the configuration of topic %s", topic);
    if (rc == RC_OK) rc = visit_configs(admin, &ask, topic, visit, context, why);
    kafka_ask_end(&ask);
    return rc;
}
