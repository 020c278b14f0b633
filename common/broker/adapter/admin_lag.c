/* SPDX-License-Identifier: Apache-2.0 */
/* How far a group is behind: committed offsets against the ends of the topic's partitions. */
#include "admin_inside.h"
#include "must.h"
#include "own.h"

/* Fills in what the group committed; RD_KAFKA_OFFSET_INVALID where it has not. */
static RC committed(struct broker_kafka_admin *admin, const char *group, rd_kafka_topic_partition_list_t *list,
                    struct why *why) {
    struct kafka_ask ask;
    size_t n = 0;
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, admin_timeout_ms(admin));
    rd_kafka_ListConsumerGroupOffsets_t *wanted = rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_ListConsumerGroupOffsets(admin->client.rk, &wanted, 1, ask.options, ask.queue);
    enum rc rc = kafka_ask_wait(&ask, why, "asking for the offsets of the group %s", group);
    if (rc == RC_OK) {
        const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(ask.event), &n);
        MUST(n == 1);
        const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[0]);
        if (error)
            rc = kafka_client_fail(&admin->client, rd_kafka_error_code(error), why, "asking for the offsets of %s",
                                   group);
        const rd_kafka_topic_partition_list_t *found = rd_kafka_group_result_partitions(groups[0]);
        for (int i = 0; rc == RC_OK && i < list->cnt; i++) {
            const rd_kafka_topic_partition_t *is = rd_kafka_topic_partition_list_find(
                (rd_kafka_topic_partition_list_t *)(uintptr_t)found, list->elems[i].topic, list->elems[i].partition);
            list->elems[i].offset = is ? is->offset : RD_KAFKA_OFFSET_INVALID;
        }
    }
    rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
    kafka_ask_end(&ask);
    return rc;
}

enum rc broker_kafka_admin_lag(struct broker_kafka_admin *admin, struct str group, enum broker_topic topic,
                               uint64_t *out, struct why *why) {
    const char *name = admin->config.topics[topic];
    AUTO(own_free) char *id = kafka_config_group(&admin->config, group);
    struct admin_topic is;
    TRY(admin_topic_look(admin, name, &is, why));
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *at = admin_all_of(name, is.partitions);
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *start = admin_all_of(name, is.partitions);
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *end = admin_all_of(name, is.partitions);
    TRY(committed(admin, id, at, why));
    TRY(kafka_ask_offsets(&admin->client, start, RD_KAFKA_OFFSET_BEGINNING, admin_timeout_ms(admin), why));
    TRY(kafka_ask_offsets(&admin->client, end, RD_KAFKA_OFFSET_END, admin_timeout_ms(admin), why));
    uint64_t lag = 0;
    for (int i = 0; i < at->cnt; i++) {
        int64_t from = at->elems[i].offset > start->elems[i].offset ? at->elems[i].offset : start->elems[i].offset;
        if (end->elems[i].offset > from) lag += (uint64_t)(end->elems[i].offset - from);
    }
    *out = lag;
    return RC_OK;
}
