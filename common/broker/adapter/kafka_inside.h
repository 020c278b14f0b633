/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_inside: what the parts of the Kafka adapter share and nobody else sees. */
#ifndef SLUICE_KAFKA_INSIDE_H
#define SLUICE_KAFKA_INSIDE_H

#include "kafka_client.h"
#include "kafka_log.h"

struct kafka {
    struct kafka_config config;
    /* A broker answers one connection in order, and a fetch at a log's end waits there: so who asks has its own. */
    struct kafka_client asker;  /* bounds, topics, trimming */
    struct kafka_client reader; /* fetches blocks */
    rd_kafka_topic_t *blocks;   /* of the reader */
    uint32_t partitions[3];     /* by enum broker_topic */
    struct kafka_cache_space space;
    struct kafka_log *logs; /* one a partition of blocks */
    atomic_bool stopped;
    atomic_uint handles; /* producers, consumers and shares that are alive */
    struct kafka_slots { /* numbers of static members that are taken, a bit each */
        pthread_mutex_t lock;
        uint64_t taken;
    } slots;

    /* For the estimate of what is kept. */
    _Atomic uint64_t seen_bytes, seen_messages;
    _Atomic uint64_t looked_ms; /* when the bounds of all logs were last known; 0: never */
    pthread_mutex_t watch_lock;
    pthread_cond_t watch_changed;
    pthread_t watcher;
    bool watching, ending; /* under watch_lock */
};

RC kafka_producer_new(struct kafka *kafka, size_t queue_bytes, struct broker_producer *out, struct why *why);
RC kafka_consumer_new(struct kafka *kafka, struct str group, struct broker_consumer *out, struct why *why);
RC kafka_share_new(struct kafka *kafka, struct str group, struct broker_share *out, struct why *why);

/* A message of blocks of this length was seen: what the estimate of the backlog multiplies with. */
void kafka_saw_message(struct kafka *kafka, size_t bytes);
/* Bytes of blocks that are kept; RC_BUSY when the bounds were not known for long. Starts the watcher. */
RC kafka_backlog(struct kafka *kafka, uint64_t *out, struct why *why);
void kafka_backlog_end(struct kafka *kafka);

uint64_t kafka_now_ms(void);
/* A time-out for librdkafka, which takes an int. */
static inline int kafka_ms(uint64_t ms) { return ms > 3600000 ? 3600000 : (int)ms; }

#endif
