/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an object is read by any reader of its format, its seek table is what zstd's seekable format 0.1.0 says, its
 * facts are those of its bytes, and our reader gives back what went in, in few and bounded reads. */
#include "num.h"
#include "object.h"
#include "own.h"
#include "store_of_one.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

enum { CAP = 64 * 1024 * 1024 };
static const enum frame_format formats[] = {FRAME_ZST, FRAME_GZ};

static void zstd_inflate_all(struct str object, struct buf *out) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {object.at, object.len, 0};
    size_t rc = 1;
    while (in.pos < in.size) {
        char piece[10000];
        ZSTD_outBuffer to = {piece, sizeof piece, 0};
        rc = ZSTD_decompressStream(stream, &to, &in);
        assert_false(ZSTD_isError(rc));
        buf_add(out, (struct str){piece, to.pos});
    }
    assert_int_equal(rc, 0);
    ZSTD_freeDStream(stream);
}

static void gzip_inflate_all(struct str object, struct buf *out) {
    z_stream stream = {0};
    assert_int_equal(inflateInit2(&stream, 31), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)object.at;
    stream.avail_in = (uInt)object.len;
    while (stream.avail_in) {
        char piece[10000];
        stream.next_out = (Bytef *)piece;
        stream.avail_out = sizeof piece;
        int rc = inflate(&stream, Z_NO_FLUSH);
        assert_true(rc == Z_OK || rc == Z_STREAM_END);
        buf_add(out, (struct str){piece, sizeof piece - stream.avail_out});
        if (rc == Z_STREAM_END) inflateReset(&stream);
    }
    inflateEnd(&stream);
}

static void other_readers_read_it_whole(void **state) {
    (void)state;
    for (size_t f = 0; f < COUNT_OF(formats); f++)
        for (size_t frames = 1; frames < 30; frames += 7) {
            AUTO(made_object_done) struct made_object made;
            AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
            object_make(formats[f], frames, 20000, frames, &made);
            if (formats[f] == FRAME_ZST)
                zstd_inflate_all(buf_str(&made.bytes), &raw);
            else
                gzip_inflate_all(buf_str(&made.bytes), &raw);
            assert_true(str_equal(buf_str(&raw), buf_str(&made.raw)));
        }
}

static uint32_t u32(const char *at) {
    uint32_t value = 0;
    memcpy(&value, at, sizeof value); /* little-endian machines only, as all that we build for */
    return value;
}

/* Read by the words of the specification alone: from the end, each entry against the frame that it describes. */
static void the_seek_table_follows_its_specification(void **state) {
    (void)state;
    enum { FRAMES = 9 };
    AUTO(made_object_done) struct made_object made;
    object_make(FRAME_ZST, FRAMES, 5000, 1, &made);
    const char *end = made.bytes.at + made.bytes.len;
    assert_int_equal(u32(end - 4), 0x8F92EAB1);
    assert_int_equal((uint8_t)end[-5], 0x80);
    size_t entries = u32(end - 9);
    assert_int_equal(entries, FRAMES + 1);
    const char *frame = end - 9 - entries * 12 - 8;
    assert_int_equal(u32(frame), 0x184D2A5E);
    assert_int_equal(u32(frame + 4), entries * 12 + 9);
    size_t at = 0, raw_at = 0;
    for (size_t i = 0; i < entries; i++) {
        const char *entry = frame + 8 + i * 12;
        size_t bytes = u32(entry), raw = u32(entry + 4);
        assert_int_equal(ZSTD_findFrameCompressedSize(made.bytes.at + at, made.bytes.len - at), bytes);
        assert_int_equal((uint32_t)XXH64(made.raw.at + raw_at, raw, 0), u32(entry + 8));
        at += bytes;
        raw_at += raw;
    }
    assert_ptr_equal(made.bytes.at + at, frame);
    assert_int_equal(raw_at, made.raw.len);
}

