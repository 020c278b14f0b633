/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"

#include "alloc.h"
#include "arena.h"
#include "blocks.h"
#include "committer.h"
#include "cut.h"
#include "job.h"
#include "log.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "reader.h"
#include "stopwatch.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_WORK = 256 * 1024, /* piece in which line ends are looked for beyond the window */
    ACKS = 256,
    APPEND_TRIES =
        600, /* times APPEND_WAIT_MS: how long a full producer may hold a lane before the attempt is given up */
    APPEND_WAIT_MS = 100,
    DECISION_WAIT_MS = 20,
};

/* A job that is being converted, or whose attempts are under way. */
struct work {
    struct worker_key key;
    uint32_t refs; /* the lane's, and one for each flight */
    bool lost;     /* an attempt of it lost: what comes behind it will too */
};

/* An attempt that is published. */
struct flight {
    struct submission submission;
    struct work *work;
    struct flight *next;
    uint64_t number;
    uint32_t unacked;
    uint64_t unacked_bytes;
    bool submitted, published;
    const struct worker_source *source;
    struct slice_counts counts;
};

/* Where the current job stands. */
struct task {
    struct work *work; /* NULL: no task */
    struct job job;    /* strings in the lane's job arena */
    const struct worker_source *source;
    size_t source_index;
    struct reader reader;
    uint64_t at;           /* where the next attempt begins */
    struct id predecessor; /* the attempt that ends there */
    uint64_t tail_hash;    /* of the bytes before `at`, where there is a predecessor */
    uint64_t lines;        /* of the stripe before `at` */
    uint64_t *ends;
    size_t ends_len;
    uint32_t ends_total;
};

struct lane {
    struct worker *worker;
    struct broker_consumer consumer;
    struct broker_producer producer;
    bool producer_broken, draining;
    struct rng rng;
    struct converter **converters; /* one a source, made when first needed */
    struct slice *slice;
    struct blocks *blocks;
    char *window;
    size_t window_room; /* without the padding */
    size_t slice_bytes; /* of the next window */
    char *line_work;
    struct buf message;
    struct arena job_arena;
    struct task task;
    struct flight *first, **last;
    uint64_t flights, next_number, unacked_bytes, bytes_won;
    struct flight *publishing; /* whose messages are being appended */
};

/* ---- life ---- */

static enum rc append_message(void *context, uint32_t partition, struct str head, struct str body, struct why *why);

