/* SPDX-License-Identifier: Apache-2.0 */
/* broker_kafka: the broker of a fleet: jobs, blocks and events are topics of a Kafka cluster, by librdkafka.
 *
 * KAFKA.md says which topics, groups and properties there are, what is kept in memory and on disk, and why no line can
 * get lost when offsets, leaders or whole logs go wrong. In short: a producer is idempotent and waits for all in-sync
 * replicas; jobs go by a consumer group; a log of blocks is fetched once, in order, into nameless files in cache_dir,
 * and read from there; trimming is DeleteRecords. There are no transactions: the ledger decides.
 *
 * Threads: as broker.h; librdkafka has some of its own for each handle. Memory: a producer queue_bytes and one message
 * more; a consumer of jobs about 2 MiB; a log that is being read about 2 messages and 6 MiB, and 16 bytes a message in
 * the cache. Disk: cache_bytes_max and one cache file a log. Fails: as broker.h; RC_BUSY also when Kafka is not
 * reachable, RC_DENIED for credentials, unknown properties, missing topics. */
#ifndef SLUICE_BROKER_KAFKA_H
#define SLUICE_BROKER_KAFKA_H

#include "broker.h"

/* Any property of librdkafka, such as "sasl.password". */
struct broker_kafka_property {
    struct str name, value;
};

/* All text is copied. 0 and "" mean the default everywhere but where it says otherwise. */
struct broker_kafka_settings {
    struct str servers;  /* "host:port,host:port"; needed */
    struct str pipeline; /* needed; topics are <pipeline>.jobs and so on, groups <pipeline>.<group> */
    uint64_t generation; /* of the topic of blocks */
    struct str jobs_topic, blocks_topic, events_topic; /* "": the names above */
    uint32_t job_partitions, block_partitions;         /* expected of the topics; 0: as many as there are */
    const struct broker_kafka_property *properties;    /* override ours, but for those that must hold */
    size_t properties_len;
    struct str client_id;        /* "sluice" */
    struct str instance_id;      /* of static membership in groups, unique to the process; "": members come and go */
    struct str cluster_id;       /* expected; "": any */
    struct str cache_dir;        /* must exist; needed for reading logs, "" refuses that */
    uint64_t cache_bytes_max;    /* of all logs together: 4 GiB. Should hold two batches a log that is read */
    size_t message_bytes_max;    /* 8 MiB, twice the largest block */
    uint64_t message_timeout_ms; /* how long a message may take to be acknowledged: 120,000 */
    uint64_t session_timeout_ms; /* after which a silent member of a group is given up: 45,000 */
    uint64_t poll_interval_ms;   /* how long a consumer may be busy between two broker_next: 30 min */
    uint64_t request_timeout_ms; /* how long a call waits for an answer: 10,000 */
    uint64_t fall_patience_ms;   /* how long a log may seem to have lost its end before it is RC_BROKEN: 30,000 */
};

/* Connects, and checks that the topics are there with the partitions expected, and the cluster id. */
RC broker_kafka_open(const struct broker_kafka_settings *settings, struct broker *out, struct why *why);

#endif
