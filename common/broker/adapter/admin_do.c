/* SPDX-License-Identifier: Apache-2.0 */
/* Doing what a plan says. */
#include "admin_inside.h"
#include "kafka_inside.h"
#include "must.h"
#include "own.h"

#include <time.h>

enum { AGAIN_MS = 50 };

/* ---- topics ---- */

/* What the results of requests about topics have in common. */
static RC topic_result(struct broker_kafka_admin *admin, const rd_kafka_topic_result_t **results, size_t n,
                       rd_kafka_resp_err_t ignored, const char *doing, struct why *why) {
    MUST(n == 1);
    rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[0]);
    if (!error || error == ignored) return RC_OK;
    const char *words = rd_kafka_topic_result_error_string(results[0]);
    return kafka_client_fail(&admin->client, error, why, "%s %s: %s", doing, rd_kafka_topic_result_name(results[0]),
                             words ? words : "");
}

static bool is_config_of(const struct broker_kafka_step *step, const char *topic) {
    return step->kind == BROKER_KAFKA_CONFIG && !strcmp(step->topic, topic);
}

static RC create(struct broker_kafka_admin *admin, const struct broker_kafka_plan *plan,
                 const struct broker_kafka_step *step, struct why *why) {
    char words[256];
    int replication = step->replication ? (int)step->replication : -1;
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(step->topic, (int)step->number, replication, words, sizeof words);
    if (!topic) return why_set(why, RC_DENIED, "broker: topic %s: %s", step->topic, words);
    for (size_t i = 0; i < plan->steps_len; i++)
        if (is_config_of(&plan->steps[i], step->topic))
            (void)rd_kafka_NewTopic_set_config(topic, plan->steps[i].key, plan->steps[i].value);
    struct kafka_ask ask;
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_CREATETOPICS, admin_timeout_ms(admin));
    rd_kafka_CreateTopics(admin->client.rk, &topic, 1, ask.options, ask.queue);
    rd_kafka_NewTopic_destroy(topic);
    enum rc rc = kafka_ask_wait(&ask, why, "creating topic %s", step->topic);
    if (rc == RC_OK) {
        size_t n = 0;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ask.event), &n);
        rc = topic_result(admin, results, n, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, "creating topic", why);
    }
    kafka_ask_end(&ask);
    return rc;
}

static RC add_partitions(struct broker_kafka_admin *admin, const struct broker_kafka_step *step, struct why *why) {
    char words[256];
    rd_kafka_NewPartitions_t *more = rd_kafka_NewPartitions_new(step->topic, step->number, words, sizeof words);
    if (!more) return why_set(why, RC_DENIED, "broker: topic %s: %s", step->topic, words);
    struct kafka_ask ask;
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, admin_timeout_ms(admin));
    rd_kafka_CreatePartitions(admin->client.rk, &more, 1, ask.options, ask.queue);
    rd_kafka_NewPartitions_destroy(more);
    enum rc rc = kafka_ask_wait(&ask, why, "adding partitions to topic %s", step->topic);
    if (rc == RC_OK) {
        size_t n = 0;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(ask.event), &n);
        rc = topic_result(admin, results, n, RD_KAFKA_RESP_ERR_NO_ERROR, "adding partitions to topic", why);
    }
    kafka_ask_end(&ask);
    return rc;
}

static RC delete_topic(struct broker_kafka_admin *admin, const struct broker_kafka_step *step, struct why *why) {
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(step->topic);
    struct kafka_ask ask;
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_DELETETOPICS, admin_timeout_ms(admin));
    rd_kafka_DeleteTopics(admin->client.rk, &topic, 1, ask.options, ask.queue);
    rd_kafka_DeleteTopic_destroy(topic);
    enum rc rc = kafka_ask_wait(&ask, why, "deleting topic %s", step->topic);
    if (rc == RC_OK) {
        size_t n = 0;
        const rd_kafka_topic_result_t **results =
            rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(ask.event), &n);
        rc = topic_result(admin, results, n, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "deleting topic", why);
    }
    kafka_ask_end(&ask);
    return rc;
}

/* ---- configurations ---- */

struct alter {
    const struct broker_kafka_plan *plan;
    const char *topic;
    rd_kafka_ConfigResource_t *resource;
};

static const struct broker_kafka_step *config_of(const struct alter *alter, const char *key) {
    for (size_t i = 0; i < alter->plan->steps_len; i++)
        if (is_config_of(&alter->plan->steps[i], alter->topic) && !strcmp(alter->plan->steps[i].key, key))
            return &alter->plan->steps[i];
    return NULL;
}

/* The request replaces all that was set for the topic, so what we do not change has to be said again. */
static void keep_config(void *context, const char *key, const char *value, bool own) {
    struct alter *alter = context;
    if (own && !config_of(alter, key)) (void)rd_kafka_ConfigResource_set_config(alter->resource, key, value);
}

static RC ask_alter(struct broker_kafka_admin *admin, struct alter *alter, struct why *why) {
    struct kafka_ask ask;
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, admin_timeout_ms(admin));
    rd_kafka_AlterConfigs(admin->client.rk, &alter->resource, 1, ask.options, ask.queue);
    enum rc rc = kafka_ask_wait(&ask, why, "configuring topic %s", alter->topic);
    if (rc == RC_OK) {
        size_t n = 0;
        const rd_kafka_ConfigResource_t **results =
            rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(ask.event), &n);
        MUST(n == 1);
        rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(results[0]);
        if (error) {
            const char *words = rd_kafka_ConfigResource_error_string(results[0]);
            rc = kafka_client_fail(&admin->client, error, why, "configuring topic %s: %s", alter->topic,
                                   words ? words : "");
        }
    }
    kafka_ask_end(&ask);
    return rc;
}

