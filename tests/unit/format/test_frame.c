/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a frame holds exactly the bytes that were given, any reader of its format takes it alone, the same bytes
 * give the same frame, and nothing else passes for one or takes more memory than allowed. */
#include "frame.h"
#include "lines.h"
#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

enum { CAP = 64 * 1024 * 1024 };
static const enum frame_format formats[] = {FRAME_ZST, FRAME_GZ};

/* Random cuts, so that a piece may end within a record. */
static size_t cut_up(struct rng *rng, struct str bytes, struct str *pieces, size_t room) {
    size_t count = 0, at = 0;
    while (at < bytes.len && count < room - 1) {
        size_t end = at + (size_t)rng_below(rng, MIN(bytes.len - at, (size_t)2000) + 1);
        pieces[count++] = str_sub(bytes, at, end);
        at = end;
    }
    pieces[count++] = str_sub(bytes, at, bytes.len);
    return count;
}

static void frames_come_back(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 300, 20000, 300000, 2097152, 5000000};
    struct rng rng = rng_from_seed(1);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(formats[f], 3);
        AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(formats[f]);
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
            AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
            AUTO(buf_done) struct buf back = BUF_INIT(CAP);
            lines_fill(&rng, sizes[i], &raw);
            struct str pieces[4000];
            size_t count = cut_up(&rng, buf_str(&raw), pieces, COUNT_OF(pieces));
            struct frame_facts facts;
            buf_add(&frame, STR("before"));
            buf_add(&back, STR("kept"));
            assert_int_equal(frame_encode(encoder, pieces, count, &frame, &facts), RC_OK);
            assert_int_equal(facts.raw_bytes, raw.len);
            assert_int_equal(facts.raw_checksum, hash_bytes(buf_str(&raw)));
            assert_true(frame.len - 6 <= frame_bound(formats[f], raw.len));
            assert_int_equal(frame_decode(decoder, str_sub(buf_str(&frame), 6, frame.len), raw.len, &back, NULL),
                             RC_OK);
            assert_int_equal(back.len, raw.len + 4);
            assert_memory_equal(back.at, "kept", 4);
            if (raw.len) assert_memory_equal(back.at + 4, raw.at, raw.len);
        }
    }
}

static void the_same_bytes_give_the_same_frame(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(2);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(frame_encoder_done) struct frame_encoder *used = frame_encoder_new(formats[f], 1);
        for (size_t i = 0; i < 5; i++) {
            AUTO(frame_encoder_done) struct frame_encoder *fresh = frame_encoder_new(formats[f], 1);
            AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
            AUTO(buf_done) struct buf a = BUF_INIT(CAP);
            AUTO(buf_done) struct buf b = BUF_INIT(CAP);
            lines_fill(&rng, (size_t)1000 << (2 * i), &raw);
            struct str whole = buf_str(&raw), pieces[3000];
            size_t count = cut_up(&rng, whole, pieces, COUNT_OF(pieces));
            assert_int_equal(frame_encode(used, &whole, 1, &a, NULL), RC_OK);
            assert_int_equal(frame_encode(fresh, pieces, count, &b, NULL), RC_OK);
            assert_true(str_equal(buf_str(&a), buf_str(&b)));
        }
    }
}

static void zstd_frames_say_their_size_and_checksum(void **state) {
    (void)state;
    AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(FRAME_ZST, 1);
    AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
    struct str raw = STR("{}\n{}\n");
    assert_int_equal(frame_encode(encoder, &raw, 1, &frame, NULL), RC_OK);
    assert_int_equal(ZSTD_getFrameContentSize(frame.at, frame.len), raw.len);
    assert_int_equal(frame.at[4] & 0x04, 0x04);
    assert_int_equal(ZSTD_getDictID_fromFrame(frame.at, frame.len), 0);
}

