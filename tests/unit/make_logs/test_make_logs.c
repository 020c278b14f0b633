/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the logs that demo, tests and benchmark read are the same for the same seed, hold what they say, and a line
 * that is meant to be bad is bad. */
#include "line.h"

#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LINES = 20000 };

static struct line start(const struct world *world, enum line_format format, uint64_t seed) {
    return (struct line){.world = world, .rng = rng_from_seed(seed), .format = format};
}

static void same_seed_gives_the_same_lines(void **state) {
    (void)state;
    AUTO(own_free) struct world *one = world_new(7), *two = world_new(7), *other = world_new(8);
    struct line a = start(one, LINE_NDJSON, 1), b = start(two, LINE_NDJSON, 1), c = start(other, LINE_NDJSON, 1);
    size_t differ = 0;
    for (int64_t i = 0; i < LINES; i++) {
        char x[LINE_BYTES_MAX], y[LINE_BYTES_MAX], z[LINE_BYTES_MAX];
        size_t n = line_write(&a, i, x), m = line_write(&b, i, y), k = line_write(&c, i, z);
        assert_int_equal(n, m);
        assert_memory_equal(x, y, n);
        differ += n != k || memcmp(x, z, n) != 0;
    }
    assert_true(differ > LINES * 9 / 10);
}

static void a_line_has_its_time_and_one_newline_at_its_end(void **state) {
    (void)state;
    AUTO(own_free) struct world *world = world_new(1);
    struct line json = start(world, LINE_NDJSON, 1), combined = start(world, LINE_COMBINED, 1);
    for (int i = 0; i < LINES; i++) {
        char text[LINE_BYTES_MAX];
        size_t n = line_write(&json, 1772323199987, text);
        assert_ptr_equal(memchr(text, '\n', n), text + n - 1);
        assert_memory_equal(text, "{\"time\":\"2026-02-28T23:59:59.987Z\",", 35);
        assert_memory_equal(text + n - 3, "\"}\n", 3);
        n = line_write(&combined, 1772323199987, text);
        assert_ptr_equal(memchr(text, '\n', n), text + n - 1);
        assert_non_null(memmem(text, n, " - - [28/Feb/2026:23:59:59 +0000] \"", 35));
    }
}

static void every_tenant_and_country_occurs(void **state) {
    (void)state;
    AUTO(own_free) struct world *world = world_new(3);
    bool seen[WORLD_TENANTS] = {false};
    size_t tenants = 0;
    for (size_t slot = 0; slot < WORLD_SLOTS; slot++) {
        bool *had = &seen[strtoul(world->clients[world->client_rank.slot[slot]].tenant + 1, NULL, 10)];
        tenants += !*had;
        *had = true;
    }
    assert_int_equal(tenants, WORLD_TENANTS);
}

static bool looks_whole(const char *text, size_t n) {
    bool object = text[0] == '{' && memmem(text, n, "\"time\":\"2", 9) && memmem(text, n, "\"}\n", 3);
    bool access = memmem(text, n, " +0000] \"", 9) != NULL;
    return object || access;
}

static void a_bad_line_is_no_record_of_either_format(void **state) {
    (void)state;
    AUTO(own_free) struct world *world = world_new(1);
    for (int i = 0; i < LINES; i++) {
        struct line line = start(world, i % 2 ? LINE_NDJSON : LINE_COMBINED, (uint64_t)i);
        char text[LINE_BYTES_MAX];
        size_t n = line_write_bad(&line, 1772323200000, text);
        assert_true(n > 1);
        assert_ptr_equal(memchr(text, '\n', n), text + n - 1);
        assert_false(looks_whole(text, n));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_lines),
        cmocka_unit_test(a_line_has_its_time_and_one_newline_at_its_end),
        cmocka_unit_test(every_tenant_and_country_occurs),
        cmocka_unit_test(a_bad_line_is_no_record_of_either_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
