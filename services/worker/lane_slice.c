/* SPDX-License-Identifier: Apache-2.0 */
/* lane_slice: one slice of a task: where its lines end, what they become, published as one attempt. */
#include "lane_inner.h"

#include "alloc.h"
#include "claims.h"
#include "cut.h"
#include "metric.h"
#include "num.h"
#include "stop.h"
#include "stopwatch.h"

#include <stdlib.h>
#include <string.h>

static struct counts counts_of(const struct slice_result *r) {
    if (!r) return (struct counts){0};
    const struct slice_counts *c = &r->counts;
    return (struct counts){c->lines, c->converted, c->rejects, c->filtered, c->blank, c->records};
}

/* The claims go with the attempt; to the task's next one they are somebody else's. */
static void take_claims(struct lane *l, struct flight *f, struct str claims) {
    if (!claims.len) return;
    f->claims = alloc_bytes(claims.len);
    memcpy(f->claims, claims.at, claims.len);
    f->submission.ask.claims = (struct str){f->claims, claims.len};
    kept_settle(l->kept);
}

static RC publish(struct lane *l, const struct lane_found *found, uint64_t tail, struct why *why) {
    struct task *t = &l->task;
    struct flight *f = lane_flight_new(l, found->to);
    struct ledger_advance *ask = &f->submission.ask;
    struct block_trailer trailer = {.attempt = ask->attempt,
                                    .facts = t->job.facts,
                                    .counts = counts_of(found->result),
                                    .tail_hash = tail,
                                    .closed = found->closed,
                                    .first_end = found->first_end,
                                    .claims = l->kept ? kept_claims(l->kept) : STR("")};
    l->publishing = f;
    enum rc rc = blocks_publish(l->blocks, found->result, &trailer, &ask->messages, why);
    l->publishing = NULL;
    if (rc != RC_OK) {
        lane_flight_abandon(l, f);
        return rc == RC_STALE ? RC_BUSY : rc;
    }
    f->published = true;
    if (found->result) f->counts = found->result->counts;
    ask->counts = trailer.counts;
    ask->tail_hash = tail;
    ask->ends_seen = t->ends_total;
    ask->closed = found->closed;
    take_claims(l, f, trailer.claims);
    t->predecessor = ask->attempt.id;
    t->tail_hash = tail;
    t->at = found->to;
    t->lines += trailer.counts.lines;
    return RC_OK;
}

void lane_window_fit(struct lane *l, size_t bytes) {
    if (bytes <= l->window_room) return;
    free(l->window);
    l->window = alloc_bytes(bytes + JSON_PADDING);
    memset(l->window + bytes, 0, JSON_PADDING);
    l->window_room = bytes;
}

void lane_slice_start(struct lane *l, struct converter *converter) {
    const struct task *t = &l->task;
    struct slice_place place = {.uri = t->job.facts.uri,
                                .file = t->job.file,
                                .generation = worker_ports(l->worker)->ledger.at.generation,
                                .stripe = t->job.stripe,
                                .line_in_stripe = t->lines,
                                .kept = l->kept};
    slice_begin(l->slice, converter, &place);
}

/* From the length of a line with its LF to that of its text: without the CR of a CRLF, too. */
static RC text_length(const struct reader *reader, uint64_t at, uint64_t *length, struct why *why) {
    char before = 0;
    TRY(reader_read(reader, at + *length - 2, &before, 1, why));
    *length -= before == '\r' ? 2 : 1;
    return RC_OK;
}

RC lane_skip_long_line(struct lane *l, uint64_t at, size_t window, struct lane_found *out, struct why *why) {
    struct task *t = &l->task;
    struct converter *converter = NULL;
    TRY(lane_converter(l, &converter, why));
    uint64_t next_end = cut_next_end(t->ends, t->ends_len, at + 1);
    struct reader_lines search = {
        .from = at + window, .below = MIN(t->job.ready, next_end), .work = l->line_work, .work_bytes = LANE_LINE_WORK};
    uint64_t end = 0;
    enum rc rc = reader_line_end(&t->reader, &search, &end, why);
    bool newline = rc == RC_OK;
    if (rc == RC_ABSENT && next_end <= t->job.ready) {
        end = next_end;
        rc = RC_OK;
    }
    if (rc != RC_OK) return rc;
    uint64_t length = end - at;
    if (newline) TRY(text_length(&t->reader, at, &length, why));
    /* What is told of the line must not depend on our window: it may be converted again, and has to come out alike. */
    struct str head = {l->window, (size_t)MIN(length, (uint64_t)SLICE_RAW_MAX)};
    if (head.len > window) {
        lane_window_fit(l, head.len);
        head.at = l->window;
        TRY(reader_read(&t->reader, at, l->window, head.len, why));
    }
    lane_slice_start(l, converter);
    slice_add_too_long(l->slice, at, length, head);
    *out = (struct lane_found){.to = end, .closed = end == next_end, .result = slice_result(l->slice)};
    return RC_OK;
}

