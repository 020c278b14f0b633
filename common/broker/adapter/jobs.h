/* SPDX-License-Identifier: Apache-2.0 */
/* jobs: the jobs topic of one process: a bounded first-in-first-out queue in memory, each message to whoever asks
 * first. Offsets count per partition. Memory: bytes_max and 48 bytes a message. Threads: any. Fails: RC_BUSY when full,
 * RC_STOP after jobs_stop. */
#ifndef SLUICE_JOBS_H
#define SLUICE_JOBS_H

#include "broker.h"

struct jobs;

struct jobs *jobs_new(uint32_t partitions, size_t messages_max, size_t bytes_max);
void jobs_free(struct jobs *jobs);
RC jobs_put(struct jobs *jobs, uint32_t partition, struct str head, struct str body, uint64_t *out_offset,
            struct why *why);
RC jobs_take(struct jobs *jobs, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out, struct why *why);
void jobs_stop(struct jobs *jobs);

#endif
