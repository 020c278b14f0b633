/* SPDX-License-Identifier: Apache-2.0 */
/* Which topics a pipeline needs, and how they have to be configured. */
#include "admin_inside.h"
#include "alloc.h"
#include "num.h"
#include "own.h"
#include "str.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    BATCH_OVERHEAD = 4096, /* of a batch around one message */
    MESSAGES_MIN = 5 << 20 /* what a topic of blocks takes at least: a block has less than 4 MiB and a header */
};
static const uint64_t RETENTION_MS = 7ULL * 86400 * 1000;

/* How a value is judged. */
enum rule { EXACT, AT_LEAST, ONLY_NEW };

struct rule_of {
    const char *key;
    enum rule rule;
    char value[32];
    const char *because;
};

struct judge {
    struct broker_kafka_plan *plan;
    const char *topic;
    const struct rule_of *rules;
    size_t rules_len;
    uint32_t replication;
    uint64_t insync;
};

/* ---- what each topic needs ---- */

static size_t rules_of(const struct broker_kafka_admin *admin, enum broker_topic topic,
                       const struct broker_kafka_wanted *wanted, struct rule_of *out) {
    size_t n = 0;
    uint64_t message = MAX(admin->config.numbers.message_bytes_max + BATCH_OVERHEAD, (size_t)MESSAGES_MIN);
    uint64_t retention = wanted->jobs_retention_ms ? wanted->jobs_retention_ms : RETENTION_MS;
    out[n++] = (struct rule_of){"cleanup.policy", EXACT, "delete", "compaction removes messages from the middle"};
    if (topic == BROKER_BLOCKS) {
        out[n++] = (struct rule_of){"retention.ms", EXACT, "-1", "blocks go when they are in a manifest, not by age"};
        out[n++] = (struct rule_of){"retention.bytes", EXACT, "-1", "blocks go when they are in a manifest"};
        out[n] = (struct rule_of){"max.message.bytes", AT_LEAST, "", "a block is one message"};
        (void)snprintf(out[n++].value, sizeof out[0].value, "%" PRIu64, message);
        out[n++] = (struct rule_of){"unclean.leader.election.enable", EXACT, "false", "it loses acknowledged blocks"};
    } else if (topic == BROKER_JOBS) {
        out[n] = (struct rule_of){"retention.ms", ONLY_NEW, "", ""};
        (void)snprintf(out[n++].value, sizeof out[0].value, "%" PRIu64, retention);
    }
    return n;
}

/* ---- topics that are there ---- */

static bool satisfies(const struct rule_of *rule, const char *value) {
    uint64_t is = 0, least = 0;
    if (rule->rule == ONLY_NEW) return true;
    if (rule->rule == EXACT) return !strcmp(rule->value, value);
    return str_parse_u64(str_of(value), &is) == RC_OK && str_parse_u64(str_of(rule->value), &least) == RC_OK &&
           is >= least;
}

static void judge_config(void *context, const char *key, const char *value, bool own) {
    (void)own;
    struct judge *judge = context;
    uint64_t insync = 0;
    if (!strcmp(key, "min.insync.replicas") && str_parse_u64(str_of(value), &insync) == RC_OK) judge->insync = insync;
    for (size_t i = 0; i < judge->rules_len; i++) {
        const struct rule_of *rule = &judge->rules[i];
        if (strcmp(rule->key, key) != 0 || satisfies(rule, value)) continue;
        struct broker_kafka_step *step =
            admin_step(judge->plan, BROKER_KAFKA_CONFIG, "topic %s: set %s to %s (it is %s): %s", judge->topic, key,
                       rule->value, value, rule->because);
        step->topic = admin_text(judge->topic);
        step->key = admin_text(key);
        step->value = admin_text(rule->value);
    }
}

static void judge_replicas(struct judge *judge) {
    if (judge->replication < 2)
        admin_step(judge->plan, BROKER_KAFKA_RISK,
                   "topic %s has one replica: a broker's disk that is lost takes acknowledged blocks with it; "
                   "production wants 3",
                   judge->topic);
    else if (judge->insync < 2)
        admin_step(judge->plan, BROKER_KAFKA_RISK,
                   "topic %s acknowledges with one replica in sync (min.insync.replicas=%" PRIu64
                   "): a broker that is lost then takes acknowledged blocks with it; have 2 of 3",
                   judge->topic, judge->insync);
    else if (judge->insync >= judge->replication)
        admin_step(judge->plan, BROKER_KAFKA_RISK,
                   "topic %s takes nothing while one broker is down (min.insync.replicas=%" PRIu64 " of %" PRIu32 ")",
                   judge->topic, judge->insync, judge->replication);
}

