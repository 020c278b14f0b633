/* SPDX-License-Identifier: Apache-2.0 */
/* Setting a group back: which offsets it would have to commit, and whether it may. */
#include "admin_inside.h"
#include "must.h"
#include "own.h"

#include <inttypes.h>

/* A group that was never there is as empty as one without members. */
static RC count_members(struct broker_kafka_admin *admin, const char *group, size_t *out, struct why *why) {
    struct kafka_ask ask;
    size_t n = 0;
    kafka_ask_begin(&ask, &admin->client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, admin_timeout_ms(admin));
    rd_kafka_DescribeConsumerGroups(admin->client.rk, &group, 1, ask.options, ask.queue);
    enum rc rc = kafka_ask_wait(&ask, why, "looking at the group %s", group);
    if (rc == RC_OK) {
        const rd_kafka_ConsumerGroupDescription_t **groups =
            rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(ask.event), &n);
        MUST(n == 1);
        const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
        rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
        if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
            *out = 0;
        else if (code)
            rc = kafka_client_fail(&admin->client, code, why, "looking at the group %s", group);
        else
            *out = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
    }
    kafka_ask_end(&ask);
    return rc;
}

rd_kafka_topic_partition_list_t *admin_all_of(const char *topic, uint32_t partitions) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)partitions);
    for (uint32_t k = 0; k < partitions; k++) rd_kafka_topic_partition_list_add(list, topic, (int32_t)k);
    return list;
}

enum rc broker_kafka_admin_plan_reset(struct broker_kafka_admin *admin, const struct broker_kafka_reset *reset,
                                      struct broker_kafka_plan *plan, struct why *why) {
    const char *topic = admin->config.topics[reset->topic];
    AUTO(own_free) char *group = kafka_config_group(&admin->config, reset->group);
    struct admin_topic is;
    size_t members = 0;
    TRY(admin_topic_look(admin, topic, &is, why));
    TRY(count_members(admin, group, &members, why));
    if (members > 0) {
        admin_step(plan, BROKER_KAFKA_OBSTACLE,
                   "group %s has %zu members: stop them first (a static member that was killed counts until its "
                   "session is over)",
                   group, members);
        return RC_OK;
    }
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *from = admin_all_of(topic, is.partitions);
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *end = admin_all_of(topic, is.partitions);
    int64_t time = reset->by_time ? reset->time_ms : RD_KAFKA_OFFSET_BEGINNING;
    TRY(kafka_ask_offsets(&admin->client, from, time, admin_timeout_ms(admin), why));
    TRY(kafka_ask_offsets(&admin->client, end, RD_KAFKA_OFFSET_END, admin_timeout_ms(admin), why));
    for (int i = 0; i < from->cnt; i++) {
        int64_t to = from->elems[i].offset < 0 ? end->elems[i].offset : from->elems[i].offset; /* none is so young */
        struct broker_kafka_step *step = admin_step(
            plan, BROKER_KAFKA_OFFSET,
            "group %s, partition %" PRId32 " of %s: go on at %" PRId64 ", %" PRId64 " messages before the end", group,
            from->elems[i].partition, topic, to, end->elems[i].offset - to);
        step->group = admin_text(group);
        step->topic = admin_text(topic);
        step->partition = (uint32_t)from->elems[i].partition;
        step->number = (uint64_t)to;
    }
    return RC_OK;
}
