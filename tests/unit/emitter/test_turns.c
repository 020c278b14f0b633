/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: neither a huge file nor a flood of small ones waits behind all of the other, whichever came first; sources
 * get what their weights say; a queue gives its files in the order of their keys. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "turns.h"

#define MIB ((uint64_t)1024 * 1024)

enum { SMALL = 10000, HUGE_STRIPES = 640 };

/* 40 GiB in stripes of 64 MiB, and 10,000 files of 10 KiB. */
static void neither_waits_behind_all_of_the_other(void **state) {
    (void)state;
    for (size_t head_start = 0; head_start <= 2000; head_start += 500) {
        struct turns t;
        turns_init(&t, 1);
        for (uint32_t i = 0; i < SMALL; i++) turns_add(&t, turns_queue_of(0, false), 0, i);
        size_t small = 0, stripes = 0, small_at_half = 0, stripes_at_half = 0;
        while (small < SMALL || stripes < HUGE_STRIPES) {
            bool ready[2] = {small < SMALL, stripes < HUGE_STRIPES && small >= head_start};
            size_t turn = turns_next(&t, ready);
            if (turn == 0) {
                assert_int_equal(turns_take(&t, 0), small);
                if (++small == SMALL / 2) stripes_at_half = stripes;
            } else if (++stripes == HUGE_STRIPES / 20) {
                small_at_half = small - head_start;
            }
            turns_spend(&t, turn, turn ? 64 * MIB : 10 * 1024);
        }
        print_message(
            "%zu small ones ahead: %zu stripes were said when half of the small ones were, %zu small ones when "
            "a twentieth of the huge one was\n",
            head_start, stripes_at_half, small_at_half);
        assert_in_range(stripes_at_half, 10, HUGE_STRIPES / 4);
        assert_in_range(small_at_half, 1000, SMALL - 1000);
        assert_int_equal(t.waiting, 0);
        turns_done(&t);
    }
}

static void sources_get_their_weights(void **state) {
    (void)state;
    struct turns t;
    size_t count[2] = {0};
    turns_init(&t, 2);
    turns_set_weight(&t, 1, 3);
    for (size_t i = 0; i < 4000; i++) {
        bool ready[4] = {false, true, false, true};
        size_t turn = turns_next(&t, ready);
        turns_spend(&t, turn, MIB);
        count[turn / 2]++;
    }
    assert_in_range(count[0], 990, 1010);
    turns_done(&t);
}

static void who_was_away_has_saved_nothing(void **state) {
    (void)state;
    struct turns t;
    size_t second = 0;
    turns_init(&t, 1);
    for (size_t i = 0; i < 2000; i++) {
        bool ready[2] = {true, i >= 1000};
        size_t turn = turns_next(&t, ready);
        turns_spend(&t, turn, MIB);
        second += turn;
    }
    assert_in_range(second, 490, 510);
    turns_done(&t);
}

static void the_smallest_key_is_first(void **state) {
    (void)state;
    struct turns t;
    turns_init(&t, 1);
    for (uint32_t i = 0; i < 1000; i++) turns_add(&t, 0, (int64_t)(i * 7919 % 100), i);
    int64_t key = 0;
    uint32_t place = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t got = turns_take(&t, 0);
        int64_t of = (int64_t)(got * 7919 % 100);
        assert_true(of > key || (of == key && (i == 0 || got > place || i % 10 == 0)));
        key = of;
        place = got;
    }
    turns_done(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_waits_behind_all_of_the_other),
        cmocka_unit_test(sources_get_their_weights),
        cmocka_unit_test(who_was_away_has_saved_nothing),
        cmocka_unit_test(the_smallest_key_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
