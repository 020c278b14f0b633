/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: keys are told apart by their bytes alone, also when their hashes are equal, and a reset forgets them all. */
#include "route.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

enum { ROOM = 500 };

static struct str name(char text[16], uint32_t i) {
    return (struct str){text, (size_t)snprintf(text, 16, "key%u", (unsigned)i)};
}

static void keys_with_one_hash_are_different_keys(void **state) {
    (void)state;
    AUTO(route_done) struct route route;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    route_init(&route, ROOM);
    char text[16];
    for (uint32_t i = 0; i < ROOM; i++) {
        assert_int_equal(route_get(&route, name(text, i), 42), ROUTE_NONE);
        route_put(&route, &arena, name(text, i), 42, i);
    }
    for (uint32_t i = 0; i < ROOM; i++) assert_int_equal(route_get(&route, name(text, i), 42), i);
}

static void a_full_table_takes_no_more_and_keeps_what_it_has(void **state) {
    (void)state;
    AUTO(route_done) struct route route;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    route_init(&route, ROOM);
    char text[16];
    for (uint32_t i = 0; i < 2 * ROOM; i++) route_put(&route, &arena, name(text, i), i * 0x9e3779b97f4a7c15u, i);
    for (uint32_t i = 0; i < 2 * ROOM; i++) {
        assert_int_equal(route_get(&route, name(text, i), i * 0x9e3779b97f4a7c15u), i < ROOM ? (int64_t)i : ROUTE_NONE);
    }
}

static void a_reset_forgets_even_when_the_stamp_wraps(void **state) {
    (void)state;
    AUTO(route_done) struct route route;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    route_init(&route, ROOM);
    route_put(&route, &arena, STR("a"), 1, 7);
    route.stamp = UINT32_MAX;
    route_put(&route, &arena, STR("b"), 2, 8);
    route_reset(&route);
    assert_int_equal(route.stamp, 1);
    assert_int_equal(route_get(&route, STR("a"), 1), ROUTE_NONE);
    assert_int_equal(route_get(&route, STR("b"), 2), ROUTE_NONE);
    route_put(&route, &arena, STR(""), 1, 9);
    assert_int_equal(route_get(&route, STR(""), 1), 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_with_one_hash_are_different_keys),
        cmocka_unit_test(a_full_table_takes_no_more_and_keeps_what_it_has),
        cmocka_unit_test(a_reset_forgets_even_when_the_stamp_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
