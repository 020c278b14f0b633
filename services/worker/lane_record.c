/* SPDX-License-Identifier: Apache-2.0 */
/* lane_record: slices of a file whose lines go together (segments.h): an attempt ends where a segment does, and takes
 * those that begin in its stripe. */
#include "lane_inner.h"

#include "cut.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "reject_uri.h"

RC lane_segments(struct lane *l, struct segments **out, struct why *why) {
    const struct converter_settings *settings = &l->task.source->converter;
    struct converter *converter = NULL;
    *out = NULL;
    bool again = reject_uri_is(l->task.job.facts.uri); /* rejects are lines, whatever they hold */
    if (again || (settings->kind != CONVERTER_CRI && settings->record.kind == SEGMENTS_NONE)) return RC_OK;
    TRY(lane_converter(l, &converter, why));
    *out = converter_segments(converter);
    return RC_OK;
}

RC lane_first_record(struct lane *l, struct segments *segments, uint64_t *out_at, bool *out_none, struct why *why) {
    struct task *t = &l->task;
    *out_at = t->start.at;
    if (t->located) return RC_OK;
    struct records_ask ask = {.from = t->at,
                              .follows = !id_is_none(t->predecessor),
                              .stripe_end = stripe_end(t->job.stripe, t->job.facts.stripe_bytes),
                              .ready = t->job.ready,
                              .ends = t->ends,
                              .ends_len = t->ends_len};
    enum rc rc = records_start(&t->reader, segments, &ask, &t->start, out_none, why);
    if (rc != RC_OK) return rc;
    t->located = true;
    *out_at = t->start.at;
    return RC_OK;
}

/* How far a window was taken. */
struct taking {
    size_t have, taken; /* bytes of the window that are read, and converted */
    bool closed;
    enum segments_found last;
};

/* Segments of the window, from .taken on, until one is not whole in it, begins behind the stripe, or all is full.
 * False: there is no more to do. */
static bool take_segments(struct lane *l, struct segments *segments, struct taking *taking) {
    struct task *t = &l->task;
    uint64_t at = t->start.at, end = stripe_end(t->job.stripe, t->job.facts.stripe_bytes);
    struct str window = {l->window, taking->have};
    while (!taking->closed && at + taking->taken < end && !slice_full(l->slice)) {
        uint64_t from = at + taking->taken;
        struct segments_ask ask = {.window = str_sub(window, taking->taken, window.len),
                                   .at = from,
                                   .in_line = t->start.in_line,
                                   .end = cut_next_end(t->ends, t->ends_len, from + 1),
                                   .ready = t->job.ready};
        size_t bytes = 0;
        taking->last = segments_next(segments, &t->start.state, &ask, &bytes, &taking->closed);
        if (taking->last != SEGMENTS_WHOLE) return taking->last == SEGMENTS_LONGER;
        t->start.in_line = false;
        slice_add_segment(l->slice, str_sub(ask.window, 0, bytes), from);
        taking->taken += bytes;
    }
    return false;
}

/* Fills the window with up to `len` bytes piece by piece, and converts the segments of each while the cache still has
 * them. */
static RC read_records(struct lane *l, struct segments *segments, size_t len, struct taking *out, struct why *why) {
    struct converter *converter = NULL;
    struct stopwatch watch;
    stopwatch_start(&watch);
    TRY(lane_converter(l, &converter, why));
    lane_slice_start(l, converter);
    *out = (struct taking){.last = SEGMENTS_LONGER};
    bool more = true;
    while (more && out->have < len) {
        size_t piece = MIN(len - out->have, MAX(lane_piece(l), out->have - out->taken));
        TRY(lane_read_piece(l, l->task.start.at, out->have, piece, &watch, why));
        out->have += piece;
        more = take_segments(l, segments, out);
        stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_CONVERT);
    }
    return RC_OK;
}

/* A line that is too long is a segment of its own. */
static RC skip_long(struct lane *l, struct segments *segments, size_t have, struct lane_found *out, struct why *why) {
    struct records_start *start = &l->task.start;
    TRY(lane_skip_long_line(l, start->at, have, out, why));
    struct segments_line line = {.at = start->at, .too_long = true};
    if (!start->in_line) (void)segments_line(segments, &start->state, &line);
    start->in_line = false;
    return RC_OK;
}

RC lane_convert_records(struct lane *l, struct segments *segments, struct lane_found *out, struct why *why) {
    struct task *t = &l->task;
    const struct worker_settings *s = worker_settings(l->worker);
    size_t most = segments_window(segments), want = MAX(l->slice_bytes, s->slice_bytes_min);
    struct taking taking = {0};
    for (;;) {
        size_t len = (size_t)MIN(t->job.ready - t->start.at, (uint64_t)want);
        lane_window_fit(l, len);
        TRY(read_records(l, segments, len, &taking, why));
        if (taking.taken || taking.last != SEGMENTS_LONGER) break;
        MUST(want < most);
        want = MIN(want * 4, most);
    }
    if (!taking.taken && taking.last == SEGMENTS_WAIT) return RC_ABSENT;
    if (taking.taken)
        *out = (struct lane_found){
            .to = t->start.at + taking.taken, .closed = taking.closed, .result = slice_result(l->slice)};
    else
        TRY(skip_long(l, segments, taking.have, out, why));
    t->start.at = out->to;
    t->located = !out->closed; /* lines go on differently behind a closed end */
    return RC_OK;
}