static void gzip_members_name_no_file_and_no_time(void **state) {
    (void)state;
    AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(FRAME_GZ, 6);
    AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
    struct str raw = STR("{}\n{}\n");
    assert_int_equal(frame_encode(encoder, &raw, 1, &frame, NULL), RC_OK);
    assert_memory_equal(frame.at, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8);
}

/* Every level makes frames that come back. */
static void every_level_works(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(3);
    AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
    lines_fill(&rng, 100000, &raw);
    struct str whole = buf_str(&raw);
    for (size_t f = 0; f < COUNT_OF(formats); f++)
        for (int level = FRAME_LEVEL_MIN; level <= frame_level_max(formats[f]); level++) {
            AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(formats[f], level);
            AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(formats[f]);
            AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
            AUTO(buf_done) struct buf back = BUF_INIT(raw.len);
            assert_int_equal(frame_encode(encoder, &whole, 1, &frame, NULL), RC_OK);
            assert_true(frame.len < raw.len / 3);
            assert_int_equal(frame_decode(decoder, buf_str(&frame), raw.len, &back, NULL), RC_OK);
            assert_true(str_equal(buf_str(&back), whole));
        }
}

/* What zstd makes of all of it in one frame at its own settings for the level. */
static size_t one_stream(int level, struct str raw) {
    AUTO(buf_done) struct buf out = BUF_INIT(CAP);
    assert_int_equal(buf_reserve(&out, ZSTD_compressBound(raw.len)), RC_OK);
    return ZSTD_compress(out.at, ZSTD_compressBound(raw.len), raw.at, raw.len, level);
}

static void frames_of_2_mib_are_within_3_percent_of_one_stream(void **state) {
    (void)state;
    enum { BLOCK = 2 * 1024 * 1024 };
    struct rng rng = rng_from_seed(4);
    AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
    lines_fill(&rng, (size_t)8 * BLOCK, &raw);
    for (int level = 1; level <= 3; level += 2) {
        AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(FRAME_ZST, level);
        AUTO(buf_done) struct buf out = BUF_INIT(CAP);
        for (size_t at = 0; at < raw.len; at += BLOCK) {
            struct str block = str_sub(buf_str(&raw), at, MIN(at + BLOCK, raw.len));
            assert_int_equal(frame_encode(encoder, &block, 1, &out, NULL), RC_OK);
        }
        size_t stream = one_stream(level, buf_str(&raw));
        print_message("level %d: %zu bytes, in one stream %zu, %+.2f%%\n", level, out.len, stream,
                      100.0 * ((double)out.len / (double)stream - 1));
        assert_true(out.len <= stream + stream * 3 / 100);
    }
}

static void memory_is_told_and_kept(void **state) {
    (void)state;
    AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(FRAME_ZST, 1);
    AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
    AUTO(buf_done) struct buf out = BUF_INIT(CAP);
    struct rng rng = rng_from_seed(5);
    lines_fill(&rng, 2000000, &raw);
    struct str pieces[] = {str_sub(buf_str(&raw), 0, 1000000), str_sub(buf_str(&raw), 1000000, raw.len)};
    assert_int_equal(frame_encode(encoder, pieces, 2, &out, NULL), RC_OK);
    assert_in_range(frame_encoder_bytes(encoder), 0, 1999999); /* pieces that follow one another are not copied */
    struct str first = pieces[0];
    pieces[0] = pieces[1], pieces[1] = first;
    assert_int_equal(frame_encode(encoder, pieces, 2, &out, NULL), RC_OK);
    size_t bytes = frame_encoder_bytes(encoder);
    assert_in_range(bytes, 2000000, 6000000);
    for (int i = 0; i < 20; i++) {
        buf_reset(&out);
        assert_int_equal(frame_encode(encoder, pieces, 2, &out, NULL), RC_OK);
    }
    assert_int_equal(frame_encoder_bytes(encoder), bytes);
    AUTO(frame_encoder_done) struct frame_encoder *gz = frame_encoder_new(FRAME_GZ, 6);
    assert_in_range(frame_encoder_bytes(gz), 256 * 1024, 512 * 1024);
}

