/* SPDX-License-Identifier: Apache-2.0 */
/* slice_record: a segment of lines to records of several lines. */
#include "alloc.h"
#include "lines.h"
#include "must.h"
#include "slice_impl.h"

#include <string.h>

void slice_spans_add(struct slice_spans *spans, const struct slice_span *span) {
    alloc_grow(&spans->at, &spans->room, spans->len + 1, sizeof *spans->at);
    spans->at[spans->len++] = *span;
}

struct str slice_line_at(struct str bytes, size_t at) {
    const char *hit = memchr(bytes.at + at, '\n', bytes.len - at);
    return str_sub(bytes, at, hit ? (size_t)(hit - bytes.at) + 1 : bytes.len);
}

struct slice_span slice_span_of(const struct slice *slice, struct str line, uint64_t offset, uint64_t number) {
    return (struct slice_span){
        .text = lines_text(line), .offset = offset, .line = slice->place.line_in_stripe + number};
}

void slice_put_single(struct slice *slice, const struct slice_span *span, bool lf_behind) {
    size_t most = segments_settings(converter_segments(slice->converter))->line_bytes_max;
    uint64_t next = slice->place.line_in_stripe;
    slice->place.line_in_stripe = span->line;
    if (span->text.len > most)
        slice_add_too_long(slice, span->offset, span->text.len, span->text);
    else
        slice_put_line(slice, &(struct slice_line){span->text, span->offset, lf_behind, NULL});
    slice->place.line_in_stripe = next;
}

static bool all_blank(const struct slice_spans *spans) {
    for (size_t i = 0; i < spans->len; i++)
        if (!lines_blank(spans->at[i].text)) return false;
    return true;
}

/* The lines from spans[0] on, which lie one behind the other. */
static void put_spans(struct slice *slice) {
    const struct slice_spans *spans = &slice->spans;
    if (!spans->len) return;
    if (spans->len == 1 || all_blank(spans)) {
        for (size_t i = 0; i < spans->len; i++) slice_put_single(slice, &spans->at[i], false);
    } else {
        uint64_t next = slice->place.line_in_stripe;
        const struct slice_span *first = &spans->at[0], *last = &spans->at[spans->len - 1];
        struct str text = {first->text.at, (size_t)(last->text.at + last->text.len - first->text.at)};
        slice_put_line(slice, &(struct slice_line){text, first->offset, false, spans});
        slice->place.line_in_stripe = next;
    }
    slice->spans.len = 0;
}

/* Would the line make the record too large, or begin another one? A segment's lines match nothing but in front, and at
 * a cut: the last line of what is closed, without its LF. */
static bool begins_record(const struct slice *slice, struct segments *segments, const struct slice_span *span,
                          bool whole) {
    const struct slice_spans *spans = &slice->spans;
    const struct segments_settings *settings = segments_settings(segments);
    if (!spans->len) return false;
    size_t bytes = (size_t)(span->text.at + span->text.len - spans->at[0].text.at);
    if (spans->len >= settings->lines_max || bytes > settings->bytes_max) return true;
    return !whole && segments_matches(segments, span->text);
}

void slice_add_segment(struct slice *slice, struct str bytes, uint64_t offset) {
    struct segments *segments = converter_segments(slice->converter);
    MUST(segments && bytes.len);
    converter_batch(slice->converter, bytes);
    if (segments_settings(segments)->kind == SEGMENTS_CRI) {
        slice_add_parts(slice, bytes, offset);
        return;
    }
    uint64_t number = 0;
    slice->spans.len = 0;
    for (size_t at = 0; at < bytes.len; number++) {
        struct str line = slice_line_at(bytes, at);
        struct slice_span span = slice_span_of(slice, line, offset + at, number);
        if (begins_record(slice, segments, &span, str_ends(line, STR("\n")))) put_spans(slice);
        slice_spans_add(&slice->spans, &span);
        at += line.len;
    }
    put_spans(slice);
    slice->place.line_in_stripe += number;
}
