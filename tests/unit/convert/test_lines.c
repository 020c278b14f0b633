/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every line end is found, once, in order, wherever it stands and however little room there is. */
#include "lines.h"

#include "num.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { BYTES = 700 };

/* Byte by byte, for comparison. */
static size_t plain_index(struct str bytes, uint32_t *ends, size_t room) {
    size_t n = 0;
    for (uint32_t i = 0; i < bytes.len && n < room; i++) {
        if (bytes.at[i] == '\n') ends[n++] = i;
    }
    return n;
}

static void ends_are_those_of_a_plain_loop(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct rng rng = rng_from_seed(seed);
        size_t len = (size_t)rng_below(&rng, BYTES);
        char *text = malloc(len + 1); /* exact, for ASan */
        assert_non_null(text);
        uint64_t every = 1 + rng_below(&rng, 90);
        for (size_t i = 0; i < len; i++) text[i] = rng_below(&rng, every) ? 'x' : '\n';
        uint32_t a[BYTES], b[BYTES];
        size_t room = rng_below(&rng, 2) ? BYTES : (size_t)rng_below(&rng, 80);
        size_t n = lines_index((struct str){text, len}, a, room), m = plain_index((struct str){text, len}, b, room);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, n * sizeof a[0]);
        size_t whole = m == room ? lines_whole((struct str){text, len}) : (m ? (size_t)b[m - 1] + 1 : 0);
        assert_int_equal(lines_whole((struct str){text, len}), whole);
        free(text);
    }
}

static void nothing_has_no_lines(void **state) {
    (void)state;
    uint32_t end = 0;
    assert_int_equal(lines_index((struct str){NULL, 0}, &end, 1), 0);
    assert_int_equal(lines_index(STR("x\n"), NULL, 0), 0);
    assert_int_equal(lines_whole((struct str){NULL, 0}), 0);
    assert_int_equal(lines_whole(STR("abc")), 0);
    assert_int_equal(lines_whole(STR("a\nb\nc")), 4);
}

static void blank_is_spaces_tabs_and_crs_alone(void **state) {
    (void)state;
    assert_true(lines_blank(STR("")));
    assert_true(lines_blank(STR(" \t\r ")));
    assert_false(lines_blank(STR(" x ")));
    assert_false(lines_blank(STR("\0")));
    assert_false(lines_blank(STR("\v")));
    assert_false(lines_blank(STR("\xc2\xa0")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_those_of_a_plain_loop),
        cmocka_unit_test(nothing_has_no_lines),
        cmocka_unit_test(blank_is_spaces_tabs_and_crs_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
