/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: while frames are small against object_bytes, no object is above 1.1 times it, and none is below half of it
 * where there is that much; every frame is in exactly one object, in order, whatever the sizes. */
#include "num.h"
#include "rng.h"
#include "split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { FRAMES_MAX = 3000, SEEDS = 3000 };

static uint64_t sum_of(const uint64_t *sizes, size_t from, size_t to) {
    uint64_t sum = 0;
    for (size_t i = from; i < to; i++) sum = num_add(sum, sizes[i]);
    return sum;
}

/* Ends go up by at least one frame each to the last. */
static void check_cover(const size_t *ends, size_t objects, size_t count) {
    for (size_t i = 0; i < objects; i++) assert_true(ends[i] > (i ? ends[i - 1] : 0));
    assert_int_equal(ends[objects - 1], count);
}

static void objects_are_even(void **state) {
    (void)state;
    static uint64_t sizes[FRAMES_MAX];
    static size_t ends[FRAMES_MAX];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng rng = rng_from_seed(seed);
        uint64_t object_bytes = 20 + rng_below(&rng, 1 << rng_below(&rng, 30));
        uint64_t most = 1 + rng_below(&rng, object_bytes / 20);
        size_t count = 1 + (size_t)rng_below(&rng, FRAMES_MAX);
        bool alike = rng_below(&rng, 3) == 0; /* all at the largest: the hardest case */
        for (size_t i = 0; i < count; i++) sizes[i] = alike ? most : 1 + rng_below(&rng, most);
        uint64_t sum = sum_of(sizes, 0, count);
        size_t objects = split_count(sum, count, object_bytes);
        split_frames(sizes, count, objects, ends);
        check_cover(ends, objects, count);
        for (size_t i = 0; i < objects; i++) {
            uint64_t bytes = sum_of(sizes, i ? ends[i - 1] : 0, ends[i]);
            if (bytes * 10 > object_bytes * 11 || (objects > 1 && bytes * 2 < object_bytes))
                fail_msg("seed %d: object %zu of %zu has %llu bytes of %llu", (int)seed, i, objects,
                         (unsigned long long)bytes, (unsigned long long)object_bytes);
        }
    }
}

/* Just above a multiple of the size, where ceil(B / size) would cut too small. */
static void the_edges_are_even(void **state) {
    (void)state;
    static uint64_t sizes[FRAMES_MAX];
    static size_t ends[FRAMES_MAX];
    for (size_t count = 1; count < 400; count++) {
        for (size_t i = 0; i < count; i++) sizes[i] = 5;
        size_t objects = split_count(count * 5, count, 100);
        split_frames(sizes, count, objects, ends);
        check_cover(ends, objects, count);
        for (size_t i = 0; i < objects; i++) {
            uint64_t bytes = sum_of(sizes, i ? ends[i - 1] : 0, ends[i]);
            assert_true(bytes <= 110 && (objects == 1 || bytes >= 50));
        }
    }
}

static void any_sizes_are_covered(void **state) {
    (void)state;
    static uint64_t sizes[FRAMES_MAX];
    static size_t ends[FRAMES_MAX];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rng rng = rng_from_seed(seed);
        size_t count = 1 + (size_t)rng_below(&rng, 50);
        for (size_t i = 0; i < count; i++) sizes[i] = rng_next(&rng) >> rng_below(&rng, 64);
        size_t objects = split_count(sum_of(sizes, 0, count), count, 1 + (rng_next(&rng) >> rng_below(&rng, 64)));
        assert_in_range(objects, 1, count);
        split_frames(sizes, count, objects, ends);
        check_cover(ends, objects, count);
    }
}

static void counts_at_the_edges(void **state) {
    (void)state;
    assert_int_equal(split_count(0, 0, 100), 0);
    assert_int_equal(split_count(0, 3, 100), 1);
    assert_int_equal(split_count(105, 21, 100), 1);
    assert_int_equal(split_count(106, 22, 100), 2);
    assert_int_equal(split_count(1000, 2, 100), 2);
    assert_int_equal(split_count(UINT64_MAX, SIZE_MAX, UINT64_MAX), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_even),
        cmocka_unit_test(the_edges_are_even),
        cmocka_unit_test(any_sizes_are_covered),
        cmocka_unit_test(counts_at_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