/* Of whole lines, those that are whole records. The row at the end may be decided by bytes that are no whole line yet.
 */
static void whole_records(const struct converter *converter, const struct cut_ask *ask, struct cut *cut) {
    struct str seen = str_sub(ask->window, 0, cut->closed ? cut->bytes : ask->window.len);
    size_t bytes = MIN(converter_records(converter, seen, cut->closed), cut->bytes);
    if (bytes == cut->bytes) return;
    *cut = (struct cut){.kind = CUT_LINES, .bytes = bytes};
    if (!bytes) cut->kind = ask->at + ask->window.len >= ask->ready ? CUT_WAIT : CUT_LONGER;
}

size_t lane_piece(const struct lane *l) {
    uint64_t given = worker_settings(l->worker)->piece_bytes;
    return given ? (size_t)given : LANE_PIECE;
}

RC lane_read_piece(struct lane *l, uint64_t at, size_t from, size_t len, struct stopwatch *watch, struct why *why) {
    TRY(reader_read(&l->task.reader, at + from, l->window + from, len, why));
    stopwatch_lap(watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_READ);
    return RC_OK;
}

/* Where a record may be many lines the whole window decides which of them are whole. */
static void cut_records(const struct converter *converter, const struct cut_ask *ask, size_t len, struct cut *cut) {
    if (ask->window.len < len)
        *cut = (struct cut){.kind = CUT_LONGER};
    else
        whole_records(converter, ask, cut);
}

/* Does the text stop at `at`? Asked only where the job's file ends. */
static RC stop_at(const struct lane *l, uint64_t at, struct source_stop *out, struct why *why) {
    const struct task *t = &l->task;
    *out = (struct source_stop){.stopped = false};
    return t->job.closed && at == t->job.ready ? reader_stop(&t->reader, at, out, why) : RC_OK;
}

/* The reject for a text that stops at the end of what was found, unless it was told with its last line. */
static RC tell_stop(struct lane *l, struct lane_found *found, struct why *why) {
    struct source_stop stop;
    struct converter *converter = NULL;
    if (!found->closed || found->told) return RC_OK;
    TRY(stop_at(l, found->to, &stop, why));
    if (!stop.stopped) return RC_OK;
    if (!found->result) {
        TRY(lane_converter(l, &converter, why));
        lane_slice_start(l, converter);
    }
    stop_add(l->slice, found->to, STR(""), &stop);
    found->result = slice_result(l->slice);
    return RC_OK;
}

/* What became of a window. */
struct taken {
    struct cut cut; /* of all that was read */
    size_t bytes;
    struct source_stop stop; /* at the end of .cut */
};

/* Fills the window with `len` bytes from the line start `at`, piece by piece, and converts the whole lines of each
 * while the cache still has them. Of what was cut .bytes are converted: less when the slice is full. Reads no further
 * than the run of lines goes. The converter is asked for when there is a whole line, for it may want the first one of
 * the file. */
static RC read_lines(struct lane *l, uint64_t at, size_t len, struct taken *out, struct why *why) {
    const struct task *t = &l->task;
    uint64_t end = stripe_end(t->job.stripe, t->job.facts.stripe_bytes);
    size_t have = 0, taken = 0, piece = lane_piece(l);
    bool framed = converter_framed(t->source->converter.kind);
    struct cut cut = {.kind = CUT_LONGER};
    struct converter *converter = NULL;
    struct stopwatch watch;
    stopwatch_start(&watch);
    while (have < len && taken == cut.bytes && !cut.closed && at + taken < end) {
        size_t more = MIN(len - have, MAX(piece, have - taken)); /* a long line is looked at a few times only */
        TRY(lane_read_piece(l, at, have, more, &watch, why));
        have += more;
        struct cut_ask ask = {{l->window, have}, at, end, t->job.ready, t->ends, t->ends_len};
        cut = framed ? cut_framed(&ask) : cut_lines(&ask);
        if (cut.kind != CUT_LINES || cut.bytes == taken) continue;
        if (!converter) {
            TRY(lane_converter(l, &converter, why));
            lane_slice_start(l, converter);
            if (lane_spans_lines(l, converter)) piece = len;
        }
        if (lane_spans_lines(l, converter)) cut_records(converter, &ask, len, &cut);
        if (cut.kind != CUT_LINES) continue;
        size_t added = 0;
        if (cut.closed && !lane_spans_lines(l, converter)) TRY(stop_at(l, at + cut.bytes, &out->stop, why));
        stop_add_lines(l->slice, str_sub((struct str){l->window, have}, taken, cut.bytes), at + taken, &out->stop,
                       &added);
        TRY(converter_waits(converter, why));
        taken += added;
        stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_CONVERT);
    }
    out->cut = cut;
    out->bytes = taken;
    return RC_OK;
}