static void a_full_buffer_stays_as_it_was(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(6);
    AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
    lines_fill(&rng, 10000, &raw);
    struct str whole = buf_str(&raw);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(formats[f], 1);
        AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(formats[f]);
        AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
        assert_int_equal(frame_encode(encoder, &whole, 1, &frame, NULL), RC_OK);
        AUTO(buf_done) struct buf exact = BUF_INIT(frame.len + 64);
        assert_int_equal(frame_encode(encoder, &whole, 1, &exact, NULL), RC_OK);
        for (size_t cap = 4; cap < frame.len + 4; cap += 97) {
            AUTO(buf_done) struct buf small = BUF_INIT(cap);
            buf_add(&small, STR("kept"));
            assert_int_equal(frame_encode(encoder, &whole, 1, &small, NULL), RC_LIMIT);
            assert_int_equal(small.len, 4);
        }
        for (size_t cap = 0; cap < raw.len; cap += 997) {
            AUTO(buf_done) struct buf small = BUF_INIT(cap);
            assert_int_equal(frame_decode(decoder, buf_str(&frame), raw.len, &small, NULL), RC_LIMIT);
            assert_int_equal(small.len, 0);
        }
        /* The encoder goes on as before. */
        AUTO(buf_done) struct buf again = BUF_INIT(CAP);
        assert_int_equal(frame_encode(encoder, &whole, 1, &again, NULL), RC_OK);
        assert_true(str_equal(buf_str(&again), buf_str(&frame)));
    }
}

static void a_bomb_stops_at_the_limit(void **state) {
    (void)state;
    AUTO(buf_done) struct buf zeros = BUF_INIT(CAP);
    assert_int_equal(buf_reserve(&zeros, 32 << 20), RC_OK);
    memset(zeros.at, '\n', 32 << 20);
    zeros.len = 32 << 20;
    struct str whole = buf_str(&zeros);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(formats[f], 9);
        AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(formats[f]);
        AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
        AUTO(buf_done) struct buf back = BUF_INIT(CAP);
        assert_int_equal(frame_encode(encoder, &whole, 1, &frame, NULL), RC_OK);
        assert_int_equal(frame_decode(decoder, buf_str(&frame), 1 << 20, &back, NULL), RC_LIMIT);
        assert_int_equal(back.len, 0);
        assert_true(back.room <= (2 << 20));
        assert_int_equal(frame_decode(decoder, buf_str(&frame), whole.len - 1, &back, NULL), RC_LIMIT);
        assert_int_equal(frame_decode(decoder, buf_str(&frame), whole.len, &back, NULL), RC_OK);
    }
}

static void damaged_frames_are_broken(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(7);
    AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
    lines_fill(&rng, 1500, &raw);
    struct str whole = buf_str(&raw);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(formats[f], 1);
        AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(formats[f]);
        AUTO(buf_done) struct buf frame = BUF_INIT(CAP);
        AUTO(buf_done) struct buf back = BUF_INIT(CAP);
        assert_int_equal(frame_encode(encoder, &whole, 1, &frame, NULL), RC_OK);
        for (size_t len = 0; len < frame.len; len++)
            assert_int_equal(frame_decode(decoder, str_sub(buf_str(&frame), 0, len), raw.len, &back, NULL), RC_BROKEN);
        for (size_t i = 0; i < frame.len; i++)
            for (int bit = 0; bit < 8; bit++) {
                frame.at[i] = (char)(frame.at[i] ^ 1 << bit);
                enum rc rc = frame_decode(decoder, buf_str(&frame), raw.len, &back, NULL);
                /* Some bits mean nothing to a reader (gzip's time, the padding of zstd's streams); the checksum of the
                 * content says so. Sizes in headers can announce more than fits. */
                bool harmless = rc == RC_OK && str_equal(buf_str(&back), whole);
                assert_true(rc == RC_BROKEN || rc == RC_LIMIT || harmless);
                assert_true(harmless || back.len == 0);
                buf_reset(&back);
                frame.at[i] = (char)(frame.at[i] ^ 1 << bit);
            }
        buf_add_char(&frame, 'x');
        assert_int_equal(frame_decode(decoder, buf_str(&frame), raw.len, &back, NULL), RC_BROKEN);
        assert_int_equal(back.len, 0);
    }
}

