/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every block is in exactly one frame; a frame of the output's format passes as it is, the others are joined
 * in order to even frames near block_bytes, never beyond half as much again, and never far beyond what a frame should
 * take compressed. */
#include "join.h"
#include "num.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SEEDS = 500, BLOCKS_MAX = 300, MIB = 1024 * 1024 };

static void check_frame(const struct join *join, const struct join_frame *f, const struct join_block *blocks) {
    uint64_t raw = 0, expected = 0;
    for (size_t i = f->from; i < f->to; i++) {
        raw += blocks[join->order[i]].raw_bytes;
        expected += blocks[join->order[i]].expected_bytes;
        assert_int_equal(f->passes, blocks[join->order[i]].codec == BLOCK_ZSTD);
        if (i > f->from) assert_true(join->order[i] > join->order[i - 1]);
    }
    assert_true(f->to > f->from && (!f->passes || f->to == f->from + 1));
    assert_int_equal(f->raw_bytes, raw);
    assert_int_equal(f->expected_bytes, expected);
}

static void blocks_are_covered_once(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng rng = rng_from_seed(seed);
        struct join_block blocks[BLOCKS_MAX];
        size_t count = (size_t)rng_below(&rng, BLOCKS_MAX);
        uint64_t block_bytes = (1 + rng_below(&rng, 4)) * MIB, largest = 1 + rng_below(&rng, 3 * MIB);
        for (size_t i = 0; i < count; i++)
            blocks[i] = (struct join_block){(enum block_codec)rng_below(&rng, 3), 1 + rng_below(&rng, largest),
                                            rng_below(&rng, MIB)};
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        struct join_limits limits = {BLOCK_ZSTD, block_bytes, 1 + rng_below(&rng, 4 * MIB)};
        struct join join = join_blocks(blocks, count, &limits, &arena);
        bool seen[BLOCKS_MAX] = {0};
        size_t at = 0, last_joined = 0, last_passed = 0;
        for (size_t k = 0; k < join.frames_len; k++) {
            const struct join_frame *f = &join.frames[k];
            assert_int_equal(f->from, at);
            at = f->to;
            check_frame(&join, f, blocks);
            for (size_t i = f->from; i < f->to; i++) {
                size_t *last = f->passes ? &last_passed : &last_joined, block = join.order[i];
                assert_false(seen[block]);
                seen[block] = true;
                assert_true(*last == 0 || block > *last); /* each kind stays in order */
                *last = block;
            }
            if (f->passes) continue;
            if (f->to > f->from + 1) assert_true(f->raw_bytes <= block_bytes + block_bytes / 2);
            if (f->to > f->from + 1) assert_true(f->expected_bytes < limits.frame_bytes + MIB);
        }
        assert_int_equal(at, count);
    }
}

static struct join join_all(const struct join_block *blocks, size_t count, enum block_codec codec, uint64_t block_bytes,
                            struct arena *arena) {
    return join_blocks(blocks, count, &(struct join_limits){codec, block_bytes, UINT64_MAX}, arena);
}

static void small_ones_are_joined_evenly(void **state) {
    (void)state;
    struct join_block blocks[1000];
    for (size_t i = 0; i < COUNT_OF(blocks); i++) blocks[i] = (struct join_block){BLOCK_STORED, 10000, 2000};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct join join = join_all(blocks, COUNT_OF(blocks), BLOCK_ZSTD, 2 * MIB, &arena);
    assert_int_equal(join.frames_len, 5);
    for (size_t i = 0; i < 5; i++) assert_int_equal(join.frames[i].raw_bytes, 2000000);
    struct join_limits limits = {BLOCK_ZSTD, 2 * MIB, 100000};
    join = join_blocks(blocks, COUNT_OF(blocks), &limits, &arena);
    assert_int_equal(join.frames_len, 20);
    for (size_t i = 0; i < 20; i++) assert_int_equal(join.frames[i].expected_bytes, 100000);
}

static void a_little_over_one_frame_stays_one(void **state) {
    (void)state;
    struct join_block blocks[29];
    for (size_t i = 0; i < COUNT_OF(blocks); i++) blocks[i] = (struct join_block){BLOCK_STORED, 100000, 2000};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct join join = join_all(blocks, COUNT_OF(blocks), BLOCK_ZSTD, 2 * MIB, &arena);
    assert_int_equal(join.frames_len, 1);
    assert_int_equal(join.frames[0].raw_bytes, 2900000);
}

static void a_large_one_does_not_end_the_group(void **state) {
    (void)state;
    struct join_block blocks[] = {{BLOCK_STORED, 100, 20}, {BLOCK_GZIP, 2 * MIB, 300000}, {BLOCK_STORED, 100, 20}};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct join join = join_all(blocks, COUNT_OF(blocks), BLOCK_GZIP, 2 * MIB, &arena);
    assert_int_equal(join.frames_len, 2);
    assert_true(join.frames[0].passes);
    assert_int_equal(join.order[0], 1);
    assert_int_equal(join.order[1], 0);
    assert_int_equal(join.order[2], 2);
    assert_int_equal(join.frames[1].expected_bytes, 40);
}

static void small_block_bytes_are_kept(void **state) {
    (void)state;
    struct join_block blocks[] = {{BLOCK_STORED, 60, 1},
                                  {BLOCK_STORED, 60, 1},
                                  {BLOCK_STORED, 500, 1},
                                  {BLOCK_STORED, 40, 1},
                                  {BLOCK_STORED, 60, 1}};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct join join = join_all(blocks, COUNT_OF(blocks), BLOCK_ZSTD, 100, &arena);
    static const uint64_t expected[] = {120, 500, 100};
    assert_int_equal(join.frames_len, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) assert_int_equal(join.frames[i].raw_bytes, expected[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_covered_once),           cmocka_unit_test(small_ones_are_joined_evenly),
        cmocka_unit_test(a_little_over_one_frame_stays_one), cmocka_unit_test(a_large_one_does_not_end_the_group),
        cmocka_unit_test(small_block_bytes_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
