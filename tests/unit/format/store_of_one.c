/* SPDX-License-Identifier: Apache-2.0 */
#include "store_of_one.h"

#include "lines.h"
#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { CAP = 64 * 1024 * 1024 };

static struct footer head_of(enum frame_format format) {
    return (struct footer){.queue = {{9}},
                           .generation = 1,
                           .partition = 2,
                           .seal = 3,
                           .output = STR("dt=2026-01-01"),
                           .settings = {frame_format_name(format), 1, 268435456, 2097152, frame_library(format)}};
}

/* One frame of fresh records, of two attempts. */
static void add_frame(struct object_writer *writer, struct frame_encoder *encoder, struct rng *rng, size_t frame_bytes,
                      struct made_object *out) {
    AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
    size_t from = out->raw.len;
    uint64_t first = lines_fill(rng, from + frame_bytes / 2, &out->raw);
    size_t cut = out->raw.len;
    uint64_t second = 1 + lines_fill(rng, from + frame_bytes, &out->raw);
    lines_add(rng, &out->raw);
    struct str pieces[] = {str_sub(buf_str(&out->raw), from, cut), str_sub(buf_str(&out->raw), cut, out->raw.len)};
    struct frame_facts facts;
    assert_int_equal(frame_encode(encoder, pieces, COUNT_OF(pieces), &frame, &facts), RC_OK);
    struct footer_part parts[] = {{{{1}}, 0, 0, 10, {{2}}, 0, first, pieces[0].len},
                                  {{{1}}, 0, 10, 20, {{3}}, 0, second, pieces[1].len}};
    struct footer_block block = {.raw_bytes = facts.raw_bytes,
                                 .records = first + second,
                                 .has_time = out->records == 0,
                                 .checksum = facts.raw_checksum,
                                 .parts = parts,
                                 .parts_len = COUNT_OF(parts)};
    block.time_max_ns = block.has_time ? 5 : 0;
    assert_int_equal(object_writer_add(writer, buf_str(&frame), &block, NULL), RC_OK);
    buf_add(&out->bytes, buf_str(&frame));
    out->records += block.records;
}

void object_make(enum frame_format format, size_t frames, size_t frame_bytes, uint64_t seed, struct made_object *out) {
    *out = (struct made_object){.bytes = BUF_INIT(CAP), .raw = BUF_INIT(CAP), .footer = BUF_INIT(CAP)};
    struct rng rng = rng_from_seed(seed);
    struct footer head = head_of(format);
    AUTO(object_writer_done) struct object_writer *writer = object_writer_new(format, &head);
    AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(format, 1);
    for (size_t i = 0; i < frames; i++) add_frame(writer, encoder, &rng, frame_bytes, out);
    assert_int_equal(object_writer_end(writer, &out->bytes, &out->facts, NULL), RC_OK);
    buf_add(&out->footer, out->facts.footer);
    out->facts.footer = buf_str(&out->footer);
    assert_int_equal(buf_rc(&out->bytes), RC_OK);
}

void made_object_done(struct made_object *object) {
    buf_done(&object->bytes);
    buf_done(&object->raw);
    buf_done(&object->footer);
}

static enum rc get(void *context, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    struct range_reader *r = context;
    /* The reader promises never to ask for more than there is. */
    assert_true(len > 0 && len <= r->bytes.len && from <= r->bytes.len - len);
    r->most = MAX(r->most, (size_t)len);
    bool fails = ++r->calls == r->fail_at;
    if (fails && r->rc != RC_OK) return why_set(why, r->rc, "as asked");
    buf_add(out, str_sub(r->bytes, from, from + len - (fails ? 1 : 0)));
    return buf_rc(out);
}

struct object_source range_source(struct range_reader *reader) {
    return (struct object_source){get, reader, reader->bytes.len};
}