static void frames_that_are_not_ours_are_broken(void **state) {
    (void)state;
    AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(FRAME_ZST);
    AUTO(buf_done) struct buf back = BUF_INIT(CAP);
    struct str skippable = STR("\x5c\x2a\x4d\x18\x02\x00\x00\x00hi");
    assert_int_equal(frame_decode(decoder, skippable, 100, &back, NULL), RC_BROKEN);
    char plain[200]; /* without checksum */
    size_t n = ZSTD_compress(plain, sizeof plain, "{}\n", 3, 1);
    assert_int_equal(frame_decode(decoder, (struct str){plain, n}, 100, &back, NULL), RC_BROKEN);
    assert_int_equal(frame_decode(decoder, STR(""), 100, &back, NULL), RC_BROKEN);
}

static void frames_are_found_one_after_the_other(void **state) {
    (void)state;
    struct str records[] = {STR("{\"a\":1}\n"), STR("{\"b\":2}\n{}\n")};
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(formats[f], 1);
        AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(formats[f]);
        AUTO(buf_done) struct buf both = BUF_INIT(CAP);
        AUTO(buf_done) struct buf back = BUF_INIT(CAP);
        assert_int_equal(frame_encode(encoder, &records[0], 1, &both, NULL), RC_OK);
        size_t first = both.len, taken = 0;
        assert_int_equal(frame_encode(encoder, &records[1], 1, &both, NULL), RC_OK);
        assert_int_equal(frame_decode_first(decoder, buf_str(&both), 100, &back, &taken, NULL), RC_OK);
        assert_int_equal(taken, first);
        assert_true(str_equal(buf_str(&back), records[0]));
        buf_reset(&back);
        struct str rest = str_sub(buf_str(&both), taken, both.len);
        assert_int_equal(frame_decode_first(decoder, rest, 100, &back, &taken, NULL), RC_OK);
        assert_int_equal(taken, rest.len);
        assert_true(str_equal(buf_str(&back), records[1]));
    }
}

static void formats_have_names(void **state) {
    (void)state;
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        enum frame_format back = FRAME_ZST;
        assert_int_equal(frame_format_parse(frame_format_name(formats[f]), &back), RC_OK);
        assert_int_equal(back, formats[f]);
    }
    enum frame_format none;
    assert_int_equal(frame_format_parse(STR("jsonl"), &none), RC_BAD);
    assert_int_equal(frame_format_parse(STR(""), &none), RC_BAD);
    assert_int_equal(frame_codec(FRAME_ZST), BLOCK_ZSTD);
    assert_int_equal(frame_codec(FRAME_GZ), BLOCK_GZIP);
    assert_true(str_equal(frame_library(FRAME_ZST), STR("zstd " ZSTD_VERSION_STRING)));
    assert_true(str_equal(frame_library(FRAME_GZ), STR("zlib " ZLIB_VERSION)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back),
        cmocka_unit_test(the_same_bytes_give_the_same_frame),
        cmocka_unit_test(zstd_frames_say_their_size_and_checksum),
        cmocka_unit_test(gzip_members_name_no_file_and_no_time),
        cmocka_unit_test(every_level_works),
        cmocka_unit_test(frames_of_2_mib_are_within_3_percent_of_one_stream),
        cmocka_unit_test(memory_is_told_and_kept),
        cmocka_unit_test(a_full_buffer_stays_as_it_was),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(damaged_frames_are_broken),
        cmocka_unit_test(frames_that_are_not_ours_are_broken),
        cmocka_unit_test(frames_are_found_one_after_the_other),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
