/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_member.h"

#include "alloc.h"
#include "kafka_ask.h"
#include "kafka_error.h"
#include "kafka_inside.h"
#include "log.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <stdio.h>
#include <string.h>

enum {
    COMMIT_MS = 5000,      /* at an end: what is not committed by then costs a few jobs that are done twice */
    PARTITIONS_MAX = 65536 /* of a topic; those that are added later count too */
};

/* Before 2.3.0, librdkafka aborts when a member is destroyed between joining and its first assignment. */
static const int FIXED_DESTROY = 0x020300ff;

/* ---- numbers of static members ---- */

/* The lowest number that no other member of this process has, so that one that is made anew takes the old one's place.
 */
static RC take_slot(struct kafka_member *member, struct why *why) {
    struct kafka_slots *slots = &member->kafka->slots;
    LOCKED(&slots->lock);
    for (unsigned i = 0; i < 64; i++) {
        if (slots->taken >> i & 1) continue;
        slots->taken |= member->slot = 1ULL << i;
        MUST(asprintf(&member->instance, "%s-%u", member->kafka->config.instance_id, i) > 0);
        return RC_OK;
    }
    return why_set(why, RC_LIMIT, "broker: more than 64 static members in one process");
}

static void give_slot(struct kafka_member *member) {
    LOCKED(&member->kafka->slots.lock);
    member->kafka->slots.taken &= ~member->slot;
}

/* ---- rebalances ---- */

static void note(struct kafka_member *member, const rd_kafka_topic_partition_list_t *list, bool owned) {
    for (int i = 0; i < list->cnt; i++) {
        uint32_t partition = (uint32_t)list->elems[i].partition;
        if (partition >= member->partitions_max) continue;
        member->owned[partition] = owned;
        if (!owned && member->lost) member->lost(member, partition);
    }
    metric_add(METRIC_BROKER_REBALANCES, list->cnt > 0);
    LOG_DEBUG("partitions moved", F_STR("group", member->group), F_BOOL("ours", owned),
              F_I64("count", (int64_t)list->cnt));
}

static rd_kafka_error_t *take_in(rd_kafka_t *rk, struct kafka_member *member, bool cooperative,
                                 rd_kafka_topic_partition_list_t *list) {
    /* A member that sleeps names an offset, so that nothing is looked up, and pauses before anything is fetched. */
    for (int i = 0; i < list->cnt && member->asleep; i++) list->elems[i].offset = 0;
    rd_kafka_error_t *failed = NULL;
    if (cooperative)
        failed = rd_kafka_incremental_assign(rk, list);
    else
        (void)rd_kafka_assign(rk, list);
    if (member->asleep) (void)rd_kafka_pause_partitions(rk, list);
    member->assigned = true;
    return failed;
}

static void rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list, void *opaque) {
    struct kafka_member *member = opaque;
    const char *protocol = rd_kafka_rebalance_protocol(rk); /* NULL while the member is being closed */
    bool cooperative = protocol && !strcmp(protocol, "COOPERATIVE");
    bool gained = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rd_kafka_error_t *failed = NULL;
    if (gained)
        failed = take_in(rk, member, cooperative, list);
    else if (cooperative)
        failed = rd_kafka_incremental_unassign(rk, list);
    else
        (void)rd_kafka_assign(rk, NULL);
    note(member, list, gained);
    if (!failed) return;
    LOG_DEBUG("a rebalance was not taken", F_STR("text", rd_kafka_error_string(failed)));
    rd_kafka_error_destroy(failed);
}

/* ---- the life of a member ---- */

static RC subscribe(struct kafka_member *member, struct why *why) {
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, member->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_poll_set_consumer(member->client.rk);
    if (!error) error = rd_kafka_subscribe(member->client.rk, topics);
    if (!error) return RC_OK;
    return kafka_client_fail(&member->client, error, why, "joining the group %s", member->group);
}

static RC begin(struct kafka_member *member, struct why *why) {
    const struct broker_kafka_settings *n = &member->kafka->config.numbers;
    const struct kafka_property properties[] = {
        {"group.id", member->group, 0, true},
        {"partition.assignment.strategy", "cooperative-sticky", 0, false},
        {"enable.auto.commit", "false", 0, true},
        {"enable.auto.offset.store", "false", 0, true},
        {"auto.offset.reset", "earliest", 0, true}, /* KAFKA.md, "Where a consumer begins" */
        {"isolation.level", "read_uncommitted", 0, true},
        {"session.timeout.ms", NULL, n->session_timeout_ms, false},
        {"heartbeat.interval.ms", NULL, MIN(n->session_timeout_ms / 3, (uint64_t)1000),
         false}, /* how soon a rebalance is heard of */
        {"max.poll.interval.ms", NULL, MIN(n->poll_interval_ms, (uint64_t)86400000), false},
        {"queued.max.messages.kbytes", NULL, 1024, false},
        {"queued.min.messages", NULL, 1000, false},
        {"fetch.message.max.bytes", NULL, 256 << 10, false}, /* jobs have a few hundred bytes */
        {"fetch.wait.max.ms", NULL, 500, false},
        {"topic.metadata.refresh.interval.ms", NULL, 60000, false}, /* partitions that are added are found by then */
        {member->instance ? "group.instance.id" : NULL, member->instance, 0, true},
        {NULL, NULL, 0, false}};
    const struct kafka_callbacks callbacks = {.rebalance = rebalance, .opaque = member};
    TRY(kafka_client_init(&member->client, &member->kafka->config, RD_KAFKA_CONSUMER, properties, &callbacks, why));
    return subscribe(member, why);
}

