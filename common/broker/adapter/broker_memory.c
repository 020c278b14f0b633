/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_memory.h"

#include "alloc.h"
#include "jobs.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "rng.h"

enum {
    JOBS_MAX = 65536,
    JOBS_BYTES_MAX = 1 << 30,
    MESSAGE_BYTES_MAX = 8 * 1024 * 1024,
    JOB_BYTES_MAX = 1 << 20,
    QUEUE_BYTES = 64 /* what a message counts beside its bytes, as broker.h says */
};

/* A message in a log; `at` is NULL where an offset was skipped. */
struct memory_message {
    char *at;
    size_t len;
};

struct under_way {
    struct memory_message message;
    uint64_t producer, cookie;
};

struct memory_log {
    struct memory_message *messages; /* of start, start + 1, ... */
    size_t count, room;
    uint64_t start;
    struct under_way *waiting; /* oldest first */
    size_t waiting_count, waiting_room;
};

struct memory_producer {
    struct memory_producer *next;
    struct broker_memory *memory;
    uint64_t number;
    bool failed;
    size_t queue_bytes, queued_bytes, queued;
    struct broker_ack *acks;
    size_t *ack_bytes;
    size_t ack_count, ack_room, ack_bytes_room;
};

struct broker_memory {
    struct broker_memory_options options;
    struct rng rng;
    struct memory_log *logs;
    struct jobs *jobs;
    struct memory_producer *producers;
    uint64_t producers_made;
    size_t consumers;
    uint64_t kept_bytes;
    char *group;
    bool stopped;
};

static bool by_chance(struct broker_memory *memory, uint32_t permille) {
    return permille > 0 && rng_below(&memory->rng, 1000) < permille;
}

static uint64_t log_end(const struct memory_log *log) { return log->start + log->count; }

static struct memory_message message_new(struct str head, struct str body) {
    struct memory_message message = {alloc_bytes(head.len + body.len + 1), head.len + body.len};
    if (head.len > 0) memcpy(message.at, head.at, head.len);
    if (body.len > 0) memcpy(message.at + head.len, body.at, body.len);
    return message;
}

static uint64_t message_cost(struct memory_message message) { return message.at ? message.len + QUEUE_BYTES : 0; }

/* ---- what is under way ---- */

static struct memory_producer *producer_find(struct broker_memory *memory, uint64_t number) {
    for (struct memory_producer *producer = memory->producers; producer; producer = producer->next)
        if (producer->number == number) return producer;
    return NULL;
}

static void log_put(struct broker_memory *memory, struct memory_log *log, struct memory_message message) {
    alloc_grow(&log->messages, &log->room, log->count + 1, sizeof message);
    log->messages[log->count++] = message;
    memory->kept_bytes += message_cost(message);
}

static void producer_ack(struct memory_producer *producer, struct broker_ack ack, size_t bytes) {
    alloc_grow(&producer->acks, &producer->ack_room, producer->ack_count + 1, sizeof ack);
    alloc_grow(&producer->ack_bytes, &producer->ack_bytes_room, producer->ack_count + 1, sizeof bytes);
    producer->ack_bytes[producer->ack_count] = bytes;
    producer->acks[producer->ack_count++] = ack;
}

static struct under_way take_waiting(struct memory_log *log, size_t i) {
    struct under_way taken = log->waiting[i];
    log->waiting_count--;
    memmove(log->waiting + i, log->waiting + i + 1, (log->waiting_count - i) * sizeof taken);
    return taken;
}

/* Cuts what a producer has under way to a log at a random place. */
static void cut_waiting(struct broker_memory *memory, struct memory_log *log, uint64_t producer) {
    uint64_t own = 0, kept = 0;
    for (size_t i = 0; i < log->waiting_count; i++) own += log->waiting[i].producer == producer;
    uint64_t keep = rng_below(&memory->rng, own + 1);
    for (size_t i = 0; i < log->waiting_count;) {
        if (log->waiting[i].producer != producer || kept++ < keep)
            i++;
        else
            free(take_waiting(log, i).message.at);
    }
}

static void cut_producer(struct broker_memory *memory, uint64_t producer) {
    for (uint32_t k = 0; k < memory->options.block_partitions; k++) cut_waiting(memory, &memory->logs[k], producer);
}

/* The oldest message of the producer whose message is at `i`. */
static size_t oldest_of_same(const struct memory_log *log, size_t i) {
    for (size_t j = 0; j < i; j++)
        if (log->waiting[j].producer == log->waiting[i].producer) return j;
    return i;
}

