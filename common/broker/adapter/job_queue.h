/* SPDX-License-Identifier: Apache-2.0 */
/* job_queue: the jobs topic of one process: a bounded first-in-first-out queue in memory, each message to whoever asks
 * first. Offsets count per partition. Memory: bytes_max and 48 bytes a message. Threads: any. Fails: RC_BUSY when full,
 * RC_STOP after job_queue_stop. */
#ifndef SLUICE_JOB_QUEUE_H
#define SLUICE_JOB_QUEUE_H

#include "broker.h"

struct job_queue;

struct job_queue *job_queue_new(uint32_t partitions, size_t messages_max, size_t bytes_max);
void job_queue_free(struct job_queue *jobs);
RC job_queue_put(struct job_queue *jobs, uint32_t partition, struct str head, struct str body, uint64_t *out_offset,
                 struct why *why);
RC job_queue_take(struct job_queue *jobs, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
                  struct why *why);
void job_queue_stop(struct job_queue *jobs);

#endif