enum rc kafka_member_init(struct kafka_member *member, struct kafka *kafka, enum broker_topic topic, struct str group,
                          bool asleep, struct why *why) {
    *member = (struct kafka_member){.kafka = kafka, .topic = kafka->config.topics[topic], .asleep = asleep};
    member->group = kafka_config_group(&kafka->config, group);
    /* Partitions of jobs may be added while we run; those of blocks may not. */
    member->partitions_max = topic == BROKER_BLOCKS ? kafka->partitions[BROKER_BLOCKS] : PARTITIONS_MAX;
    member->owned = alloc_zero(member->partitions_max, sizeof *member->owned);
    enum rc rc = *kafka->config.instance_id ? take_slot(member, why) : RC_OK;
    if (rc == RC_OK) rc = begin(member, why);
    return rc;
}

void kafka_member_done(struct kafka_member *member) {
    if (member->client.rk) (void)rd_kafka_consumer_close(member->client.rk);
    if (member->client.rk && !member->assigned && rd_kafka_version() < FIXED_DESTROY)
        member->client.rk = NULL; /* left to the process' end, which it otherwise would be the cause of */
    kafka_client_done(&member->client);
    if (member->slot) give_slot(member);
    free(member->group);
    free(member->instance);
    free(member->owned);
    *member = (struct kafka_member){0};
}

/* ---- polling ---- */

static RC tell(struct kafka_member *member, rd_kafka_resp_err_t error, const char *words, struct why *why) {
    if (error == RD_KAFKA_RESP_ERR__FATAL) error = rd_kafka_fatal_error(member->client.rk, NULL, 0);
    enum rc rc = kafka_error_rc(error);
    /* Said of itself: it was busy for longer than poll_interval_ms, and joins again with this very poll. */
    if (error == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED || rc == RC_ABSENT) return RC_OK;
    metric_add(METRIC_BROKER_ERRORS, 1);
    rc = kafka_client_fail(&member->client, error, why, "group %s: %s", member->group, words);
    return rc == RC_BROKEN ? RC_DENIED : rc;
}

enum rc kafka_member_poll(struct kafka_member *member, uint64_t wait_ms, rd_kafka_message_t **out, struct why *why) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(member->client.rk, kafka_ms(wait_ms));
    *out = NULL;
    if (message && message->err) {
        enum rc rc = tell(member, message->err, rd_kafka_message_errstr(message), why);
        rd_kafka_message_destroy(message);
        return rc;
    }
    if (message) kafka_client_proven(&member->client);
    *out = message;
    return RC_OK;
}

/* ---- offsets ---- */

enum rc kafka_member_commit(struct kafka_member *member, const uint64_t *offsets, uint32_t len, bool wait,
                            struct why *why) {
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (uint32_t i = 0; i < len; i++)
        if (offsets[i] != UINT64_MAX)
            rd_kafka_topic_partition_list_add(list, member->topic, (int32_t)i)->offset = (int64_t)offsets[i];
    if (list->cnt == 0) return RC_OK;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (wait) {
        rd_kafka_queue_t *queue = rd_kafka_queue_new(member->client.rk);
        error = rd_kafka_commit_queue(member->client.rk, list, queue, NULL, NULL);
        rd_kafka_event_t *event = error ? NULL : rd_kafka_queue_poll(queue, COMMIT_MS);
        if (!error) error = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (event) rd_kafka_event_destroy(event);
        rd_kafka_queue_destroy(queue);
    } else {
        error = rd_kafka_commit(member->client.rk, list, 1);
    }
    /* Offsets only tell how far we are: a commit in the middle of a rebalance comes again with the next one. */
    enum rc rc = kafka_error_rc(error);
    if (!error || (rc != RC_DENIED)) return RC_OK;
    return kafka_client_fail(&member->client, error, why, "committing offsets of the group %s", member->group);
}

enum rc kafka_member_committed(struct kafka_member *member, uint32_t partition, uint64_t *out, struct why *why) {
    AUTO(kafka_list_free) rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, member->topic, (int32_t)partition);
    rd_kafka_resp_err_t error =
        rd_kafka_committed(member->client.rk, list, kafka_ms(member->kafka->config.numbers.request_timeout_ms));
    if (!error) error = list->elems[0].err;
    if (error)
        return kafka_client_fail(&member->client, error, why, "asking what the group %s has committed", member->group);
    if (list->elems[0].offset < 0)
        return why_set(why, RC_ABSENT, "broker: the group %s has committed nothing for partition %u", member->group,
                       partition);
    *out = (uint64_t)list->elems[0].offset;
    return RC_OK;
}
