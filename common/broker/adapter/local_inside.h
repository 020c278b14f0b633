/* SPDX-License-Identifier: Apache-2.0 */
/* local_inside: what broker_local.c and local_producer.c share and nobody else sees. */
#ifndef SLUICE_LOCAL_INSIDE_H
#define SLUICE_LOCAL_INSIDE_H

#include "job_queue.h"
#include "spool_home.h"
#include "spool_log.h"
#include "wake.h"

#include <stdatomic.h>

/* One partition of blocks, with the thread that commits it. */
struct local_partition {
    struct spool_log *log;
    pthread_t thread;
    bool running;
    struct broker_local_opening opening;
};

struct local {
    struct spool_home home;
    struct job_queue *jobs;
    uint32_t job_partitions, block_partitions;
    struct local_partition *partitions;
    struct wake progress; /* an acknowledged end has risen, a log broke, or broker_stop */
    atomic_bool stopped;
    atomic_uint handles; /* producers, consumers and shares that are alive */
    pthread_mutex_t group_lock;
    char *group; /* the first consumer's */
};

RC local_producer_new(struct local *local, size_t queue_bytes, struct broker_producer *out, struct why *why);

#endif
