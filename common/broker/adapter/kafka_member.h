/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_member: a member of a consumer group on one topic: which partitions are its own, and what was committed.
 *
 * Partitions move by the cooperative-sticky protocol: those that stay are not interrupted. A static member (one with an
 * instance id) that ends keeps its partitions until the session is over, so that a restart moves nothing. A user may
 * name another protocol (KAFKA.md, "Groups").
 *
 * Threads: one at a time. Memory: 9 bytes a partition. Fails: as kafka_client. */
#ifndef SLUICE_KAFKA_MEMBER_H
#define SLUICE_KAFKA_MEMBER_H

#include "kafka_client.h"

struct kafka;

struct kafka_member {
    struct kafka_client client; /* first: kafka_client.h */
    struct kafka *kafka;
    const char *topic;
    char *group, *instance;
    uint64_t slot; /* the bit of `instance`, 0: none */
    bool asleep;   /* no message is fetched: a share */
    bool assigned; /* the group has answered at least once */
    bool *owned;   /* partitions */
    uint32_t partitions_max;
    void (*lost)(struct kafka_member *member, uint32_t partition); /* may be NULL */
};

RC kafka_member_init(struct kafka_member *member, struct kafka *kafka, enum broker_topic topic, struct str group,
                     bool asleep, struct why *why);
/* Leaves the group (a static member does not) and waits for that, some seconds at most. Takes a zeroed one. */
void kafka_member_done(struct kafka_member *member);
/* Serves the group, and gives a message or NULL; the caller destroys it. A message with an error is handled here: words
 * and rc when it is one to tell. */
RC kafka_member_poll(struct kafka_member *member, uint64_t wait_ms, rd_kafka_message_t **out, struct why *why);
/* Commits offsets[0..len), one a partition, UINT64_MAX none; `wait`: until it is done, some seconds at most. */
RC kafka_member_commit(struct kafka_member *member, const uint64_t *offsets, uint32_t len, bool wait, struct why *why);
RC kafka_member_committed(struct kafka_member *member, uint32_t partition, uint64_t *out, struct why *why);

#endif