RC lane_new(struct worker *worker, struct rng rng, struct lane **out, struct why *why) {
    const struct worker_settings *s = worker_settings(worker);
    const struct worker_ports *ports = worker_ports(worker);
    struct lane *l = ALLOC(struct lane);
    l->worker = worker;
    l->rng = rng;
    l->last = &l->first;
    l->message = BUF_INIT(JOB_MESSAGE_MAX);
    l->converters = alloc_zero(s->sources_len, sizeof(struct converter *));
    l->slice = slice_new((struct slice_limits){0});
    l->line_work = alloc_bytes(LINE_WORK);
    l->slice_bytes = s->slice_bytes_min;
    struct blocks_settings blocks = {s->format, s->level, s->block_bytes, worker_partitions(worker), append_message, l};
    l->blocks = blocks_new(&blocks);
    enum rc rc = broker_consumer_new(ports->broker, STR("workers"), &l->consumer, why);
    if (rc == RC_OK) rc = broker_producer_new(ports->broker, s->lane_bytes, &l->producer, why);
    if (rc != RC_OK) {
        lane_free(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

static void work_release(struct lane *l, struct work *work) {
    if (--work->refs) return;
    worker_give_back(l->worker, work->key);
    free(work);
}

static void task_end(struct lane *l) {
    if (!l->task.work) return;
    reader_close(&l->task.reader);
    work_release(l, l->task.work);
    free(l->task.ends);
    l->task = (struct task){0};
    metric_add(METRIC_JOBS_DONE, 1);
}

/* Forgets an attempt that is not with the committer. */
static void flight_forget(struct lane *l, struct flight *f) {
    l->unacked_bytes -= f->unacked_bytes;
    work_release(l, f->work);
    l->flights--;
    free(f);
}

static void forget_all(struct lane *l) {
    task_end(l);
    while (l->first) {
        struct flight *f = l->first;
        l->first = f->next;
        flight_forget(l, f);
    }
    l->last = &l->first;
}

void lane_free(struct lane *l) {
    if (!l) return;
    forget_all(l);
    if (l->consumer.ops) broker_consumer_free(l->consumer);
    if (l->producer.ops) broker_producer_free(l->producer);
    for (size_t i = 0; i < worker_settings(l->worker)->sources_len; i++) converter_free(l->converters[i]);
    free(l->converters);
    slice_free(l->slice);
    blocks_free(l->blocks);
    buf_done(&l->message);
    arena_done(&l->job_arena);
    free(l->window);
    free(l->line_work);
    free(l);
}

void lane_drain(struct lane *l) { l->draining = true; }

void lane_look(const struct lane *l, struct lane_view *out) {
    *out = (struct lane_view){.flights = l->flights, .bytes_won = l->bytes_won, .working = l->task.work != NULL};
}

/* ---- acknowledgements and decisions ---- */

static void acknowledged(struct lane *l, const struct broker_ack *ack) {
    worker_acknowledge(l->worker, ack->partition, ack->offset);
    for (struct flight *f = l->first; f; f = f->next) {
        if (f->number != ack->cookie) continue;
        MUST(f->unacked > 0);
        f->unacked--;
        if (!f->unacked && f->published) {
            l->unacked_bytes -= f->unacked_bytes;
            f->unacked_bytes = 0;
        }
        return;
    }
}

/* In the order of the ranges: a successor is never asked before its predecessor. */
static void submit_ready(struct lane *l) {
    for (struct flight *f = l->first; f && f->published && !f->unacked; f = f->next) {
        if (f->submitted) continue;
        f->submitted = true;
        committer_submit(worker_committer(l->worker), &f->submission);
    }
}

static RC take_acks(struct lane *l, uint64_t wait_ms, struct why *why) {
    struct broker_ack acks[ACKS];
    size_t n = 0;
    do {
        enum rc rc = broker_poll(l->producer, wait_ms, acks, ACKS, &n, why);
        if (rc == RC_BROKEN) { /* the next step makes it anew */
            l->producer_broken = true;
            return RC_BUSY;
        }
        if (rc != RC_OK) return rc;
        for (size_t i = 0; i < n; i++) acknowledged(l, &acks[i]);
        wait_ms = 0;
    } while (n == ACKS);
    submit_ready(l);
    return RC_OK;
}

static void count_won(struct lane *l, const struct flight *f) {
    const struct ledger_advance *a = &f->submission.ask;
    uint64_t bytes = a->attempt.to - a->attempt.from;
    l->bytes_won += bytes;
    metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_WON, 1);
    metric_add_at(METRIC_LINES_READ, f->source->metric_label, f->counts.lines);
    metric_add_at(METRIC_BYTES_READ, f->source->metric_label, bytes);
    metric_add(METRIC_RECORDS, f->counts.records);
    metric_add(METRIC_BLANK, f->counts.blank);
    metric_add(METRIC_OVERFLOW, f->counts.overflow);
    for (size_t i = 1; i < REASON_COUNT; i++)
        if (f->counts.reasons[i])
            metric_add_at(METRIC_REJECTS,
                          metric_label(LABEL_REASON, str_of(converter_reason_name((enum converter_reason)i))),
                          f->counts.reasons[i]);
}

static void retire_decided(struct lane *l) {
    while (l->first && l->first->submitted) {
        struct flight *f = l->first;
        enum ledger_decision decision = (enum ledger_decision)atomic_load(&f->submission.decision);
        if (decision == LEDGER_UNDECIDED) return;
        if (decision == LEDGER_WON)
            count_won(l, f);
        else {
            metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_LOST, 1);
            f->work->lost = true;
        }
        l->first = f->next;
        if (!l->first) l->last = &l->first;
        flight_forget(l, f);
    }
}

/* A producer that failed takes with it all that was not submitted: nobody knows what of it is in the log. */
static RC renew_producer(struct lane *l, struct why *why) {
    const struct worker_ports *ports = worker_ports(l->worker);
    if (l->task.work) task_end(l);
    struct flight **link = &l->first;
    while (*link) {
        struct flight *f = *link;
        if (f->submitted) {
            link = &f->next;
            continue;
        }
        *link = f->next;
        flight_forget(l, f);
    }
    l->last = link;
    if (l->producer.ops) broker_producer_free(l->producer);
    l->producer = (struct broker_producer){0};
    TRY(broker_producer_new(ports->broker, worker_settings(l->worker)->lane_bytes, &l->producer, why));
    l->producer_broken = false;
    return RC_OK;
}

/* ---- taking a job ---- */

static RC converter_of(struct lane *l, size_t source, struct converter **out, struct why *why) {
    if (!l->converters[source])
        TRY(converter_new(&worker_settings(l->worker)->sources[source].converter, &l->converters[source], why));
    *out = l->converters[source];
    return RC_OK;
}

static bool find_source(const struct lane *l, struct str name, size_t *out) {
    const struct worker_settings *s = worker_settings(l->worker);
    for (size_t i = 0; i < s->sources_len; i++)
        if (str_equal(s->sources[i].name, name)) {
            *out = i;
            return true;
        }
    return false;
}

/* The checkpoint tells where to go on; RC_ABSENT: nothing to do. */
static RC begin_at_checkpoint(struct lane *l, struct why *why) {
    struct task *t = &l->task;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_stripe ask = {t->job.file, t->job.stripe};
    struct ledger_checkpoint c;
    TRY(ledger_checkpoints(worker_ledger(l->worker), &ask, 1, &arena, &c, why));
    uint64_t grid = t->job.facts.stripe_bytes;
    if (!c.found || c.set_aside || c.at >= MIN(t->job.ready, stripe_end(t->job.stripe, grid))) return RC_ABSENT;
    t->at = c.at;
    t->predecessor = c.winner;
    t->tail_hash = c.tail_hash;
    t->lines = c.counts.lines;
    t->ends = alloc_bytes(c.ends_len * sizeof *t->ends);
    if (c.ends_len) memcpy(t->ends, c.ends, c.ends_len * sizeof *t->ends);
    t->ends_len = c.ends_len;
    t->ends_total = c.ends_total;
    return RC_OK;
}

/* How a job ends that cannot be done now. Nothing is lost: the emitter says it again. */
static RC job_failed(struct lane *l, enum rc rc, const struct why *why) {
    struct task *t = &l->task;
    metric_add_at(METRIC_ERRORS, (uint32_t)rc, 1);
    if (rc == RC_ABSENT || rc == RC_STALE) {
        LOG_DEBUG("job is out of date", F_STR("file", t->job.facts.uri), F_U64("stripe", t->job.stripe),
                  F_STR("error", str_of(why->text)));
        task_end(l);
        return RC_OK;
    }
    uint32_t failures = 0;
    struct why local = {0};
    struct ledger_stripe stripe = {t->job.file, t->job.stripe};
    LOG_WARN("job failed", F_STR("file", t->job.facts.uri), F_U64("stripe", t->job.stripe), F_U64("offset", t->at),
             F_RC(rc), F_STR("error", str_of(why->text)));
    enum rc told = ledger_job_failed(worker_ledger(l->worker), stripe, str_of(why->text),
                                     worker_settings(l->worker)->jobs_attempts_max, &failures, &local);
    if (told == RC_OK && failures >= worker_settings(l->worker)->jobs_attempts_max)
        metric_add(METRIC_JOBS_SET_ASIDE, 1);
    task_end(l);
    return told == RC_ABSENT ? RC_OK : told;
}

static RC open_task(struct lane *l, struct why *why) {
    struct task *t = &l->task;
    TRY(reader_open(&t->reader, worker_ports(l->worker)->source, &t->job, why));
    return reader_check(&t->reader, &t->job, t->at, !id_is_none(t->predecessor), t->tail_hash, why);
}

/* True where the rc is about this one file and not about us or our servers. */
static bool is_of_the_file(enum rc rc) {
    return rc == RC_ABSENT || rc == RC_STALE || rc == RC_BAD || rc == RC_BROKEN || rc == RC_DENIED;
}

static RC take_job(struct lane *l, struct str bytes, struct why *why) {
    struct task *t = &l->task;
    struct job job;
    struct why bad = {0};
    enum rc rc = job_decode(bytes, &job, &bad);
    size_t source = 0;
    if (rc == RC_OK && !find_source(l, job.facts.source, &source))
        rc = why_set(&bad, RC_BAD, "source %.*s is not in this configuration", STR_ARG(job.facts.source));
    if (rc != RC_OK) {
        LOG_ERROR("job cannot be understood", F_STR("error", str_of(bad.text)));
        return RC_OK;
    }
    struct worker_key key = {job.file, job.stripe};
    if (!worker_take(l->worker, key)) return RC_OK; /* in work by another lane */
    arena_reset(&l->job_arena);
    job.facts.source = arena_str(&l->job_arena, job.facts.source);
    job.facts.uri = arena_str(&l->job_arena, job.facts.uri);
    struct work *work = ALLOC(struct work);
    *work = (struct work){.key = key, .refs = 1};
    *t = (struct task){
        .work = work, .job = job, .source = &worker_settings(l->worker)->sources[source], .source_index = source};
    rc = begin_at_checkpoint(l, why);
    if (rc != RC_OK) {
        task_end(l);
        return rc == RC_ABSENT ? RC_OK : rc;
    }
    rc = open_task(l, &bad);
    if (rc == RC_OK) return RC_OK;
    if (is_of_the_file(rc)) return job_failed(l, rc, &bad);
    task_end(l); /* not the file's fault: the job is said again */
    if (why) *why = bad;
    return rc;
}

/* A lane without work holds no window: it is most of what the process has in memory. */
static void window_drop(struct lane *l) {
    free(TAKE(l->window));
    l->window_room = 0;
}

static RC next_job(struct lane *l, uint64_t wait_ms, bool *out_idle, struct why *why) {
    struct broker_message message;
    enum rc rc = broker_next(l->consumer, wait_ms, &l->message, &message, why);
    *out_idle = rc == RC_ABSENT;
    if (rc == RC_ABSENT && wait_ms) window_drop(l);
    if (rc == RC_ABSENT) return RC_OK;
    if (rc != RC_OK) return rc;
    return take_job(l, message.bytes, why);
}

/* ---- converting ---- */

/* Appends, waiting for room where the producer is full. */
static enum rc append_message(void *context, uint32_t partition, struct str head, struct str body, struct why *why) {
    struct lane *l = context;
    struct flight *f = l->publishing;
    for (int i = 0; i < APPEND_TRIES; i++) {
        enum rc rc = broker_append(l->producer, BROKER_BLOCKS, partition, head, body, f->number, why);
        if (rc == RC_BROKEN) l->producer_broken = true;
        if (rc != RC_BUSY) {
            if (rc != RC_OK) return rc;
            f->unacked++;
            f->unacked_bytes += head.len + body.len;
            l->unacked_bytes += head.len + body.len;
            return RC_OK;
        }
        TRY(take_acks(l, APPEND_WAIT_MS, why));
    }
    return why_set(why, RC_BUSY, "the queue takes no more blocks");
}

static struct flight *flight_new(struct lane *l, uint64_t to) {
    struct task *t = &l->task;
    struct flight *f = ALLOC(struct flight);
    f->work = t->work;
    f->work->refs++;
    f->number = l->next_number++;
    f->source = t->source;
    f->submission.ask.attempt = (struct attempt){.generation = worker_ports(l->worker)->ledger.at.generation,
                                                 .file = t->job.file,
                                                 .stripe = t->job.stripe,
                                                 .from = t->at,
                                                 .to = to,
                                                 .id = id_make(&l->rng),
                                                 .predecessor = t->predecessor,
                                                 .epoch = worker_ledger(l->worker).at.epoch};
    *l->last = f;
    l->last = &f->next;
    l->flights++;
    return f;
}

/* The attempt that could not be published whole is the last in the list: it goes, and the task with it. */
static void flight_abandon(struct lane *l, struct flight *f) {
    struct flight **link = &l->first;
    while (*link != f) link = &(*link)->next;
    MUST(!f->next);
    *link = NULL;
    l->last = link;
    flight_forget(l, f);
    task_end(l);
}

/* What was found for the next attempt. */
struct found {
    uint64_t to;
    bool closed;
    const struct slice_result *result; /* NULL: a range without lines */
};

static struct counts counts_of(const struct slice_result *r) {
    if (!r) return (struct counts){0};
    const struct slice_counts *c = &r->counts;
    return (struct counts){c->lines, c->converted, c->rejects, c->filtered, c->blank, c->records};
}

static RC publish(struct lane *l, const struct found *found, struct why *why) {
    struct task *t = &l->task;
    uint64_t tail = 0;
    TRY(reader_tail(&t->reader, found->to, &tail, why));
    TRY(reader_check(&t->reader, &t->job, t->at, !id_is_none(t->predecessor), t->tail_hash, why));
    struct flight *f = flight_new(l, found->to);
    struct ledger_advance *ask = &f->submission.ask;
    struct block_trailer trailer = {.attempt = ask->attempt,
                                    .facts = t->job.facts,
                                    .counts = counts_of(found->result),
                                    .tail_hash = tail,
                                    .closed = found->closed};
    l->publishing = f;
    enum rc rc = blocks_publish(l->blocks, found->result, &trailer, &ask->messages, why);
    l->publishing = NULL;
    if (rc != RC_OK) {
        flight_abandon(l, f);
        return rc == RC_STALE ? RC_BUSY : rc;
    }
    f->published = true;
    if (found->result) f->counts = found->result->counts;
    ask->counts = trailer.counts;
    ask->tail_hash = tail;
    ask->ends_seen = t->ends_total;
    ask->closed = found->closed;
    t->predecessor = ask->attempt.id;
    t->tail_hash = tail;
    t->at = found->to;
    t->lines += trailer.counts.lines;
    return RC_OK;
}

static void window_fit(struct lane *l, size_t bytes) {
    if (bytes <= l->window_room) return;
    free(l->window);
    l->window = alloc_bytes(bytes + JSON_PADDING);
    memset(l->window + bytes, 0, JSON_PADDING);
    l->window_room = bytes;
}

static void slice_start(struct lane *l, struct converter *converter) {
    const struct task *t = &l->task;
    struct slice_place place = {.uri = t->job.facts.uri,
                                .file = t->job.file,
                                .generation = worker_ports(l->worker)->ledger.at.generation,
                                .stripe = t->job.stripe,
                                .line_in_stripe = t->lines};
    slice_begin(l->slice, converter, &place);
}

/* From the length of a line with its LF to that of its text: without the CR of a CRLF, too. */
static RC text_length(const struct reader *reader, uint64_t at, uint64_t *length, struct why *why) {
    char before = 0;
    TRY(reader_read(reader, at + *length - 2, &before, 1, why));
    *length -= before == '\r' ? 2 : 1;
    return RC_OK;
}

/* A line that is longer than the window: find its end without keeping it. RC_ABSENT: it has none yet. */
static RC skip_long_line(struct lane *l, uint64_t at, size_t window, struct found *out, struct why *why) {
    struct task *t = &l->task;
    struct converter *converter = NULL;
    TRY(converter_of(l, t->source_index, &converter, why));
    uint64_t next_end = cut_next_end(t->ends, t->ends_len, at + 1);
    struct reader_lines search = {
        .from = at + window, .below = MIN(t->job.ready, next_end), .work = l->line_work, .work_bytes = LINE_WORK};
    uint64_t end = 0;
    enum rc rc = reader_line_end(&t->reader, &search, &end, why);
    bool newline = rc == RC_OK;
    if (rc == RC_ABSENT && next_end <= t->job.ready) {
        end = next_end;
        rc = RC_OK;
    }
    if (rc != RC_OK) return rc;
    slice_start(l, converter);
    struct str head = {l->window, MIN(window, (size_t)SLICE_RAW_MAX)};
    uint64_t length = end - at;
    if (newline) TRY(text_length(&t->reader, at, &length, why));
    slice_add_too_long(l->slice, at, length, head);
    *out = (struct found){end, end == next_end, slice_result(l->slice)};
    return RC_OK;
}

/* Whole lines from the line start `at` on. RC_ABSENT: none is complete. */
static RC convert_lines(struct lane *l, uint64_t at, struct found *out, struct why *why) {
    struct task *t = &l->task;
    const struct worker_settings *s = worker_settings(l->worker);
    uint64_t grid = t->job.facts.stripe_bytes;
    size_t most = MAX((size_t)WORKER_SLICE_MAX, (size_t)t->source->max_line_bytes + 2);
    size_t want = MIN(MAX(l->slice_bytes, s->slice_bytes_min), most);
    for (;;) {
        size_t len = (size_t)MIN(t->job.ready - at, (uint64_t)want);
        window_fit(l, len);
        struct stopwatch watch;
        stopwatch_start(&watch);
        TRY(reader_read(&t->reader, at, l->window, len, why));
        stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_READ);
        struct cut_ask ask = {{l->window, len}, at,      stripe_end(t->job.stripe, grid),
                              t->job.ready,     t->ends, t->ends_len};
        struct cut cut = cut_lines(&ask);
        if (cut.kind == CUT_WAIT) return RC_ABSENT;
        if (cut.kind == CUT_LONGER && want <= t->source->max_line_bytes + 1) {
            want = (size_t)MIN((uint64_t)want * 4, t->source->max_line_bytes + 2);
            continue;
        }
        if (cut.kind == CUT_LONGER) return skip_long_line(l, at, len, out, why);
        struct converter *converter = NULL;
        TRY(converter_of(l, t->source_index, &converter, why));
        size_t taken = 0;
        slice_start(l, converter);
        slice_add(l->slice, (struct str){l->window, cut.bytes}, at, &taken);
        stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_CONVERT);
        *out = (struct found){at + taken, cut.closed && taken == cut.bytes, slice_result(l->slice)};
        return RC_OK;
    }
}

