/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_memory.h"

#include "alloc.h"
#include "memory_inside.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "whole_share.h"

enum { JOBS_MAX = 65536, JOBS_BYTES_MAX = 1 << 30, MESSAGE_BYTES_MAX = 8 * 1024 * 1024, JOB_BYTES_MAX = 1 << 20 };

bool memory_by_chance(struct broker_memory *memory, uint32_t permille) {
    return permille > 0 && rng_below(&memory->rng, 1000) < permille;
}

uint64_t memory_log_end(const struct memory_log *log) { return log->start + log->count; }

uint64_t memory_message_cost(struct memory_message message) {
    return message.at ? message.len + MEMORY_QUEUE_BYTES : 0;
}

void memory_log_put(struct broker_memory *memory, struct memory_log *log, struct memory_message message) {
    alloc_grow(&log->messages, &log->room, log->count + 1, sizeof message);
    log->messages[log->count++] = message;
    memory->kept_bytes += memory_message_cost(message);
}

static RC memory_producer(void *self, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    (void)why;
    return memory_producer_new(self, queue_bytes, out);
}

/* ---- jobs ---- */

static RC consumer_next(void *self, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
                        struct why *why) {
    struct broker_memory *memory = self;
    (void)wait_ms;
    if (memory->stopped) return why_set(why, RC_STOP, "broker: stopping");
    struct broker_message message;
    TRY(job_queue_take(memory->jobs, 0, out_bytes, &message, why));
    uint64_t offset;
    if (memory_by_chance(memory, memory->options.knobs.job_repeated)) /* RC_BUSY: then it is not repeated */
        (void)!job_queue_put(memory->jobs, message.partition, message.bytes, STR(""), &offset, NULL);
    *out = message;
    return RC_OK;
}

static RC consumer_commit(void *self, struct why *why) {
    (void)self, (void)why;
    return RC_OK;
}

static void consumer_free(void *self) {
    struct broker_memory *memory = self;
    memory->consumers--;
}

static const struct broker_consumer_ops CONSUMER_OPS = {consumer_next, consumer_commit, consumer_free};

static RC memory_consumer(void *self, struct str group, struct broker_consumer *out, struct why *why) {
    struct broker_memory *memory = self;
    if (!memory->group) memory->group = alloc_text(group.at, group.len);
    if (!str_equal(group, str_of(memory->group)))
        return why_set(why, RC_BAD, "broker: the broker in memory serves one group, %s", memory->group);
    memory->consumers++;
    *out = (struct broker_consumer){&CONSUMER_OPS, memory};
    return RC_OK;
}

static bool is_stopped(void *context, uint64_t wait_ms) {
    const struct broker_memory *memory = context;
    (void)wait_ms;
    return memory->stopped;
}

static RC memory_share(void *self, struct str group, struct broker_share *out, struct why *why) {
    struct broker_memory *memory = self;
    (void)group, (void)why;
    memory->consumers++;
    whole_share_new(memory->options.block_partitions, is_stopped, consumer_free, memory, out);
    return RC_OK;
}

/* ---- the logs ---- */

static RC log_of(struct broker_memory *memory, uint32_t partition, struct memory_log **out, struct why *why) {
    if (partition >= memory->options.block_partitions)
        return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
    *out = &memory->logs[partition];
    return RC_OK;
}

static RC message_of(struct broker_memory *memory, uint32_t partition, uint64_t offset, struct memory_message *out,
                     struct why *why) {
    struct memory_log *log;
    TRY(log_of(memory, partition, &log, why));
    if (offset < log->start || offset >= memory_log_end(log) || !log->messages[offset - log->start].at)
        return why_set(why, RC_ABSENT, "broker: partition %u has no message %llu", partition,
                       (unsigned long long)offset);
    *out = log->messages[offset - log->start];
    return RC_OK;
}

static RC memory_partitions(void *self, enum broker_topic topic, uint32_t *out, struct why *why) {
    const struct broker_memory *memory = self;
    (void)why;
    *out = topic == BROKER_BLOCKS ? memory->options.block_partitions
           : topic == BROKER_JOBS ? memory->options.job_partitions
                                  : 1;
    return RC_OK;
}

static RC memory_bounds(void *self, uint32_t partition, uint64_t *out_start, uint64_t *out_end, struct why *why) {
    struct memory_log *log;
    TRY(log_of(self, partition, &log, why));
    *out_start = log->start;
    *out_end = memory_log_end(log);
    return RC_OK;
}

static RC memory_read(void *self, uint32_t partition, uint64_t offset, struct buf *out_bytes,
                      struct broker_message *out, struct why *why) {
    struct memory_message message;
    TRY(message_of(self, partition, offset, &message, why));
    buf_add(out_bytes, (struct str){message.at, message.len});
    if (buf_rc(out_bytes) != RC_OK) return why_set(why, RC_LIMIT, "broker: no room for %zu bytes", message.len);
    *out = (struct broker_message){offset, partition, buf_str(out_bytes)};
    return RC_OK;
}

static RC memory_read_head(void *self, uint32_t partition, uint64_t offset, size_t max, struct buf *out_bytes,
                           uint64_t *out_len, struct why *why) {
    struct memory_message message;
    TRY(message_of(self, partition, offset, &message, why));
    buf_add(out_bytes, (struct str){message.at, MIN(max, message.len)});
    if (buf_rc(out_bytes) != RC_OK) return why_set(why, RC_LIMIT, "broker: no room for %zu bytes", message.len);
    *out_len = message.len;
    return RC_OK;
}