static void the_footer_stands_in_front_of_the_seek_table(void **state) {
    (void)state;
    AUTO(made_object_done) struct made_object made;
    object_make(FRAME_ZST, 3, 5000, 1, &made);
    const char *end = made.bytes.at + made.bytes.len, *table = end - 9 - 4 * 12 - 8;
    size_t bytes = u32(table + 8 + 3 * 12);
    const char *at = table - bytes;
    assert_int_equal(u32(at), 0x184D2A5C);
    assert_int_equal(u32(at + 4), bytes - 8);
    assert_memory_equal(at + 8, "SLUICEFT\x02\x00\x00\x00", 12);
    struct str footer = {at + 20, bytes - 28};
    assert_true(str_equal(footer, made.facts.footer));
    uint64_t sum = 0;
    memcpy(&sum, at + 20 + footer.len, 8);
    assert_int_equal(sum, XXH3_64bits(footer.at, footer.len));
}

static void facts_are_those_of_the_bytes(void **state) {
    (void)state;
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(made_object_done) struct made_object made;
        object_make(formats[f], 5, 5000, 1, &made);
        assert_int_equal(made.facts.bytes, made.bytes.len);
        assert_int_equal(made.facts.raw_bytes, made.raw.len);
        assert_int_equal(made.facts.records, made.records);
        assert_int_equal(made.facts.blocks, 5);
        assert_int_equal(made.facts.checksum, XXH3_64bits(made.bytes.at, made.bytes.len));
        assert_true(made.facts.has_time);
        assert_int_equal(made.facts.time_min_ns, 0);
        assert_int_equal(made.facts.time_max_ns, 5);
    }
}

static void our_reader_gives_back_what_went_in(void **state) {
    (void)state;
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(made_object_done) struct made_object made;
        object_make(formats[f], 12, 30000, 2, &made);
        struct range_reader reader = {.bytes = buf_str(&made.bytes)};
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(formats[f]);
        AUTO(buf_done) struct buf compressed = BUF_INIT(CAP);
        AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
        AUTO(buf_done) struct buf all = BUF_INIT(CAP);
        struct object object;
        assert_int_equal(object_open(range_source(&reader), formats[f], made.facts.footer, &arena, &object, NULL),
                         RC_OK);
        assert_int_equal(object.records, made.records);
        assert_int_equal(object.raw_bytes, made.raw.len);
        assert_true(str_equal(object.footer.output, STR("dt=2026-01-01")));
        for (size_t i = 0; i < object.footer.blocks_len; i++) {
            assert_int_equal(object_read(&object, decoder, i, &compressed, &raw, NULL), RC_OK);
            buf_add(&all, buf_str(&raw));
        }
        assert_true(str_equal(buf_str(&all), buf_str(&made.raw)));
        assert_int_equal(object_read(&object, decoder, 12, &compressed, &raw, NULL), RC_ABSENT);
        assert_int_equal(object_check(&object, made.facts.checksum, decoder, &compressed, &raw, NULL), RC_OK);
        assert_int_equal(object_check(&object, made.facts.checksum + 1, decoder, &compressed, &raw, NULL), RC_BROKEN);
    }
}

static void opening_reads_the_end_only(void **state) {
    (void)state;
    AUTO(made_object_done) struct made_object made;
    object_make(FRAME_ZST, 100, 20000, 3, &made);
    struct range_reader reader = {.bytes = buf_str(&made.bytes)};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct object object;
    assert_int_equal(object_open(range_source(&reader), FRAME_ZST, STR(""), &arena, &object, NULL), RC_OK);
    assert_int_equal(reader.calls, 1);
    assert_int_equal(reader.most, OBJECT_TAIL_GUESS);
}

/* 8,000 frames: the seek table alone is larger than what is read first. */
static void a_long_footer_is_read_in_three_pieces(void **state) {
    (void)state;
    AUTO(made_object_done) struct made_object made;
    object_make(FRAME_ZST, 8000, 100, 4, &made);
    struct range_reader reader = {.bytes = buf_str(&made.bytes)};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct object object;
    assert_int_equal(object_open(range_source(&reader), FRAME_ZST, STR(""), &arena, &object, NULL), RC_OK);
    assert_int_equal(object.footer.blocks_len, 8000);
    assert_int_equal(reader.calls, 3);
}