static void judge_partitions(struct broker_kafka_plan *plan, const char *topic, enum broker_topic which, uint32_t are,
                             uint32_t wanted) {
    if (are == wanted || which == BROKER_EVENTS) return;
    if (which == BROKER_JOBS && are < wanted) {
        struct broker_kafka_step *step =
            admin_step(plan, BROKER_KAFKA_PARTITIONS, "topic %s: raise the partitions from %" PRIu32 " to %" PRIu32,
                       topic, are, wanted);
        step->topic = admin_text(topic);
        step->number = wanted;
        return;
    }
    admin_step(plan, BROKER_KAFKA_OBSTACLE, "topic %s has %" PRIu32 " partitions, %" PRIu32 " are wanted: %s", topic,
               are, wanted,
               which == BROKER_JOBS ? "partitions cannot be taken away"
                                    : "those of blocks are fixed for a generation; raise `generation` to change them");
}

static RC judge_topic(struct broker_kafka_admin *admin, enum broker_topic which, struct admin_topic is, uint32_t wanted,
                      struct judge *judge, struct why *why) {
    judge_partitions(judge->plan, judge->topic, which, is.partitions, wanted);
    TRY(admin_topic_configs(admin, judge->topic, judge_config, judge, why));
    judge->replication = is.replication;
    if (which == BROKER_BLOCKS) judge_replicas(judge);
    return RC_OK;
}

/* ---- topics that are not ---- */

static void plan_creation(struct judge *judge, uint32_t partitions, uint32_t replication) {
    char replicas[48] = "as many replicas as the cluster's default";
    if (replication) (void)snprintf(replicas, sizeof replicas, "%" PRIu32 " replicas", replication);
    struct broker_kafka_step *step =
        admin_step(judge->plan, BROKER_KAFKA_CREATE, "topic %s: create it with %" PRIu32 " partitions, %s",
                   judge->topic, partitions, replicas);
    step->topic = admin_text(judge->topic);
    step->number = partitions;
    step->replication = replication;
    for (size_t i = 0; i < judge->rules_len; i++) {
        const struct rule_of *rule = &judge->rules[i];
        step = admin_step(judge->plan, BROKER_KAFKA_CONFIG, "topic %s: set %s to %s", judge->topic, rule->key,
                          rule->value);
        step->topic = admin_text(judge->topic);
        step->key = admin_text(rule->key);
        step->value = admin_text(rule->value);
    }
    if (replication == 1) {
        judge->replication = 1;
        judge_replicas(judge);
    }
}

static RC plan_topic(struct broker_kafka_admin *admin, enum broker_topic which,
                     const struct broker_kafka_wanted *wanted, struct broker_kafka_plan *plan, struct why *why) {
    struct rule_of rules[8];
    struct judge judge = {.plan = plan,
                          .topic = admin->config.topics[which],
                          .rules = rules,
                          .rules_len = rules_of(admin, which, wanted, rules)};
    uint32_t partitions = which == BROKER_JOBS     ? wanted->job_partitions
                          : which == BROKER_BLOCKS ? wanted->block_partitions
                                                   : 1;
    struct admin_topic is;
    enum rc rc = admin_topic_look(admin, judge.topic, &is, why);
    if (rc == RC_OK) return judge_topic(admin, which, is, partitions, &judge, why);
    if (rc != RC_ABSENT) return rc;
    plan_creation(&judge, partitions, wanted->replication);
    return RC_OK;
}

enum rc broker_kafka_admin_plan_topics(struct broker_kafka_admin *admin, const struct broker_kafka_wanted *wanted,
                                       struct broker_kafka_plan *plan, struct why *why) {
    TRY(plan_topic(admin, BROKER_JOBS, wanted, plan, why));
    TRY(plan_topic(admin, BROKER_BLOCKS, wanted, plan, why));
    return plan_topic(admin, BROKER_EVENTS, wanted, plan, why);
}

enum rc broker_kafka_admin_plan_delete(struct broker_kafka_admin *admin, uint64_t generation,
                                       struct broker_kafka_plan *plan, struct why *why) {
    AUTO(own_free) char *topic = NULL;
    struct admin_topic is;
    if (asprintf(&topic, "%s.blocks.g%" PRIu64, admin->config.pipeline, generation) < 0)
        return why_set(why, RC_LIMIT, "broker: a name is too long");
    enum rc rc = admin_topic_look(admin, topic, &is, why);
    if (rc == RC_ABSENT) return RC_OK;
    if (rc != RC_OK) return rc;
    struct broker_kafka_step *step =
        admin_step(plan, BROKER_KAFKA_DELETE, "topic %s: delete it, with all that is in its %" PRIu32 " partitions",
                   topic, is.partitions);
    step->topic = TAKE(topic);
    return RC_OK;
}