/* The slice is large enough that each output gets large blocks, and no larger. */
static void adapt_slice(struct lane *l, const struct found *found) {
    const struct worker_settings *s = worker_settings(l->worker);
    if (!found->result) return;
    size_t want = found->result->output_count * (size_t)s->block_bytes;
    size_t most = MIN((size_t)WORKER_SLICE_MAX, (size_t)s->lane_bytes / 2);
    l->slice_bytes = MAX(MIN(want, most), s->slice_bytes_min);
}

/* Where the first line of the range starts. A stripe that nothing was converted of has to look for it; RC_ABSENT with
 * *out_found: no line starts in it, and the range without lines is in *out_found; without: not known yet. */
static RC first_line(struct lane *l, uint64_t *out_at, struct found *out_found, struct why *why) {
    struct task *t = &l->task;
    uint64_t end = stripe_end(t->job.stripe, t->job.facts.stripe_bytes);
    *out_at = t->at;
    if (!id_is_none(t->predecessor)) return RC_OK;
    struct reader_lines search = {t->at, MIN(end, t->job.ready), t->ends, t->ends_len, l->line_work, LINE_WORK};
    enum rc rc = reader_line_start(&t->reader, &search, out_at, why);
    if (rc != RC_ABSENT) return rc;
    bool to_stripe_end = t->job.ready >= end;
    if (to_stripe_end || t->job.closed)
        *out_found = (struct found){to_stripe_end ? end : t->job.ready, !to_stripe_end, NULL};
    return RC_ABSENT;
}