/* The slice keeps what the ledger does not give to another place: where it knew of some, the same bytes are converted
 * again. */
static RC settle_kept(struct lane *l, uint64_t at, const struct taken *taken, struct why *why) {
    const struct task *t = &l->task;
    size_t bytes = taken->bytes;
    struct source_stop stop = taken->stop;
    stop.stopped = stop.stopped && bytes == taken->cut.bytes;
    struct converter *converter = NULL;
    bool again = false;
    if (!l->kept || !bytes) return RC_OK;
    struct ledger_stripe stripe = {t->job.file, t->job.stripe};
    TRY(claims_look_up(l->kept, worker_ledger(l->worker), stripe, &again, why));
    if (!again) return RC_OK;
    TRY(lane_converter(l, &converter, why));
    lane_slice_start(l, converter);
    for (size_t done = 0, added = 0; done < bytes; done += added)
        stop_add_lines(l->slice, str_sub((struct str){l->window, bytes}, done, bytes), at + done, &stop, &added);
    return converter_waits(converter, why);
}

/* Whole lines from the line start `at` on. RC_ABSENT: none is complete. */
static RC convert_lines(struct lane *l, uint64_t at, struct lane_found *out, struct why *why) {
    struct task *t = &l->task;
    const struct worker_settings *s = worker_settings(l->worker);
    size_t line_max = slice_line_bytes_max(t->job.facts.uri, (size_t)t->source->max_line_bytes);
    size_t most = MAX((size_t)WORKER_SLICE_MAX, line_max + 2);
    size_t want = MIN(MAX(l->slice_bytes, s->slice_bytes_min), most);
    for (;;) {
        size_t len = (size_t)MIN(t->job.ready - at, (uint64_t)want);
        struct taken taken = {0};
        lane_window_fit(l, len);
        TRY(read_lines(l, at, len, &taken, why));
        if (taken.cut.kind == CUT_WAIT) return RC_ABSENT;
        if (taken.cut.kind == CUT_LONGER && want <= line_max + 1) {
            want = MIN(want * 4, line_max + 2);
            continue;
        }
        if (taken.cut.kind == CUT_LONGER) return lane_skip_long_line(l, at, len, out, why);
        TRY(settle_kept(l, at, &taken, why));
        bool all = taken.bytes == taken.cut.bytes;
        *out = (struct lane_found){.to = at + taken.bytes,
                                   .closed = taken.cut.closed && all,
                                   .result = slice_result(l->slice),
                                   .told = taken.stop.stopped && all};
        return RC_OK;
    }
}

/* The slice is large enough that each output gets large blocks, and no larger. */
static void adapt_slice(struct lane *l, const struct lane_found *found) {
    const struct worker_settings *s = worker_settings(l->worker);
    if (!found->result) return;
    size_t want = found->result->output_count * (size_t)s->block_bytes;
    size_t most = MIN((size_t)WORKER_SLICE_MAX, (size_t)s->lane_bytes / 2);
    l->slice_bytes = MAX(MIN(want, most), s->slice_bytes_min);
}

/* Where the first line of the range starts. A stripe that nothing was converted of has to look for it; RC_ABSENT with
 * *out_found: no line starts in it, and the range without lines is in *out_found; without: not known yet. */
