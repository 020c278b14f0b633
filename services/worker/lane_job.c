/* SPDX-License-Identifier: Apache-2.0 */
/* lane_job: from a job to a task: its checkpoint, its file, and how it ends. */
#include "lane_inner.h"

#include "alloc.h"
#include "kept.h"
#include "lines.h"
#include "log.h"
#include "metric.h"
#include "num.h"
#include "own.h"
#include "reject_uri.h"

#include <stdlib.h>
#include <string.h>

void lane_task_end(struct lane *l) {
    if (!l->task.work) return;
    reader_close(&l->task.reader);
    lane_work_release(l, l->task.work);
    free(l->task.ends);
    l->task = (struct task){0};
    metric_add(METRIC_JOBS_DONE, 1);
}

/* The first line of the file, wherever in it the task is: up to the first LF, or the end of what is ready. Closed ends
 * do not matter: a record behind the first line knows it whole, and one before has none. That it is the line of this
 * incarnation is seen like that of all other bytes: by reader_check() between reading and publishing. */
static RC read_head(struct lane *l, struct converter *converter, struct why *why) {
    struct task *t = &l->task;
    size_t most = (size_t)MIN(t->job.ready, (uint64_t)CONVERTER_HEAD_MAX);
    AUTO(own_free) char *bytes = alloc_bytes(most);
    TRY(reader_read(&t->reader, 0, bytes, most, why));
    size_t end = converter_record_end(converter, (struct str){bytes, most}, t->job.ready < CONVERTER_HEAD_MAX);
    converter_head(converter, lines_text((struct str){bytes, end ? end : most}), end > 0);
    return RC_OK;
}

bool lane_spans_lines(const struct lane *l, const struct converter *converter) {
    return converter_spans_lines(converter) && !reject_uri_is(l->task.job.facts.uri);
}

RC lane_converter(struct lane *l, struct converter **out, struct why *why) {
    struct task *t = &l->task;
    size_t source = t->source_index;
    if (!l->converters[source]) TRY(converter_new(&t->source->converter, &l->converters[source], why));
    struct converter *converter = l->converters[source];
    uint64_t grid = t->job.facts.stripe_bytes;
    if (lane_spans_lines(l, converter) && t->job.ready > grid)
        return why_set(why, RC_DENIED,
                       "%.*s was first seen when its records were single lines, and has a grid of %llu bytes, which "
                       "would cut its rows; give it another name or the pipeline a new state and output",
                       STR_ARG(t->job.facts.uri), (unsigned long long)grid);
    if (!t->headed && converter_needs_head(converter)) TRY(read_head(l, converter, why));
    t->headed = true;
    *out = converter;
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
    struct ledger ledger = worker_ledger(l->worker);
    TRY(ledger_checkpoints(ledger, &ask, 1, &arena, &c, why));
    uint64_t grid = t->job.facts.stripe_bytes;
    if (!c.found || c.set_aside || c.at >= MIN(t->job.ready, stripe_end(t->job.stripe, grid))) return RC_ABSENT;
    t->epoch = ledger.at.epoch;
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
RC lane_job_failed(struct lane *l, enum rc rc, const struct why *why) {
    struct task *t = &l->task;
    metric_add_at(METRIC_ERRORS, (uint32_t)rc, 1);
    if (rc == RC_ABSENT || rc == RC_STALE) {
        LOG_DEBUG("job is out of date", F_STR("file", t->job.facts.uri), F_U64("stripe", t->job.stripe),
                  F_STR("error", str_of(why->text)));
        lane_task_end(l);
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
    lane_task_end(l);
    return told == RC_ABSENT ? RC_OK : told;
}

static RC open_task(struct lane *l, struct why *why) {
    struct task *t = &l->task;
    bool decoded = t->source->view.ops && !reject_uri_is(t->job.facts.uri);
    struct source view = decoded ? t->source->view : worker_ports(l->worker)->source;
    TRY(reader_open(&t->reader, view, &t->job, why));
    return reader_check(&t->reader, &t->job, t->at, !id_is_none(t->predecessor), t->tail_hash, why);
}

/* True where the rc is about this one file and not about us or our servers. */
bool lane_is_of_the_file(enum rc rc) {
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
    job.at = arena_str(&l->job_arena, job.at);
    struct work *work = alloc_zero(1, sizeof *work + bytes.len);
    *work = (struct work){.key = key, .refs = 1, .job_len = bytes.len};
    memcpy(work->job, bytes.at, bytes.len);
    *t = (struct task){
        .work = work, .job = job, .source = &worker_settings(l->worker)->sources[source], .source_index = source};
    if (l->kept) kept_forget(l->kept);
    rc = begin_at_checkpoint(l, why);
    if (rc != RC_OK) {
        lane_task_end(l);
        return rc == RC_ABSENT ? RC_OK : rc;
    }
    rc = open_task(l, &bad);
    if (rc == RC_OK) return RC_OK;
    if (lane_is_of_the_file(rc)) return lane_job_failed(l, rc, &bad);
    lane_task_end(l); /* not the file's fault: the job is said again */
    if (why) *why = bad;
    return rc;
}

/* A lane without work holds no window: it is most of what the process has in memory. */
static void window_drop(struct lane *l) {
    free(TAKE(l->window));
    l->window_room = 0;
}

/* A job whose attempt another place took a claim from: the ledger knows more now. Waiting until the emitter says it
 * again would be waiting for nothing; and it cannot go on for ever, for each time somebody else has won. */
static RC again(struct lane *l, struct why *why) {
    AUTO(own_free) struct work *work = l->again;
    l->again = work->next;
    return take_job(l, (struct str){work->job, work->job_len}, why);
}

RC lane_next_job(struct lane *l, uint64_t wait_ms, bool *out_idle, struct why *why) {
    struct broker_message message;
    *out_idle = false;
    if (l->again) return again(l, why);
    /* The job before is done with, whatever became of it: the emitter says it again where something is left. */
    if (l->job_taken) TRY(broker_commit(l->consumer, why));
    l->job_taken = false;
    enum rc rc = broker_next(l->consumer, wait_ms, &l->message, &message, why);
    *out_idle = rc == RC_ABSENT;
    if (rc == RC_ABSENT && wait_ms) window_drop(l);
    if (rc == RC_ABSENT) return RC_OK;
    if (rc != RC_OK) return rc;
    l->job_taken = true;
    return take_job(l, message.bytes, why);
}
