/* SPDX-License-Identifier: Apache-2.0 */
/* broker_kafka_admin: what people do to the topics and groups of a pipeline: make them, check them, set a group back,
 * remove a generation.
 *
 * Nothing is changed by looking: each question gives a plan, whose steps say in words what would be done, what is at
 * risk, and what stands in the way. The caller prints it, and has it done or not. Doing it again finds nothing left to
 * do; two that do it at once are harmless.
 *
 *   TRY(broker_kafka_admin_open(&settings, &admin, why));
 *   TRY(broker_kafka_admin_plan_topics(admin, &wanted, &plan, why));
 *   for (i < plan.steps_len) print plan.steps[i].text;
 *   if (!dry_run) TRY(broker_kafka_admin_do(admin, &plan, why));
 *
 * Threads: one at a time. Memory: the plan's. Fails: RC_BUSY when Kafka is not reachable, RC_DENIED for credentials and
 * rights, or for what a person has to do first. */
#ifndef SLUICE_BROKER_KAFKA_ADMIN_H
#define SLUICE_BROKER_KAFKA_ADMIN_H

#include "broker_kafka.h"

struct broker_kafka_admin;

enum broker_kafka_step_kind {
    BROKER_KAFKA_CREATE,     /* topic, with `number` partitions */
    BROKER_KAFKA_PARTITIONS, /* topic: raise them to `number` */
    BROKER_KAFKA_CONFIG,     /* topic: key = value */
    BROKER_KAFKA_DELETE,     /* topic */
    BROKER_KAFKA_OFFSET,     /* group, topic, partition: commit `number` */
    BROKER_KAFKA_RISK,       /* nothing to do: something that can lose lines when a machine fails */
    BROKER_KAFKA_OBSTACLE    /* nothing that we could do, and it cannot stay so */
};

struct broker_kafka_step {
    enum broker_kafka_step_kind kind;
    char *topic, *group, *key, *value; /* NULL where the kind has none */
    uint32_t partition, replication;
    uint64_t number;
    char *text; /* one line for people */
};

/* Starts zeroed. */
struct broker_kafka_plan {
    struct broker_kafka_step *steps;
    size_t steps_len, steps_room;
};
void broker_kafka_plan_done(struct broker_kafka_plan *plan);
size_t broker_kafka_plan_count(const struct broker_kafka_plan *plan, enum broker_kafka_step_kind kind);

struct broker_kafka_wanted {
    uint32_t job_partitions, block_partitions; /* > 0 */
    uint32_t replication;                      /* of topics that are made; 0: the cluster's default */
    uint64_t jobs_retention_ms;                /* 0: 7 days */
};

RC broker_kafka_admin_open(const struct broker_kafka_settings *settings, struct broker_kafka_admin **out,
                           struct why *why);
void broker_kafka_admin_free(struct broker_kafka_admin *admin);
/* The cluster's id; the caller frees. */
RC broker_kafka_admin_cluster(struct broker_kafka_admin *admin, char **out, struct why *why);

/* Adds to the plan what is to be done that the three topics of the settings' generation are as wanted: missing topics,
 * missing partitions of jobs, configurations that would lose lines (retention of blocks, compaction, messages too
 * small, unclean elections); risks (one replica, min.insync.replicas); obstacles (other partitions of blocks). */
RC broker_kafka_admin_plan_topics(struct broker_kafka_admin *admin, const struct broker_kafka_wanted *wanted,
                                  struct broker_kafka_plan *plan, struct why *why);

/* Where a group is to go on reading: from the start, or from the first message of `time_ms` (since 1970) or later. */
struct broker_kafka_reset {
    struct str group; /* as given to broker_consumer_new or broker_share_new */
    enum broker_topic topic;
    bool by_time;
    int64_t time_ms;
};
/* Adds the offsets to commit. An obstacle when the group has members: they would go on where they are. */
RC broker_kafka_admin_plan_reset(struct broker_kafka_admin *admin, const struct broker_kafka_reset *reset,
                                 struct broker_kafka_plan *plan, struct why *why);
/* How many messages a group has not committed yet, over all partitions of a topic. */
RC broker_kafka_admin_lag(struct broker_kafka_admin *admin, struct str group, enum broker_topic topic, uint64_t *out,
                          struct why *why);
/* Adds the removal of the topic of blocks of a generation, nothing when it is not there. */
RC broker_kafka_admin_plan_delete(struct broker_kafka_admin *admin, uint64_t generation, struct broker_kafka_plan *plan,
                                  struct why *why);

/* The highest generation that has a topic of blocks; 0: none. */
RC broker_kafka_admin_newest(struct broker_kafka_admin *admin, uint64_t *out_generation, struct why *why);

/* Does the steps in order, and waits until topics that were made can be used. RC_DENIED without doing anything when
 * there is an obstacle. What failed half-way is finished by planning and doing it again. */
RC broker_kafka_admin_do(struct broker_kafka_admin *admin, const struct broker_kafka_plan *plan, struct why *why);

#endif