static void records_are_gone_through(void **state) {
    (void)state;
    struct str rest = STR("{\"a\":1}\n\n{}\n"), record;
    static const char *const expected[] = {"{\"a\":1}", "", "{}"};
    size_t n = 0;
    for (; object_next_record(&rest, &record); n++) assert_true(str_equal(record, str_of(expected[n])));
    assert_int_equal(n, 3);
}

static void the_writer_refuses_what_is_no_frame(void **state) {
    (void)state;
    struct footer head = {.queue = {{1}}, .settings = {STR("jsonl.zst"), 1, 1, 1, STR("")}};
    AUTO(object_writer_done) struct object_writer *writer = object_writer_new(FRAME_ZST, &head);
    AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(FRAME_ZST, 1);
    AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
    struct str raw = STR("{}\n");
    assert_int_equal(frame_encode(encoder, &raw, 1, &frame, NULL), RC_OK);
    struct footer_part part = {{{1}}, 0, 0, 3, {{2}}, 0, 1, 3};
    struct footer_block block = {.raw_bytes = 3, .records = 1, .parts = &part, .parts_len = 1};
    assert_int_equal(object_writer_add(writer, STR(""), &block, NULL), RC_LIMIT);
    assert_int_equal(object_writer_add(writer, STR("{}\n"), &block, NULL), RC_BROKEN);
    block.raw_bytes = 4;
    assert_int_equal(object_writer_add(writer, buf_str(&frame), &block, NULL), RC_BROKEN);
    block.raw_bytes = 3;
    buf_add_char(&frame, 0);
    assert_int_equal(object_writer_add(writer, buf_str(&frame), &block, NULL), RC_BROKEN);
    frame.len--;
    assert_int_equal(object_writer_add(writer, buf_str(&frame), &block, NULL), RC_OK);
    AUTO(buf_done) struct buf small = BUF_INIT(100);
    AUTO(buf_done) struct buf tail = BUF_INIT(CAP);
    struct object_facts facts;
    assert_int_equal(object_writer_end(writer, &small, &facts, NULL), RC_LIMIT);
    assert_int_equal(small.len, 0);
    assert_int_equal(object_writer_end(writer, &tail, &facts, NULL), RC_OK);
    assert_int_equal(facts.bytes, frame.len + tail.len);
}

static void a_block_that_its_parts_are_not_is_refused_at_the_end(void **state) {
    (void)state;
    struct footer head = {.queue = {{1}}, .settings = {STR("jsonl.gz"), 1, 1, 1, STR("")}};
    AUTO(object_writer_done) struct object_writer *writer = object_writer_new(FRAME_GZ, &head);
    struct footer_part part = {{{1}}, 0, 0, 3, {{2}}, 0, 1, 2};
    struct footer_block block = {.raw_bytes = 3, .records = 1, .parts = &part, .parts_len = 1};
    assert_int_equal(object_writer_add(writer, STR("member"), &block, NULL), RC_OK);
    AUTO(buf_done) struct buf tail = BUF_INIT(CAP);
    struct object_facts facts;
    assert_int_equal(object_writer_end(writer, &tail, &facts, NULL), RC_BAD);
    assert_int_equal(tail.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_readers_read_it_whole),
        cmocka_unit_test(the_seek_table_follows_its_specification),
        cmocka_unit_test(the_footer_stands_in_front_of_the_seek_table),
        cmocka_unit_test(facts_are_those_of_the_bytes),
        cmocka_unit_test(our_reader_gives_back_what_went_in),
        cmocka_unit_test(opening_reads_the_end_only),
        cmocka_unit_test(a_long_footer_is_read_in_three_pieces),
        cmocka_unit_test(records_are_gone_through),
        cmocka_unit_test(the_writer_refuses_what_is_no_frame),
        cmocka_unit_test(a_block_that_its_parts_are_not_is_refused_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