/* One slice: RC_ABSENT when the job is done with for now. */
static RC convert_slice(struct lane *l, struct why *why) {
    struct task *t = &l->task;
    uint64_t end = stripe_end(t->job.stripe, t->job.facts.stripe_bytes), at = 0;
    if (t->work->lost || t->at >= MIN(end, t->job.ready)) return RC_ABSENT;
    struct found found = {0};
    enum rc rc = first_line(l, &at, &found, why);
    if (rc == RC_OK)
        rc = convert_lines(l, at, &found, why);
    else if (rc == RC_ABSENT && found.to)
        rc = RC_OK;
    if (rc != RC_OK) return rc;
    adapt_slice(l, &found);
    return publish(l, &found, why);
}

static RC convert_step(struct lane *l, struct why *why) {
    struct why local = {0};
    enum rc rc = convert_slice(l, &local);
    if (rc == RC_OK) return RC_OK;
    if (rc == RC_ABSENT || (l->task.work && l->task.work->lost)) {
        task_end(l);
        return RC_OK;
    }
    if (l->task.work && is_of_the_file(rc) && !l->producer_broken) return job_failed(l, rc, &local);
    task_end(l);
    if (why) *why = local;
    return l->producer_broken ? RC_BUSY : rc;
}

/* ---- the step ---- */

