/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a seal means exactly what was encoded, its bytes inside the zstd frame never change unnoticed, and one that
 * cannot be is neither written nor read. */
#include "made.h"
#include "own.h"
#include "squeeze.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SEEDS = 200 };

static void same_seal(const struct seal *a, const struct seal *b) {
    same_id(a->queue, b->queue);
    assert_int_equal(a->generation, b->generation);
    assert_int_equal(a->partition, b->partition);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->start, b->start);
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->epoch, b->epoch);
    same_settings(&a->settings, &b->settings);
    assert_int_equal(a->attempts_len, b->attempts_len);
    for (size_t i = 0; i < a->attempts_len; i++) {
        same_attempt(&a->attempts[i], &b->attempts[i]);
        same_facts(&a->facts[i], &b->facts[i]);
    }
    assert_int_equal(a->blocks_len, b->blocks_len);
    for (size_t i = 0; i < a->blocks_len; i++) {
        assert_int_equal(a->blocks[i].offset, b->blocks[i].offset);
        assert_int_equal(a->blocks[i].attempt, b->blocks[i].attempt);
        assert_int_equal(a->blocks[i].index, b->blocks[i].index);
    }
    assert_int_equal(a->trailers_len, b->trailers_len);
    for (size_t i = 0; i < a->trailers_len; i++) same_trailer(&a->trailers[i], &b->trailers[i]);
}

static void a_seal_comes_back(void **state) {
    (void)state;
    size_t barriers = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        AUTO(buf_done) struct buf out = BUF_INIT(SEAL_BYTES_MAX);
        struct seal seal = made_seal(&made), back;
        assert_int_equal(seal_encode(&seal, &out), RC_OK);
        assert_int_equal(seal_decode(buf_str(&out), &arena, &back, NULL), RC_OK);
        buf_reset(&out); /* decoded texts are the arena's */
        same_seal(&back, &seal);
        barriers += seal_is_barrier(&back);
    }
    assert_in_range(barriers, 1, SEEDS / 2);
}

static const struct attempt first = {.generation = 1, .file = {{1}}, .from = 0, .to = 10, .id = {{2}}, .epoch = 4};
static const struct attempt second = {
    .generation = 1, .file = {{1}}, .from = 10, .to = 30, .id = {{3}}, .predecessor = {{2}}, .epoch = 4};

/* Two attempts of one file, of which the second ended here. */
struct fixed {
    struct attempt attempts[2];
    struct facts facts[2];
    struct seal_block blocks[2];
    struct block_trailer trailers[1];
    struct seal seal;
};

static void fixed_make(struct fixed *f) {
    struct facts facts = {
        .source = STR("s"), .uri = STR("file:///a"), .inode = 7, .prefix_len = 30, .stripe_bytes = 100};
    *f = (struct fixed){.attempts = {first, second},
                        .facts = {facts, facts},
                        .blocks = {{40, 0, 5}, {44, 1, 0}},
                        .trailers = {{second, facts, {2, 2, 0, 0, 0, 2}, 1, 11, 12, true, 0, STR("")}}};
    f->seal = (struct seal){.queue = {{9}},
                            .generation = 1,
                            .partition = 2,
                            .index = 3,
                            .start = 40,
                            .end = 46,
                            .epoch = 4,
                            .settings = {STR("jsonl.zst"), 1, 268435456, 2097152, STR("zstd 1.5.4")},
                            .attempts = f->attempts,
                            .facts = f->facts,
                            .attempts_len = 2,
                            .blocks = f->blocks,
                            .blocks_len = 2,
                            .trailers = f->trailers,
                            .trailers_len = 1};
}

static void the_bytes_are_fixed(void **state) {
    (void)state;
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(SEAL_BYTES_MAX);
    AUTO(buf_done) struct buf raw = BUF_INIT(SEAL_BYTES_MAX);
    assert_int_equal(seal_encode(&f.seal, &out), RC_OK);
    assert_int_equal(unsqueeze(buf_str(&out), SEAL_BYTES_MAX, &raw, NULL), RC_OK);
    same_hex(buf_str(&raw),
             "08011210090000000000000000000000000000001801200228033028382e40044a240a096a736f6e6c2e7a7374100118"
             "808080800120808080012a0a7a73746420312e352e34522a0801121001000000000000000000000000000000280a3210"
             "020000000000000000000000000000004004523e0801121001000000000000000000000000000000200a281e32100300"
             "00000000000000000000000000003a100200000000000000000000000000000040045a1b0a0173120966696c653a2f2f"
             "2f61190700000000000000301e4064620200006a02282c720200017a02050082017d0801123e08011210010000000000"
             "00000000000000000000200a281e3210030000000000000000000000000000003a100200000000000000000000000000"
             "000040041a1b0a0173120966696c653a2f2f2f61190700000000000000301e406422060802100230022801310b000000"
             "00000000390c000000000000004001");
}

static enum rc decode_again(struct str bytes, struct buf *out) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct seal seal;
    enum rc rc = seal_decode(bytes, &arena, &seal, NULL);
    return rc == RC_OK ? seal_encode(&seal, out) : rc;
}

