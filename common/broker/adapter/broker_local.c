/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_local.h"

#include "alloc.h"
#include "local_inside.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "whole_share.h"

#include <stdio.h>
#include <time.h>

enum {
    JOBS_MAX = 65536,
    JOBS_BYTES_MAX = 16 * 1024 * 1024,
    MESSAGE_BYTES_MAX = 8 * 1024 * 1024,
    SEGMENT_BYTES = 64 * 1024 * 1024,
    SEGMENT_BYTES_MAX = 1024 * 1024 * 1024, /* so that a place in a segment fits 32 bits, with the last message */
    OPEN_SEGMENTS_MAX = 8
};

/* ---- jobs ---- */

static RC consumer_next(void *self, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
                        struct why *why) {
    struct local *local = self;
    return job_queue_take(local->jobs, wait_ms, out_bytes, out, why);
}

/* Nothing of the jobs topic outlives the process, so there is no place to keep. */
static RC consumer_commit(void *self, struct why *why) {
    (void)self, (void)why;
    return RC_OK;
}

static void consumer_free(void *self) {
    struct local *local = self;
    (void)atomic_fetch_sub(&local->handles, 1);
}

static const struct broker_consumer_ops CONSUMER_OPS = {consumer_next, consumer_commit, consumer_free};

static RC local_consumer(void *self, struct str group, struct broker_consumer *out, struct why *why) {
    struct local *local = self;
    LOCKED(&local->group_lock);
    if (!local->group) local->group = alloc_text(group.at, group.len);
    if (!str_equal(group, str_of(local->group)))
        return why_set(why, RC_BAD, "broker: the local broker serves one group, %s, not also %.*s", local->group,
                       STR_ARG(group));
    (void)atomic_fetch_add(&local->handles, 1);
    *out = (struct broker_consumer){&CONSUMER_OPS, local};
    return RC_OK;
}

/* ---- share ---- */

static bool wait_for_stop(void *context, uint64_t wait_ms) {
    struct local *local = context;
    struct timespec deadline;
    wake_deadline(wait_ms, &deadline);
    for (;;) {
        uint64_t seen = wake_count(&local->progress);
        if (atomic_load(&local->stopped)) return true;
        if (wait_ms == 0 || !wake_wait(&local->progress, seen, &deadline)) return false;
    }
}

static RC local_share(void *self, struct str group, struct broker_share *out, struct why *why) {
    struct local *local = self;
    (void)group, (void)why;
    (void)atomic_fetch_add(&local->handles, 1);
    whole_share_new(local->block_partitions, wait_for_stop, consumer_free, local, out);
    return RC_OK;
}

/* ---- blocks ---- */

static RC log_of(struct local *local, uint32_t partition, struct spool_log **out, struct why *why) {
    if (partition >= local->block_partitions)
        return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
    *out = local->partitions[partition].log;
    return RC_OK;
}

static RC local_partitions(void *self, enum broker_topic topic, uint32_t *out, struct why *why) {
    const struct local *local = self;
    if (topic == BROKER_EVENTS) return why_set(why, RC_BAD, "broker: the local broker has no events");
    *out = topic == BROKER_JOBS ? local->job_partitions : local->block_partitions;
    return RC_OK;
}

static RC local_producer(void *self, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    return local_producer_new(self, queue_bytes, out, why);
}

static RC local_bounds(void *self, uint32_t partition, uint64_t *out_start, uint64_t *out_end, struct why *why) {
    struct spool_log *log;
    TRY(log_of(self, partition, &log, why));
    spool_log_bounds(log, out_start, out_end);
    return RC_OK;
}

static RC local_read(void *self, uint32_t partition, uint64_t offset, struct buf *out_bytes, struct broker_message *out,
                     struct why *why) {
    struct spool_log *log;
    TRY(log_of(self, partition, &log, why));
    TRY(spool_log_read(log, offset, out_bytes, why));
    *out = (struct broker_message){offset, partition, buf_str(out_bytes)};
    return RC_OK;
}