static RC memory_trim(void *self, uint32_t partition, uint64_t before, struct why *why) {
    struct broker_memory *memory = self;
    struct memory_log *log;
    TRY(log_of(memory, partition, &log, why));
    uint64_t end = memory_log_end(log);
    before = MIN(before, end);
    if (before <= log->start) return RC_OK;
    size_t gone = (size_t)(before - log->start);
    for (size_t i = 0; i < gone; i++) {
        memory->kept_bytes -= memory_message_cost(log->messages[i]);
        free(log->messages[i].at);
    }
    log->count -= gone;
    memmove(log->messages, log->messages + gone, log->count * sizeof *log->messages);
    log->start = before;
    return RC_OK;
}

static RC memory_skip_to(void *self, uint32_t partition, uint64_t offset, struct why *why) {
    struct broker_memory *memory = self;
    struct memory_log *log;
    TRY(log_of(memory, partition, &log, why));
    if (offset < memory_log_end(log))
        return why_set(why, RC_BAD, "broker: cannot skip back to %llu", (unsigned long long)offset);
    MUST(offset - memory_log_end(log) < 1u << 24); /* a gap costs memory here, and no simulation needs a larger one */
    while (memory_log_end(log) < offset) memory_log_put(memory, log, (struct memory_message){NULL, 0});
    return RC_OK;
}

static RC memory_backlog_bytes(void *self, uint64_t *out, struct why *why) {
    const struct broker_memory *memory = self;
    (void)why;
    *out = memory->kept_bytes;
    return RC_OK;
}

static RC memory_wait(void *self, uint32_t partition, uint64_t offset, uint64_t wait_ms, struct why *why) {
    struct broker_memory *memory = self;
    struct memory_log *log;
    (void)wait_ms;
    TRY(log_of(memory, partition, &log, why));
    if (memory->stopped) return why_set(why, RC_STOP, "broker: stopping");
    if (memory_log_end(log) > offset) return RC_OK;
    return why_set(why, RC_ABSENT, "broker: partition %u has nothing above %llu", partition,
                   (unsigned long long)offset);
}

static void memory_stop(void *self) {
    struct broker_memory *memory = self;
    memory->stopped = true;
}

static void memory_port_free(void *self) { (void)self; }

static const struct broker_ops MEMORY_OPS = {.partitions = memory_partitions,
                                             .producer = memory_producer,
                                             .consumer = memory_consumer,
                                             .share = memory_share,
                                             .bounds = memory_bounds,
                                             .read = memory_read,
                                             .read_head = memory_read_head,
                                             .trim = memory_trim,
                                             .skip_to = memory_skip_to,
                                             .backlog_bytes = memory_backlog_bytes,
                                             .wait = memory_wait,
                                             .stop = memory_stop,
                                             .free = memory_port_free};

/* ---- the whole ---- */

struct broker_memory *broker_memory_new(const struct broker_memory_options *options) {
    MUST(options->job_partitions > 0 && options->block_partitions > 0);
    struct broker_memory *memory = ALLOC(struct broker_memory);
    memory->options = *options;
    if (!memory->options.jobs_max) memory->options.jobs_max = JOBS_MAX;
    if (!memory->options.message_bytes_max) memory->options.message_bytes_max = MESSAGE_BYTES_MAX;
    memory->rng = rng_from_seed(options->seed);
    memory->logs = alloc_zero(options->block_partitions, sizeof *memory->logs);
    memory->jobs = job_queue_new(options->job_partitions, memory->options.jobs_max, JOBS_BYTES_MAX);
    return memory;
}

struct broker broker_memory_port(struct broker_memory *memory) {
    return (struct broker){&MEMORY_OPS, memory};
}

void broker_memory_settle_in_poll(struct broker_memory *memory, bool on) { memory->options.step_in_poll = on; }

void broker_memory_set_knobs(struct broker_memory *memory, struct broker_memory_knobs knobs) {
    memory->options.knobs = knobs;
}

void broker_memory_resume(struct broker_memory *memory) { memory->stopped = false; }

void broker_memory_lose_jobs(struct broker_memory *memory) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(JOB_BYTES_MAX);
    struct broker_message message;
    while (job_queue_take(memory->jobs, 0, &bytes, &message, NULL) != RC_ABSENT) buf_reset(&bytes);
}

uint64_t broker_memory_events(const struct broker_memory *memory) { return memory->events; }

void broker_memory_lose_tail(struct broker_memory *memory, uint32_t partition, uint64_t count) {
    MUST(partition < memory->options.block_partitions);
    struct memory_log *log = &memory->logs[partition];
    for (; count > 0 && log->count > 0; count--) {
        struct memory_message message = log->messages[--log->count];
        memory->kept_bytes -= memory_message_cost(message);
        free(message.at);
    }
}

void broker_memory_free(struct broker_memory *memory) {
    if (!memory) return;
    MUST(!memory->producers && memory->consumers == 0);
    for (uint32_t k = 0; k < memory->options.block_partitions; k++) {
        struct memory_log *log = &memory->logs[k];
        for (size_t i = 0; i < log->count; i++) free(log->messages[i].at);
        for (size_t i = 0; i < log->waiting_count; i++) free(log->waiting[i].message.at);
        free(log->messages);
        free(log->waiting);
    }
    free(memory->logs);
    job_queue_free(memory->jobs);
    free(memory->group);
    free(memory);
}