static RC configure(struct broker_kafka_admin *admin, const struct broker_kafka_plan *plan, const char *topic,
                    struct why *why) {
    struct alter alter = {plan, topic, rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)};
    enum rc rc = admin_topic_configs(admin, topic, keep_config, &alter, why);
    for (size_t i = 0; i < plan->steps_len && rc == RC_OK; i++)
        if (is_config_of(&plan->steps[i], topic))
            (void)rd_kafka_ConfigResource_set_config(alter.resource, plan->steps[i].key, plan->steps[i].value);
    if (rc == RC_OK) rc = ask_alter(admin, &alter, why);
    rd_kafka_ConfigResource_destroy(alter.resource);
    return rc;
}

/* ---- offsets ---- */

static RC offsets_result(struct broker_kafka_admin *admin, const struct kafka_ask *ask, struct why *why) {
    size_t n = 0;
    const rd_kafka_group_result_t **groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(ask->event), &n);
    MUST(n == 1);
    const char *group = rd_kafka_group_result_name(groups[0]);
    const rd_kafka_error_t *failed = rd_kafka_group_result_error(groups[0]);
    rd_kafka_resp_err_t error = failed ? rd_kafka_error_code(failed) : RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; list && i < list->cnt && !error; i++) error = list->elems[i].err;
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID) error = RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP;
    if (error) return kafka_client_fail(&admin->client, error, why, "setting offsets of the group %s", group);
    return RC_OK;
}

static RC set_offset(struct broker_kafka_admin *admin, const struct broker_kafka_step *step, struct why *why) {
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, step->topic, (int32_t)step->partition)->offset = (int64_t)step->number;
    rd_kafka_AlterConsumerGroupOffsets_t *offsets = rd_kafka_AlterConsumerGroupOffsets_new(step->group, list);
    struct kafka_ask ask;
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, admin_timeout_ms(admin));
    rd_kafka_AlterConsumerGroupOffsets(admin->client.rk, &offsets, 1, ask.options, ask.queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(offsets);
    enum rc rc = kafka_ask_wait(&ask, why, "setting offsets of the group %s", step->group);
    if (rc == RC_OK) rc = offsets_result(admin, &ask, why);
    kafka_ask_end(&ask);
    return rc;
}

/* ---- the whole ---- */

/* A topic that was just made has no leaders for a moment, and not every broker knows of it. */
static RC wait_for(struct broker_kafka_admin *admin, const struct broker_kafka_step *step, struct why *why) {
    uint64_t deadline = kafka_now_ms() + admin_timeout_ms(admin);
    for (;;) {
        struct admin_topic is = {0};
        enum rc rc = admin_topic_look(admin, step->topic, &is, why);
        if (rc == RC_OK && is.partitions >= step->number) return RC_OK;
        if (rc != RC_OK && rc != RC_ABSENT && rc != RC_BUSY) return rc;
        if (kafka_now_ms() >= deadline)
            return why_set(why, RC_BUSY, "broker: topic %s was made, but cannot be used yet", step->topic);
        const struct timespec again = {.tv_nsec = AGAIN_MS * 1000000L};
        (void)nanosleep(&again, NULL);
    }
}

/* Configurations of one topic go together; those of a topic that is made go with its making. */
static bool goes_with_another(const struct broker_kafka_plan *plan, size_t i) {
    for (size_t j = 0; j < plan->steps_len; j++) {
        const struct broker_kafka_step *other = &plan->steps[j];
        if (other->kind == BROKER_KAFKA_CREATE && !strcmp(other->topic, plan->steps[i].topic)) return true;
        if (j < i && is_config_of(other, plan->steps[i].topic)) return true;
    }
    return false;
}

static RC do_step(struct broker_kafka_admin *admin, const struct broker_kafka_plan *plan, size_t i, struct why *why) {
    const struct broker_kafka_step *step = &plan->steps[i];
    switch (step->kind) {
    case BROKER_KAFKA_CREATE: TRY(create(admin, plan, step, why)); return wait_for(admin, step, why);
    case BROKER_KAFKA_PARTITIONS: TRY(add_partitions(admin, step, why)); return wait_for(admin, step, why);
    case BROKER_KAFKA_CONFIG: return goes_with_another(plan, i) ? RC_OK : configure(admin, plan, step->topic, why);
    case BROKER_KAFKA_DELETE: return delete_topic(admin, step, why);
    case BROKER_KAFKA_OFFSET: return set_offset(admin, step, why);
    case BROKER_KAFKA_RISK:
    case BROKER_KAFKA_OBSTACLE: break;
    }
    return RC_OK;
}

enum rc broker_kafka_admin_do(struct broker_kafka_admin *admin, const struct broker_kafka_plan *plan, struct why *why) {
    for (size_t i = 0; i < plan->steps_len; i++)
        if (plan->steps[i].kind == BROKER_KAFKA_OBSTACLE)
            return why_set(why, RC_DENIED, "broker: %s", plan->steps[i].text);
    for (size_t i = 0; i < plan->steps_len; i++) TRY(do_step(admin, plan, i, why));
    return RC_OK;
}