static void arrive(struct broker_memory *memory, uint32_t partition, size_t i) {
    struct memory_log *log = &memory->logs[partition];
    struct under_way taken = take_waiting(log, i);
    struct memory_producer *producer = producer_find(memory, taken.producer);
    uint64_t offset = log_end(log);
    log_put(memory, log, taken.message);
    if (!producer || producer->failed) return;
    producer_ack(producer, (struct broker_ack){taken.cookie, partition, offset, BROKER_BLOCKS},
                 taken.message.len + QUEUE_BYTES);
}

bool broker_memory_step(struct broker_memory *memory) {
    uint64_t sum = 0;
    for (uint32_t k = 0; k < memory->options.block_partitions; k++) sum += memory->logs[k].waiting_count;
    if (sum == 0) return false;
    uint64_t pick = rng_below(&memory->rng, sum);
    uint32_t partition = 0;
    while (pick >= memory->logs[partition].waiting_count) pick -= memory->logs[partition++].waiting_count;
    struct memory_log *log = &memory->logs[partition];
    size_t i = oldest_of_same(log, (size_t)pick);
    struct memory_producer *producer = producer_find(memory, log->waiting[i].producer);
    if (producer && !producer->failed && by_chance(memory, memory->options.knobs.producer_fails)) {
        producer->failed = true;
        cut_producer(memory, producer->number);
        return true;
    }
    arrive(memory, partition, i);
    return true;
}

void broker_memory_settle(struct broker_memory *memory) {
    while (broker_memory_step(memory)) {
    }
}

/* ---- producer ---- */

static RC append_job(struct memory_producer *producer, uint32_t partition, struct str head, struct str body,
                     uint64_t cookie, struct why *why) {
    struct broker_memory *memory = producer->memory;
    uint64_t offset = 0;
    partition %= memory->options.job_partitions;
    if (!by_chance(memory, memory->options.knobs.job_lost))
        TRY(jobs_put(memory->jobs, partition, head, body, &offset, why));
    producer_ack(producer, (struct broker_ack){cookie, partition, offset, BROKER_JOBS},
                 head.len + body.len + QUEUE_BYTES);
    return RC_OK;
}

static RC producer_append(void *self, enum broker_topic topic, uint32_t partition, struct str head, struct str body,
                          uint64_t cookie, struct why *why) {
    struct memory_producer *producer = self;
    struct broker_memory *memory = producer->memory;
    size_t bytes = head.len + body.len + QUEUE_BYTES;
    if (producer->failed) return why_set(why, RC_BROKEN, "broker: the producer has failed");
    if (topic == BROKER_BLOCKS && partition >= memory->options.block_partitions)
        return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
    if (head.len + body.len > memory->options.message_bytes_max)
        return why_set(why, RC_LIMIT, "broker: a message of %zu bytes", head.len + body.len);
    if (producer->queued > 0 && num_add(producer->queued_bytes, bytes) > producer->queue_bytes)
        return why_set(why, RC_BUSY, "broker: %zu bytes are not yet acknowledged", producer->queued_bytes);
    if (topic == BROKER_JOBS) {
        TRY(append_job(producer, partition, head, body, cookie, why));
    } else {
        struct memory_log *log = &memory->logs[partition];
        alloc_grow(&log->waiting, &log->waiting_room, log->waiting_count + 1, sizeof *log->waiting);
        log->waiting[log->waiting_count++] = (struct under_way){message_new(head, body), producer->number, cookie};
    }
    producer->queued++;
    producer->queued_bytes += bytes;
    return RC_OK;
}

static RC producer_poll(void *self, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n,
                        struct why *why) {
    struct memory_producer *producer = self;
    (void)wait_ms;
    if (producer->memory->options.step_in_poll) broker_memory_settle(producer->memory);
    size_t n = MIN(max, producer->ack_count);
    if (n == 0 && producer->failed) return why_set(why, RC_BROKEN, "broker: the producer has failed");
    for (size_t i = 0; i < n; i++) {
        out[i] = producer->acks[i];
        producer->queued_bytes -= producer->ack_bytes[i];
    }
    producer->queued -= n;
    producer->ack_count -= n;
    if (producer->ack_count > 0) {
        memmove(producer->acks, producer->acks + n, producer->ack_count * sizeof *producer->acks);
        memmove(producer->ack_bytes, producer->ack_bytes + n, producer->ack_count * sizeof *producer->ack_bytes);
    }
    *out_n = n;
    return RC_OK;
}