/* The same with what is inside the frame, whose checksum would find every change. */
static enum rc decode_inner(struct str bytes, struct buf *out) {
    AUTO(buf_done) struct buf frame = BUF_INIT(SEAL_BYTES_MAX);
    AUTO(buf_done) struct buf again = BUF_INIT(SEAL_BYTES_MAX);
    assert_int_equal(squeeze(bytes, &frame), RC_OK);
    enum rc rc = decode_again(buf_str(&frame), &again);
    return rc == RC_OK ? unsqueeze(buf_str(&again), SEAL_BYTES_MAX, out, NULL) : rc;
}

static void changed_bytes_are_refused_or_are_another_seal(void **state) {
    (void)state;
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(SEAL_BYTES_MAX);
    AUTO(buf_done) struct buf raw = BUF_INIT(SEAL_BYTES_MAX);
    assert_int_equal(seal_encode(&f.seal, &out), RC_OK);
    hostile(buf_str(&out), decode_again, false);
    assert_int_equal(unsqueeze(buf_str(&out), SEAL_BYTES_MAX, &raw, NULL), RC_OK);
    hostile(buf_str(&raw), decode_inner, true);
}

static void every_change_of_a_frame_is_found(void **state) {
    (void)state;
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(SEAL_BYTES_MAX);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    assert_int_equal(seal_encode(&f.seal, &out), RC_OK);
    struct seal back;
    assert_int_equal(seal_decode(str_sub(buf_str(&out), 0, out.len - 1), &arena, &back, NULL), RC_BAD);
    out.at[out.len - 1] = (char)(out.at[out.len - 1] ^ 1);
    assert_int_equal(seal_decode(buf_str(&out), &arena, &back, NULL), RC_BAD);
    out.at[out.len - 1] = (char)(out.at[out.len - 1] ^ 1);
    buf_add_char(&out, 0);
    assert_int_equal(seal_decode(buf_str(&out), &arena, &back, NULL), RC_BAD);
}

static void expect_refused(const struct fixed *f, const char *what) {
    AUTO(buf_done) struct buf out = BUF_INIT(SEAL_BYTES_MAX);
    if (seal_encode(&f->seal, &out) != RC_BAD) fail_msg("a seal was written: %s", what);
}

#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        struct fixed f;                                                                                                \
        fixed_make(&f);                                                                                                \
        change;                                                                                                        \
        expect_refused(&f, #change);                                                                                   \
    } while (0)

static void seals_that_cannot_be_are_not_written(void **state) {
    (void)state;
    REFUSED(f.seal.queue = (struct id){0});
    REFUSED(f.seal.end = 39);
    REFUSED(f.seal.end = 40);             /* a barrier that holds something */
    REFUSED(f.seal.end = 44);             /* a block at the end */
    REFUSED(f.seal.start = 41);           /* a block before the start */
    REFUSED(f.blocks[1].offset = 40);     /* twice the same */
    REFUSED(f.blocks[1].attempt = 2);     /* an attempt that is not there */
    REFUSED(f.attempts[1].id = first.id); /* an attempt twice */
    REFUSED(f.trailers[0].attempt.id = (struct id){{77}});
    REFUSED(f.trailers[0].counts.lines = 3);
    REFUSED(f.attempts[0].to = 0);
    REFUSED(f.facts[1].uri = STR(""));
    REFUSED(f.seal.settings.format = STR(""));
    REFUSED(f.seal.settings.object_bytes = 0);
    REFUSED(f.seal.settings.block_bytes = 0);
}

static void a_bomb_is_refused_before_it_is_inflated(void **state) {
    (void)state;
    AUTO(buf_done) struct buf zeros = BUF_INIT((size_t)SEAL_BYTES_MAX + 1);
    AUTO(buf_done) struct buf frame = BUF_INIT((size_t)SEAL_BYTES_MAX * 2);
    assert_int_equal(buf_reserve(&zeros, (size_t)SEAL_BYTES_MAX + 1), RC_OK);
    memset(zeros.at, 0, (size_t)SEAL_BYTES_MAX + 1);
    zeros.len = (size_t)SEAL_BYTES_MAX + 1;
    assert_int_equal(squeeze(buf_str(&zeros), &frame), RC_OK);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct seal back;
    struct why why = {0};
    assert_int_equal(seal_decode(buf_str(&frame), &arena, &back, &why), RC_BAD);
    assert_non_null(strstr(why.text, "at most"));
    assert_int_equal(arena_used(&arena), 0);
}

/* Half a megabyte of empty attempts would be a hundred of structs. */
static void many_empty_messages_are_refused_within_bounds(void **state) {
    (void)state;
    AUTO(buf_done) struct buf raw = BUF_INIT(1024 * 1024);
    AUTO(buf_done) struct buf frame = BUF_INIT(1024 * 1024);
    while (raw.len < 512 * 1024) buf_add(&raw, STR("\x52\x00"));
    assert_int_equal(squeeze(buf_str(&raw), &frame), RC_OK);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct seal back;
    assert_int_equal(seal_decode(buf_str(&frame), &arena, &back, NULL), RC_BAD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seal_comes_back),
        cmocka_unit_test(the_bytes_are_fixed),
        cmocka_unit_test(changed_bytes_are_refused_or_are_another_seal),
        cmocka_unit_test(every_change_of_a_frame_is_found),
        cmocka_unit_test(seals_that_cannot_be_are_not_written),
        cmocka_unit_test(a_bomb_is_refused_before_it_is_inflated),
        cmocka_unit_test(many_empty_messages_are_refused_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
