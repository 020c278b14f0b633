/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: waits grow to the cap and never past it, differ between clients, repeat with a seed, and start again after a
 * success. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backoff.h"
#include "num.h"

static void every_wait_is_between_one_and_its_bound(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct backoff b = backoff_make(100, 30000, rng_from_seed(seed));
        uint64_t bound = 100;
        for (int i = 0; i < 80; i++) {
            uint64_t wait = backoff_next_ms(&b);
            assert_in_range(wait, 1, bound);
            bound = MIN(bound * 2, 30000);
        }
    }
}

static void waits_reach_near_the_cap(void **state) {
    (void)state;
    struct backoff b = backoff_make(10, 1000, rng_from_seed(7));
    uint64_t largest = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t wait = backoff_next_ms(&b);
        largest = MAX(largest, wait);
    }
    assert_in_range(largest, 950, 1000);
}

static void a_reset_makes_the_next_wait_a_first_one(void **state) {
    (void)state;
    struct backoff b = backoff_make(10, 100000, rng_from_seed(7));
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 10; i++) (void)backoff_next_ms(&b);
        backoff_reset(&b);
        assert_in_range(backoff_next_ms(&b), 1, 10);
        backoff_reset(&b);
    }
}

static void the_same_seed_repeats_the_waits_and_another_does_not(void **state) {
    (void)state;
    struct backoff a = backoff_make(1000, 60000, rng_from_seed(1)), b = backoff_make(1000, 60000, rng_from_seed(1)),
                   c = backoff_make(1000, 60000, rng_from_seed(2));
    int same = 0;
    for (int i = 0; i < 50; i++) {
        uint64_t wait = backoff_next_ms(&a);
        assert_int_equal(wait, backoff_next_ms(&b));
        same += wait == backoff_next_ms(&c);
    }
    assert_in_range(same, 0, 5);
}

static void the_largest_cap_does_not_overflow(void **state) {
    (void)state;
    struct backoff b = backoff_make(1, UINT64_MAX, rng_from_seed(3));
    for (int i = 0; i < 200; i++) (void)backoff_next_ms(&b);
    assert_true(b.bound_ms == UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wait_is_between_one_and_its_bound),
        cmocka_unit_test(waits_reach_near_the_cap),
        cmocka_unit_test(a_reset_makes_the_next_wait_a_first_one),
        cmocka_unit_test(the_same_seed_repeats_the_waits_and_another_does_not),
        cmocka_unit_test(the_largest_cap_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
