/* SPDX-License-Identifier: Apache-2.0 */
/* run_inner: what the threads of one run share. Not for others. */
#ifndef SLUICE_RUN_INNER_H
#define SLUICE_RUN_INNER_H

#include "emitter.h"
#include "loop.h"
#include "redrive.h"
#include "run.h"
#include "run_settings.h"
#include "uploader.h"
#include "worker.h"

enum {
    RUN_LOOK_MS = 100,      /* between two looks of the main thread at everything */
    RUN_IDLE_WAIT_MS = 100, /* how long a thread waits at a time: the time to notice a stop */
    RUN_UPLOAD_THREADS = 4, /* at most: each has a compression context and buffers of some 16 MiB */
};

struct run {
    const struct config *config;
    struct runtime *runtime; /* open once .open is set */
    struct run_options options;
    struct loops loops;
    struct run_settings settings;
    struct redrive redrive; /* with .options.redrive: what is converted again */
    struct worker *worker;
    struct serve *serve;  /* NULL: workers read the files themselves */
    pthread_mutex_t lock; /* of the views */
    struct emitter_view emitter;
    uint64_t *won; /* a lane */
    atomic_bool open, draining, converted, done;
    _Atomic unsigned flushes;
    _Atomic unsigned lanes_running;
    struct run_upload *uploads; /* a partition */
    size_t lanes, partitions, upload_threads;
    struct run_thread *threads;
    size_t threads_len;
};

/* One queue partition of blocks, as the uploaders' threads and the share see it. */
struct run_upload {
    struct uploader_view view; /* under the run's lock */
    atomic_bool owned;         /* ours to upload */
    _Atomic uint64_t reset_to; /* where the group's offset stood when it became ours; UINT64_MAX: nowhere */
    uint64_t abandoned;        /* uploader_settings.abandoned_before */
};

struct run_thread {
    struct run *run;
    uint32_t number;
    pthread_t id;
};

/* run_redrive.c: the emitter's sources become the objects of rejects that hold what can be converted now. */
RC run_redrive_find(struct run *r, struct why *why);
/* The threads; `context` is a struct run_thread. */
void *run_emitter_main(void *context);
void *run_lane_main(void *context);
void *run_committer_main(void *context);
void *run_uploader_main(void *context);
void *run_share_main(void *context);
void *run_keeper_main(void *context);
void *run_older_main(void *context);
void *run_upkeep_main(void *context);

#endif
