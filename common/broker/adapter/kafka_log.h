/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_log: one partition of blocks, read by offset: asks for its bounds, fetches it once and in order into its cache,
 * trims it, and watches that it never loses what was there.
 *
 * What is below a log's end was acknowledged, and an acknowledged end never falls. So an end that is lower than one
 * that was seen before is either an answer of a broker that does not know yet that it is the leader no more, which
 * passes, or a log that lost its tail (an unclean election, a disk, a topic that was made anew), which is RC_BROKEN for
 * ever. Until fall_patience_ms are over it is RC_BUSY. Offsets that are missing inside the log are RC_BROKEN at once.
 *
 * Threads: any; one at a time fetches. Memory, Fails: as broker_kafka.h. */
#ifndef SLUICE_KAFKA_LOG_H
#define SLUICE_KAFKA_LOG_H

#include "kafka_cache.h"
#include "kafka_client.h"

struct kafka;

struct kafka_log {
    struct kafka *kafka;
    uint32_t partition;
    struct kafka_cache cache;
    _Atomic uint64_t start, end;    /* the highest that anybody here has seen */
    _Atomic uint64_t fell_since_ms; /* 0: the end is where it should be */
    pthread_mutex_t turn;
    bool running;      /* under turn: librdkafka fetches, and gives `position` next */
    uint64_t position; /* under turn */
};

void kafka_log_init(struct kafka_log *log, struct kafka *kafka, uint32_t partition);
void kafka_log_done(struct kafka_log *log);
/* The end is at least this: somebody got it told. */
void kafka_log_saw_end(struct kafka_log *log, uint64_t end);
/* The log was trimmed to this. */
void kafka_log_saw_start(struct kafka_log *log, uint64_t start);
/* Takes what a broker told of the bounds, `seen` being the end as we knew it before we asked (what is acknowledged
 * meanwhile may be above the answer); RC_BUSY or RC_BROKEN when the end has fallen. */
RC kafka_log_take_bounds(struct kafka_log *log, uint64_t seen, int64_t low, int64_t high, struct why *why);
/* Asks the partition's leader for the bounds, into start and end. */
RC kafka_log_ask(struct kafka_log *log, struct why *why);
RC kafka_log_bounds(struct kafka_log *log, uint64_t *out_start, uint64_t *out_end, struct why *why);
/* As broker_read_head; `max` SIZE_MAX: all of it, checked. */
RC kafka_log_read(struct kafka_log *log, uint64_t offset, size_t max, struct buf *out, uint64_t *out_len,
                  struct why *why);
RC kafka_log_wait(struct kafka_log *log, uint64_t offset, uint64_t wait_ms, struct why *why);
RC kafka_log_trim(struct kafka_log *log, uint64_t before, struct why *why);
RC kafka_log_skip_to(struct kafka_log *log, uint64_t offset, struct why *why);

#endif