static bool has_room(const struct lane *l) {
    return l->flights < WORKER_FLIGHTS_MAX && l->unacked_bytes < worker_settings(l->worker)->lane_bytes / 2;
}

static RC backlog_is_full(struct lane *l, bool *out, struct why *why) {
    uint64_t bytes = 0;
    TRY(broker_backlog_bytes(worker_ports(l->worker)->broker, &bytes, why));
    *out = bytes >= worker_settings(l->worker)->backlog_bytes_max;
    return RC_OK;
}

/* Nothing to convert now, but attempts are under way. */
static RC wait_for_flights(struct lane *l, uint64_t wait_ms, struct why *why) {
    struct stopwatch watch;
    stopwatch_start(&watch);
    bool unacked = false;
    for (const struct flight *f = l->first; f && !unacked; f = f->next) unacked = f->unacked > 0;
    enum rc rc = RC_OK;
    if (unacked)
        rc = take_acks(l, MIN(wait_ms, (uint64_t)DECISION_WAIT_MS), why);
    else if (wait_ms)
        committer_wait_decided(worker_committer(l->worker), MIN(wait_ms, (uint64_t)DECISION_WAIT_MS));
    stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_WAIT);
    return rc;
}

RC lane_step(struct lane *l, uint64_t wait_ms, bool *out_idle, struct why *why) {
    *out_idle = false;
    if (l->producer_broken) return renew_producer(l, why);
    if (l->flights) {
        TRY(take_acks(l, 0, why));
        retire_decided(l);
    }
    bool full = false;
    TRY(backlog_is_full(l, &full, why));
    if (!has_room(l) || (full && l->flights)) return wait_for_flights(l, wait_ms, why);
    if (full) {
        *out_idle = true; /* the loop waits: only the uploader makes room */
        return RC_OK;
    }
    if (l->task.work) return convert_step(l, why);
    if (l->draining) {
        *out_idle = !l->flights;
        return l->flights ? wait_for_flights(l, wait_ms, why) : RC_OK;
    }
    if (!l->flights) return next_job(l, wait_ms, out_idle, why);
    TRY(next_job(l, 0, out_idle, why));
    if (!*out_idle) return RC_OK;
    *out_idle = false;
    return wait_for_flights(l, wait_ms, why);
}
