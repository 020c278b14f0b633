/* SPDX-License-Identifier: Apache-2.0 */
#include "slice.h"

#include "alloc.h"
#include "kept.h"
#include "lines.h"
#include "must.h"
#include "num.h"
#include "slice_impl.h"

#include <stdlib.h>

enum {
    /* One call of simdjson's first stage; it and the tape stay in the second-level cache. Measured: bench_convert. */
    BATCH_BYTES = 128 * 1024,
    BATCH_LINES = 4096,
    URI_MAX = 60 * 1024,
};

struct slice *slice_new(struct slice_limits limits) {
    struct slice *slice = ALLOC(struct slice);
    slice->limits = limits;
    if (!slice->limits.outputs_max) slice->limits.outputs_max = SLICE_OUTPUTS_DEFAULT;
    if (!slice->limits.bytes_max) slice->limits.bytes_max = SLICE_BYTES_DEFAULT;
    route_init(&slice->paths, slice->limits.outputs_max);
    /* 1 and 1.0, or a and A under other templates: some keys can have one path. */
    route_init(&slice->keys, 2 * slice->limits.outputs_max);
    slice->reject = BUF_INIT(SLICE_REJECT_BYTES_MAX);
    slice->ends = alloc_zero(BATCH_LINES, sizeof *slice->ends);
    return slice;
}

void slice_free(struct slice *slice) {
    if (!slice) return;
    arena_done(&slice->arena);
    slice_text_done(&slice->text);
    route_done(&slice->keys);
    route_done(&slice->paths);
    buf_done(&slice->reject);
    free(slice->spans.at);
    slice_joins_free(slice);
    slice_sums_free(slice);
    slice_again_free(slice);
    free(slice->outputs);
    free(slice->ends);
    free(slice);
}

void slice_begin(struct slice *slice, struct converter *converter, const struct slice_place *place) {
    slice->converter = converter;
    slice->place = *place;
    slice->place.uri.len = MIN(place->uri.len, (size_t)URI_MAX);
    converter_file(converter, slice->place.uri);
    arena_reset(&slice->arena);
    slice_text_reset(&slice->text);
    route_reset(&slice->keys);
    route_reset(&slice->paths);
    slice_sums_reset(slice);
    slice_again_begin(slice);
    slice->reject_output = slice->overflow_output = ROUTE_NONE;
    slice->has_last = false;
    slice->result = (struct slice_result){.outputs = slice->outputs};
    if (place->kept) kept_begin(place->kept);
}

bool slice_full(const struct slice *slice) {
    if (slice->place.kept && kept_full(slice->place.kept)) return true;
    return slice->text.used + arena_used(&slice->arena) + slice_sums_pending(slice) >= slice->limits.bytes_max;
}

const struct slice_result *slice_result(struct slice *slice) {
    slice_sums_flush(slice);
    return &slice->result;
}

static void note_time(struct slice_output *output, int64_t ns) {
    output->time_min = output->has_time ? MIN(output->time_min, ns) : ns;
    output->time_max = output->has_time ? MAX(output->time_max, ns) : ns;
    output->has_time = true;
}

static void put_record(struct slice *slice, const struct slice_line *line, const struct converted *made,
                       char *scratch) {
    uint32_t output = slice_route(slice, &made->values);
    if (made->values.has_time) note_time(&slice->outputs[output], made->values.time_ns);
    if (made->group.len) {
        slice_sum(slice, output, made);
        return;
    }
    size_t bytes = made->record.len + 1;
    const char *at = made->record.at;
    if (!made->in_line || !line->lf_behind) {
        bool elsewhere = made->in_line || at != scratch; /* the line, or the converter's own memory */
        char *to = elsewhere ? slice_text_room(&slice->text, bytes) : scratch;
        MUST(to); /* a converter that writes into the scratch said how much it needs */
        if (elsewhere) memcpy(to, at, made->record.len);
        to[made->record.len] = '\n';
        slice_text_take(&slice->text, bytes);
        at = to;
    }
    slice_put(slice, output, at, bytes);
    slice->result.counts.records++;
    if ((int64_t)output == slice->overflow_output) slice->result.counts.overflow++;
}

static bool is_kept(struct slice *slice, const struct slice_line *line, const struct converted *made) {
    uint64_t offset = slice->is_again ? slice->again_offset : line->offset;
    if (!made->once || !slice->place.kept || kept_take(slice->place.kept, made->once_key, offset)) return true;
    slice->result.counts.duplicates++;
    return false;
}

/* The first of a line's records, and then the others. False: none is kept. */
static bool put_records(struct slice *slice, const struct slice_line *line, struct converted *made, char *scratch) {
    bool any = false;
    do {
        if (!is_kept(slice, line, made)) continue;
        put_record(slice, line, made, scratch);
        any = true;
    } while (converter_next(slice->converter, made));
    return any;
}