static RC first_line(struct lane *l, struct segments *segments, uint64_t *out_at, struct lane_found *out_found,
                     struct why *why) {
    struct task *t = &l->task;
    uint64_t end = stripe_end(t->job.stripe, t->job.facts.stripe_bytes);
    bool none = true;
    enum rc rc = RC_OK;
    *out_at = t->at;
    if (segments) {
        rc = lane_first_record(l, segments, out_at, &none, why);
    } else if (id_is_none(t->predecessor)) {
        struct reader_lines search = {t->at,       MIN(end, t->job.ready), t->ends,
                                      t->ends_len, l->line_work,           LANE_LINE_WORK};
        rc = reader_line_start(&t->reader, &search, out_at, why);
    }
    if (rc != RC_ABSENT) return rc;
    bool to_stripe_end = t->job.ready >= end;
    if (none && (to_stripe_end || t->job.closed))
        *out_found = (struct lane_found){.to = to_stripe_end ? end : t->job.ready,
                                         .closed = !to_stripe_end,
                                         .first_end = segments ? t->start.cut_end : 0};
    return RC_ABSENT;
}

/* The first line starts where it does because a closed end is there: whoever recovers the ledger has to know, for the
 * line before it may be converted later. Behind a predecessor its trailer says so. */
static uint64_t closed_end_at(const struct task *t, uint64_t at) {
    bool is_end = at && id_is_none(t->predecessor) && cut_next_end(t->ends, t->ends_len, at) == at;
    return is_end ? at : 0;
}

/* What the next attempt holds. */
static RC find_next(struct lane *l, struct segments *segments, struct lane_found *out, struct why *why) {
    uint64_t at = 0;
    *out = (struct lane_found){0};
    if (l->kept) kept_begin(l->kept);
    enum rc rc = first_line(l, segments, &at, out, why);
    if (rc == RC_OK)
        rc = segments ? lane_convert_records(l, segments, out, why) : convert_lines(l, at, out, why);
    else if (rc == RC_ABSENT && out->to)
        rc = RC_OK;
    if (rc != RC_OK) return rc;
    if (out->result) out->first_end = closed_end_at(&l->task, at);
    return tell_stop(l, out, why);
}

/* The same, with the hash of the bytes before its end, and whether all that was read was in the file together. */
static RC find_noted(struct lane *l, struct segments *segments, struct lane_found *out, uint64_t *out_tail,
                     enum noted_answer *out_is, struct why *why) {
    struct task *t = &l->task;
    TRY(noted_begin(&l->noted, &t->reader, t->moving, why));
    enum rc rc = find_next(l, segments, out, why);
    if (rc == RC_OK) rc = reader_tail(&t->reader, out->to, out_tail, why);
    if (rc == RC_OK) rc = reader_check(&t->reader, &t->job, t->at, !id_is_none(t->predecessor), t->tail_hash, why);
    if (rc != RC_OK) return rc;
    return noted_ask(&l->noted, &t->reader, (struct str){l->line_work, LANE_LINE_WORK}, out_is, why);
}

/* One slice: RC_ABSENT when the job is done with for now. What was read from a file that changed under it is done
 * again, once with what was read kept for comparing; then the file gets a rest until the job is said again. */
static RC convert_slice(struct lane *l, struct why *why) {
    struct task *t = &l->task;
    uint64_t end = stripe_end(t->job.stripe, t->job.facts.stripe_bytes), tail = 0;
    if (l->kept && !l->flights && kept_keys(l->kept) >= KEPT_RUN) kept_forget(l->kept); /* the ledger knows them now */
    bool over = t->work->lost || t->epoch != worker_ledger(l->worker).at.epoch;
    if (over || t->at >= MIN(end, t->job.ready)) return RC_ABSENT;
    struct lane_found found = {0};
    struct segments *segments = NULL;
    TRY(lane_segments(l, &segments, why));
    const struct records_start start = t->start;
    const bool located = t->located;
    enum noted_answer is = NOTED_UNKNOWN;
    while (is == NOTED_UNKNOWN) {
        t->start = start;
        t->located = located;
        TRY(find_noted(l, segments, &found, &tail, &is, why));
        t->moving = t->moving || is != NOTED_SAME;
    }
    if (is == NOTED_OTHER) return RC_ABSENT;
    adapt_slice(l, &found);
    return publish(l, &found, tail, why);
}

RC lane_convert_step(struct lane *l, struct why *why) {
    struct why local = {0};
    enum rc rc = convert_slice(l, &local);
    if (rc == RC_OK) return RC_OK;
    if (rc == RC_ABSENT || (l->task.work && l->task.work->lost)) {
        lane_task_end(l);
        return RC_OK;
    }
    if (l->task.work && lane_is_of_the_file(rc) && !l->producer_broken) return lane_job_failed(l, rc, &local);
    lane_task_end(l);
    if (why) *why = local;
    return l->producer_broken ? RC_BUSY : rc;
}