static void producer_free(void *self) {
    struct memory_producer *producer = self;
    struct broker_memory *memory = producer->memory;
    if (!producer->failed) cut_producer(memory, producer->number);
    struct memory_producer **link = &memory->producers;
    while (*link != producer) link = &(*link)->next;
    *link = producer->next;
    free(producer->acks);
    free(producer->ack_bytes);
    free(producer);
}

static const struct broker_producer_ops PRODUCER_OPS = {producer_append, producer_poll, producer_free};

static RC memory_producer(void *self, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    struct broker_memory *memory = self;
    (void)why;
    struct memory_producer *producer = ALLOC(struct memory_producer);
    *producer = (struct memory_producer){
        .next = memory->producers, .memory = memory, .number = ++memory->producers_made, .queue_bytes = queue_bytes};
    memory->producers = producer;
    *out = (struct broker_producer){&PRODUCER_OPS, producer};
    return RC_OK;
}

/* ---- jobs ---- */

static RC consumer_next(void *self, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
                        struct why *why) {
    struct broker_memory *memory = self;
    (void)wait_ms;
    if (memory->stopped) return why_set(why, RC_STOP, "broker: stopping");
    struct broker_message message;
    TRY(jobs_take(memory->jobs, 0, out_bytes, &message, why));
    uint64_t offset;
    if (by_chance(memory, memory->options.knobs.job_repeated)) /* RC_BUSY: then it is not repeated */
        (void)!jobs_put(memory->jobs, message.partition, message.bytes, STR(""), &offset, NULL);
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
    if (offset < log->start || offset >= log_end(log) || !log->messages[offset - log->start].at)
        return why_set(why, RC_ABSENT, "broker: partition %u has no message %llu", partition,
                       (unsigned long long)offset);
    *out = log->messages[offset - log->start];
    return RC_OK;
}

static RC memory_partitions(void *self, enum broker_topic topic, uint32_t *out, struct why *why) {
    const struct broker_memory *memory = self;
    (void)why;
    *out = topic == BROKER_JOBS ? memory->options.job_partitions : memory->options.block_partitions;
    return RC_OK;
}

static RC memory_bounds(void *self, uint32_t partition, uint64_t *out_start, uint64_t *out_end, struct why *why) {
    struct memory_log *log;
    TRY(log_of(self, partition, &log, why));
    *out_start = log->start;
    *out_end = log_end(log);
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
    uint64_t end = log_end(log);
    before = MIN(before, end);
    if (before <= log->start) return RC_OK;
    size_t gone = (size_t)(before - log->start);
    for (size_t i = 0; i < gone; i++) {
        memory->kept_bytes -= message_cost(log->messages[i]);
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
    if (offset < log_end(log))
        return why_set(why, RC_BAD, "broker: cannot skip back to %llu", (unsigned long long)offset);
    MUST(offset - log_end(log) < 1u << 24); /* a gap costs memory here, and no simulation needs a larger one */
    while (log_end(log) < offset) log_put(memory, log, (struct memory_message){NULL, 0});
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
    if (log_end(log) > offset) return RC_OK;
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
    memory->jobs = jobs_new(options->job_partitions, memory->options.jobs_max, JOBS_BYTES_MAX);
    return memory;
}

struct broker broker_memory_port(struct broker_memory *memory) {
    return (struct broker){&MEMORY_OPS, memory};
}

void broker_memory_set_knobs(struct broker_memory *memory, struct broker_memory_knobs knobs) {
    memory->options.knobs = knobs;
}

void broker_memory_resume(struct broker_memory *memory) { memory->stopped = false; }

void broker_memory_lose_jobs(struct broker_memory *memory) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(JOB_BYTES_MAX);
    struct broker_message message;
    while (jobs_take(memory->jobs, 0, &bytes, &message, NULL) != RC_ABSENT) buf_reset(&bytes);
}

void broker_memory_lose_tail(struct broker_memory *memory, uint32_t partition, uint64_t count) {
    MUST(partition < memory->options.block_partitions);
    struct memory_log *log = &memory->logs[partition];
    for (; count > 0 && log->count > 0; count--) {
        struct memory_message message = log->messages[--log->count];
        memory->kept_bytes -= message_cost(message);
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
    jobs_free(memory->jobs);
    free(memory->group);
    free(memory);
}