static void reject_lines(struct slice *slice, const struct slice_line *line, const struct converted *made) {
    struct slice_reject reject = {.offset = line->offset,
                                  .length = line->text.len,
                                  .head = line->text,
                                  .reason = made->reason,
                                  .detail = made->detail};
    if (!line->spans) {
        slice_reject(slice, &reject);
        return;
    }
    /* Each by its own place: that is what a person looks for, and what adds up. */
    uint64_t now = slice->place.line_in_stripe;
    reject.in_record = line->spans->len > 1;
    reject.record_offset = line->spans->at[0].offset;
    for (size_t i = 0; i < line->spans->len; i++) {
        const struct slice_span *span = &line->spans->at[i];
        slice->place.line_in_stripe = span->line;
        reject.offset = span->offset;
        reject.length = span->text.len;
        reject.head = span->text;
        slice_reject(slice, &reject);
    }
    slice->place.line_in_stripe = now;
}

void slice_put_line(struct slice *slice, const struct slice_line *line) {
    struct converted made;
    size_t scratch_bytes = converter_scratch_bytes(slice->converter, line->text.len);
    /* Room for a newline too. */
    char *scratch = scratch_bytes ? slice_text_room(&slice->text, scratch_bytes + 1) : NULL;
    converter_line(slice->converter, line->text, line->offset == 0, scratch, &made);
    struct slice_counts *counts = &slice->result.counts;
    size_t lines = line->spans ? line->spans->len : 1;
    counts->dropped += made.dropped;
    counts->lines += lines;
    switch (made.verdict) {
    case CONVERTER_RECORD:
        if (put_records(slice, line, &made, scratch))
            counts->converted += lines;
        else
            counts->filtered += lines;
        break;
    case CONVERTER_FILTERED: counts->filtered += lines; break;
    case CONVERTER_BLANK: counts->blank += lines; break;
    case CONVERTER_REJECT: reject_lines(slice, line, &made); break;
    }
    slice->place.line_in_stripe += lines;
}

/* Whoever cut `rest` saw that it is whole records; what is open in it stays open behind it, too. */
static size_t one_record(struct slice *slice, struct str rest, size_t *out_bytes) {
    size_t end = converter_record_end(slice->converter, rest, true);
    MUST(end > 0 && end <= UINT32_MAX);
    bool lf = rest.at[end - 1] == '\n' && !converter_framed(converter_kind_of(slice->converter));
    slice->ends[0] = (uint32_t)(lf ? end - 1 : end);
    *out_bytes = end;
    return 1;
}

/* The next lines of `rest`: fills slice->ends, gives their number and in *out_bytes where the last ends. */
static size_t next_batch(struct slice *slice, struct str rest, size_t *out_bytes) {
    if (converter_spans_lines(slice->converter)) return one_record(slice, rest, out_bytes);
    size_t window = MIN(rest.len, (size_t)BATCH_BYTES);
    size_t count = lines_index(str_sub(rest, 0, window), slice->ends, BATCH_LINES);
    if (count > 0) {
        *out_bytes = (size_t)slice->ends[count - 1] + 1;
        return count;
    }
    /* A line longer than the window, or the unterminated last one. */
    const char *end = memchr(rest.at + window, '\n', rest.len - window);
    size_t at = end ? (size_t)(end - rest.at) : rest.len;
    MUST(at <= UINT32_MAX);
    slice->ends[0] = (uint32_t)at;
    *out_bytes = at + (end ? 1 : 0);
    return 1;
}

static struct slice_line line_at(struct str batch, size_t from, size_t end, uint64_t offset) {
    bool lf = end < batch.len;
    bool cr = lf && end > from && batch.at[end - 1] == '\r';
    return (struct slice_line){
        .text = str_sub(batch, from, end - (cr ? 1 : 0)), .offset = offset, .lf_behind = lf && !cr};
}

void slice_add(struct slice *slice, struct str bytes, uint64_t offset, size_t *out_taken) {
    size_t taken = 0;
    if (slice->is_again) {
        slice_add_again(slice, bytes, offset, out_taken);
        return;
    }
    while (taken < bytes.len) {
        size_t batch_bytes = 0;
        size_t count = next_batch(slice, str_sub(bytes, taken, bytes.len), &batch_bytes);
        struct str batch = str_sub(bytes, taken, taken + batch_bytes);
        converter_batch(slice->converter, batch);
        size_t from = 0;
        for (size_t i = 0; i < count; i++) {
            struct slice_line line = line_at(batch, from, slice->ends[i], offset + taken + from);
            from = MIN((size_t)slice->ends[i] + 1, batch.len);
            slice_put_line(slice, &line);
            if (slice_full(slice)) break;
        }
        taken += from;
        if (slice_full(slice)) break;
    }
    *out_taken = taken;
}

void slice_add_too_long(struct slice *slice, uint64_t offset, uint64_t length, struct str head) {
    slice->result.counts.lines++;
    slice_reject(slice,
                 &(struct slice_reject){.offset = offset, .length = length, .head = head, .reason = REASON_TOO_LONG});
    slice->place.line_in_stripe++;
}

void slice_add_stop(struct slice *slice, uint64_t offset, struct str rest, struct str detail) {
    slice->result.counts.lines++;
    slice_reject(slice,
                 &(struct slice_reject){
                     .offset = offset, .length = rest.len, .head = rest, .reason = REASON_DAMAGED, .detail = detail});
    slice->place.line_in_stripe++;
}
