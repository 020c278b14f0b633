/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the fake clock moves only when told to, and by exactly that; the real one agrees with the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "clock.h"
#include "clock_fake.h"

static void a_fake_clock_stands_still(void **state) {
    (void)state;
    struct clock_fake fake = {.monotonic_ms = 5, .wall_ns = -7};
    struct clock clock = clock_fake(&fake);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(clock_ms(clock), 5);
        assert_int_equal(clock_wall_ns(clock), -7);
    }
}

static void sleeping_on_a_fake_clock_moves_both_times(void **state) {
    (void)state;
    struct clock_fake fake = {.monotonic_ms = 5, .wall_ns = 1000};
    struct clock clock = clock_fake(&fake);
    clock_sleep_ms(clock, 250);
    clock_sleep_ms(clock, 0);
    clock_fake_advance(&fake, 3600000);
    assert_int_equal(clock_ms(clock), 5 + 250 + 3600000);
    assert_int_equal(clock_wall_ns(clock), 1000 + (int64_t)(250 + 3600000) * 1000000);
    assert_int_equal(fake.slept_ms, 250);
    assert_int_equal(fake.sleeps, 2);
}

static void the_wall_may_jump_without_the_monotonic_time(void **state) {
    (void)state;
    struct clock_fake fake = {.monotonic_ms = 5};
    struct clock clock = clock_fake(&fake);
    fake.wall_ns = -1;
    assert_int_equal(clock_wall_ns(clock), -1);
    assert_int_equal(clock_ms(clock), 5);
}

static void the_real_clock_lies_between_two_looks_at_the_kernels(void **state) {
    (void)state;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    uint64_t ms = clock_ms(clock_real());
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_in_range(ms, (uint64_t)before.tv_sec * 1000 + (uint64_t)before.tv_nsec / 1000000,
                    (uint64_t)after.tv_sec * 1000 + (uint64_t)after.tv_nsec / 1000000);
    int64_t wall = clock_wall_ns(clock_real());
    assert_true(wall > (int64_t)1700000000 * 1000000000); /* after 2023: nanoseconds, not another unit */
}

static void a_real_sleep_is_never_shorter_than_asked(void **state) {
    (void)state;
    uint64_t before = clock_ms(clock_real());
    clock_sleep_ms(clock_real(), 3);
    clock_sleep_ms(clock_real(), 0);
    assert_true(clock_ms(clock_real()) >= before + 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fake_clock_stands_still),
        cmocka_unit_test(sleeping_on_a_fake_clock_moves_both_times),
        cmocka_unit_test(the_wall_may_jump_without_the_monotonic_time),
        cmocka_unit_test(the_real_clock_lies_between_two_looks_at_the_kernels),
        cmocka_unit_test(a_real_sleep_is_never_shorter_than_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