static RC local_read_head(void *self, uint32_t partition, uint64_t offset, size_t max, struct buf *out_bytes,
                          uint64_t *out_len, struct why *why) {
    struct spool_log *log;
    TRY(log_of(self, partition, &log, why));
    return spool_log_read_head(log, offset, max, out_bytes, out_len, why);
}

static RC local_trim(void *self, uint32_t partition, uint64_t before, struct why *why) {
    struct spool_log *log;
    TRY(log_of(self, partition, &log, why));
    return spool_log_trim(log, before, why);
}

static RC local_skip_to(void *self, uint32_t partition, uint64_t offset, struct why *why) {
    struct spool_log *log;
    TRY(log_of(self, partition, &log, why));
    return spool_log_skip_to(log, offset, why);
}

static RC local_backlog_bytes(void *self, uint64_t *out, struct why *why) {
    const struct local *local = self;
    (void)why;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < local->block_partitions; i++) sum += spool_log_kept_bytes(local->partitions[i].log);
    *out = sum;
    return RC_OK;
}

static RC local_wait(void *self, uint32_t partition, uint64_t offset, uint64_t wait_ms, struct why *why) {
    struct local *local = self;
    struct spool_log *log;
    TRY(log_of(local, partition, &log, why));
    struct timespec deadline;
    wake_deadline(wait_ms, &deadline);
    for (;;) {
        uint64_t seen = wake_count(&local->progress);
        if (atomic_load(&local->stopped)) return why_set(why, RC_STOP, "broker: stopping");
        enum rc health = spool_log_health(log, why); /* before the end: what was acknowledged first counts */
        if (spool_log_acknowledged(log) > offset) return RC_OK;
        if (health != RC_OK) return health;
        if (wait_ms == 0 || !wake_wait(&local->progress, seen, &deadline))
            return why_set(why, RC_ABSENT, "broker: partition %u has nothing above %llu", partition,
                           (unsigned long long)offset);
    }
}

static void local_stop(void *self) {
    struct local *local = self;
    atomic_store(&local->stopped, true);
    job_queue_stop(local->jobs);
    wake_all(&local->progress);
}

static void local_free(void *self) {
    struct local *local = self;
    MUST(atomic_load(&local->handles) == 0);
    for (uint32_t i = 0; i < local->block_partitions; i++) {
        struct local_partition *partition = &local->partitions[i];
        if (partition->running) {
            spool_log_wake(partition->log);
            (void)pthread_join(partition->thread, NULL);
        }
        spool_log_free(partition->log);
    }
    free(local->partitions);
    job_queue_free(local->jobs);
    spool_home_close(&local->home);
    wake_done(&local->progress);
    (void)pthread_mutex_destroy(&local->group_lock);
    free(local->group);
    free(local);
}

static const struct broker_ops LOCAL_OPS = {.partitions = local_partitions,
                                            .producer = local_producer,
                                            .consumer = local_consumer,
                                            .share = local_share,
                                            .bounds = local_bounds,
                                            .read = local_read,
                                            .read_head = local_read_head,
                                            .trim = local_trim,
                                            .skip_to = local_skip_to,
                                            .backlog_bytes = local_backlog_bytes,
                                            .wait = local_wait,
                                            .stop = local_stop,
                                            .free = local_free};

/* ---- opening ---- */

/* Between two commits: appends that come meanwhile share the next one. A commit costs the disk and some 100
 * microseconds of CPU, however little it commits; lanes do not wait for it. */
enum { COMMIT_PAUSE_MS = 20 };

static void *commit_always(void *context) {
    struct spool_log *log = context;
    while (spool_log_wait_dirty(log)) {
        if (spool_log_commit(log, NULL) != RC_OK) break; /* the log keeps the words; append and poll tell them */
        spool_log_pause(log, COMMIT_PAUSE_MS);
    }
    return NULL;
}

static void report_progress(void *context) {
    struct local *local = context;
    wake_all(&local->progress);
}

static RC check_options(const struct broker_local_options *options, struct why *why) {
    if (options->job_partitions == 0 || options->block_partitions == 0)
        return why_set(why, RC_BAD, "broker: at least one partition is needed");
    if (options->segment_bytes > SEGMENT_BYTES_MAX || options->message_bytes_max > SEGMENT_BYTES_MAX)
        return why_set(why, RC_BAD, "broker: segments and messages have at most %d bytes", SEGMENT_BYTES_MAX);
    if (id_is_none(options->queue)) return why_set(why, RC_BAD, "broker: the queue has no id");
    return RC_OK;
}

