/* SPDX-License-Identifier: Apache-2.0 */
/* slice_join: the parts of a container's lines to whole ones. The parts of a stream become one line of the form that
 * they have, and the converter takes that as any other. Streams have nothing to do with each other. */
#include "alloc.h"
#include "cri_part.h"
#include "json.h"
#include "must.h"
#include "slice_impl.h"

#include <stdlib.h>

void slice_joins_free(struct slice *slice) {
    for (size_t i = 0; slice->joins && i < CRI_STREAMS; i++) {
        free(slice->joins[i].spans.at);
        buf_done(&slice->joins[i].text);
    }
    free(slice->joins);
}

static struct slice_join *joins_of(struct slice *slice) {
    const struct segments_settings *settings = segments_settings(converter_segments(slice->converter));
    if (!slice->joins) slice->joins = alloc_zero(CRI_STREAMS, sizeof *slice->joins);
    /* What is around the message is no longer than a line. */
    size_t most = settings->bytes_max + 2 * settings->line_bytes_max + JSON_PADDING;
    for (size_t i = 0; i < CRI_STREAMS; i++)
        if (slice->joins[i].text.cap != most) {
            buf_done(&slice->joins[i].text);
            slice->joins[i].text = BUF_INIT(most);
        }
    return slice->joins;
}

static void begin(struct slice_join *join, const struct cri_part *part) {
    join->spans.len = 0;
    join->docker = part->docker;
    join->behind = part->behind;
    buf_reset(&join->text);
    buf_add(&join->text, part->before);
    join->tag = join->text.len;
    if (!part->docker) buf_add(&join->text, STR("P "));
}

/* The line as far as it came. */
static void finish(struct slice *slice, struct slice_join *join, bool whole) {
    if (!join->spans.len) return;
    if (join->docker) buf_add(&join->text, join->behind);
    if (!join->docker && whole) join->text.at[join->tag] = 'F';
    uint64_t next = slice->place.line_in_stripe;
    MUST(buf_reserve(&join->text, JSON_PADDING) == RC_OK); /* its cap is the longest there can be */
    slice_put_line(slice, &(struct slice_line){buf_str(&join->text), join->spans.at[0].offset, false, &join->spans});
    slice->place.line_in_stripe = next;
    join->spans.len = 0;
}

static bool has_room(const struct slice *slice, const struct slice_join *join, const struct cri_part *part) {
    const struct segments_settings *settings = segments_settings(converter_segments(slice->converter));
    size_t bytes = join->text.len + part->message.len + join->behind.len;
    return join->spans.len < settings->lines_max && bytes <= settings->bytes_max && join->docker == part->docker;
}

static void add_part(struct slice *slice, struct slice_join *join, const struct cri_part *part,
                     const struct slice_span *span) {
    if (join->spans.len && !has_room(slice, join, part)) finish(slice, join, false);
    if (!join->spans.len) begin(join, part);
    buf_add(&join->text, part->message);
    slice_spans_add(&join->spans, span);
    if (!part->goes_on) finish(slice, join, true);
}

/* In the order in which they began. */
static void finish_all(struct slice *slice, struct slice_join *joins) {
    bool swap = joins[0].spans.len && joins[1].spans.len && joins[1].spans.at[0].offset < joins[0].spans.at[0].offset;
    finish(slice, &joins[swap ? 1 : 0], false);
    finish(slice, &joins[swap ? 0 : 1], false);
}

void slice_add_parts(struct slice *slice, struct str bytes, uint64_t offset) {
    size_t most = segments_settings(converter_segments(slice->converter))->line_bytes_max;
    uint64_t number = 0;
    struct slice_join *joins = NULL;
    for (size_t at = 0; at < bytes.len; number++) {
        struct str line = slice_line_at(bytes, at);
        struct slice_span span = slice_span_of(slice, line, offset + at, number);
        struct cri_part part;
        bool known = (line.len < bytes.len) && span.text.len <= most && cri_part_read(span.text, &part);
        if (known && !joins) joins = joins_of(slice);
        if (known && (part.goes_on || joins[part.stream].spans.len))
            add_part(slice, &joins[part.stream], &part, &span);
        else
            slice_put_single(slice, &span, line.len - span.text.len == 1);
        at += line.len;
    }
    if (joins) finish_all(slice, joins);
    slice->place.line_in_stripe += number;
}