static struct broker_local_options with_defaults(const struct broker_local_options *options) {
    struct broker_local_options o = *options;
    if (!o.jobs_max) o.jobs_max = JOBS_MAX;
    if (!o.jobs_bytes_max) o.jobs_bytes_max = JOBS_BYTES_MAX;
    if (!o.message_bytes_max) o.message_bytes_max = MESSAGE_BYTES_MAX;
    if (!o.segment_bytes) o.segment_bytes = SEGMENT_BYTES;
    if (!o.open_segments_max) o.open_segments_max = OPEN_SEGMENTS_MAX;
    if (!o.sys) o.sys = spool_sys_kernel();
    return o;
}

static RC open_partition(struct local *local, const struct broker_local_options *options, const char *generation,
                         uint32_t number, struct why *why) {
    struct local_partition *partition = &local->partitions[number];
    AUTO(own_free) char *path = NULL;
    if (asprintf(&path, "%s/p%u", generation, number) < 0) return why_set(why, RC_LIMIT, "broker: a path is too long");
    struct spool_log_options log = {.path = path,
                                    .queue = options->queue,
                                    .generation = options->generation,
                                    .partition = number,
                                    .message_bytes_max = options->message_bytes_max,
                                    .segment_bytes = options->segment_bytes,
                                    .open_segments_max = options->open_segments_max,
                                    .repair = options->repair,
                                    .sys = options->sys,
                                    .progress = report_progress,
                                    .context = local};
    TRY(spool_log_open(&log, &partition->log, &partition->opening, why));
    int error = pthread_create(&partition->thread, NULL, commit_always, partition->log);
    if (error) return why_errno(why, RC_BUSY, error, "broker: starting a thread");
    partition->running = true;
    return RC_OK;
}

static RC open_all(struct local *local, const struct broker_local_options *options, struct why *why) {
    AUTO(own_free) char *dir = alloc_text(options->dir.at, options->dir.len);
    AUTO(own_free) char *generation = NULL;
    if (asprintf(&generation, "%s/g%llu", dir, (unsigned long long)options->generation) < 0)
        return why_set(why, RC_LIMIT, "broker: a path is too long");
    TRY(spool_home_open(dir, options->queue, !options->beside, options->sys, &local->home, why));
    TRY(spool_home_generation(generation, options->block_partitions, options->sys, why));
    for (uint32_t i = 0; i < options->block_partitions; i++) TRY(open_partition(local, options, generation, i, why));
    return RC_OK;
}

static void local_abandon(struct local **local) {
    if (*local) local_free(*local);
}

enum rc broker_local_open(const struct broker_local_options *options, struct broker *out, struct why *why) {
    struct broker_local_options o = with_defaults(options);
    TRY(check_options(&o, why));
    AUTO(local_abandon) struct local *local = ALLOC(struct local);
    local->home = (struct spool_home){-1, -1};
    wake_init(&local->progress);
    (void)pthread_mutex_init(&local->group_lock, NULL);
    local->job_partitions = o.job_partitions;
    local->block_partitions = o.block_partitions;
    local->partitions = alloc_zero(o.block_partitions, sizeof *local->partitions);
    local->jobs = job_queue_new(o.job_partitions, o.jobs_max, o.jobs_bytes_max);
    TRY(open_all(local, &o, why));
    *out = (struct broker){&LOCAL_OPS, TAKE(local)};
    return RC_OK;
}

struct broker_local_opening broker_local_opening(struct broker broker, uint32_t partition) {
    MUST(broker.ops == &LOCAL_OPS);
    const struct local *local = broker.self;
    MUST(partition < local->block_partitions);
    return local->partitions[partition].opening;
}

enum rc broker_local_queue_id(struct str dir, struct id *out, struct why *why) {
    AUTO(own_free) char *path = alloc_text(dir.at, dir.len);
    return spool_home_queue(path, out, why);
}
