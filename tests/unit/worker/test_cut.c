/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: cut_lines() ends a run where a simple rule says, for every small window, stripe, job and closed end there
 * is: with the last whole line that starts in the stripe, never behind a closed end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cut.h"

enum { LONGEST = 7, AT = 10 };

/* The rule, byte by byte: take one line after the other. */
static struct cut simple(const struct cut_ask *ask) {
    struct cut out = {.kind = CUT_WAIT};
    size_t from = 0;
    while (from < ask->window.len && ask->at + from < ask->stripe_end && !out.closed) {
        size_t end = from;
        bool whole = false;
        while (end < ask->window.len && !whole) {
            whole = ask->window.at[end++] == '\n';
            for (size_t i = 0; i < ask->ends_len; i++)
                if (ask->ends[i] == ask->at + end) whole = out.closed = true;
        }
        if (!whole) break;
        out.kind = CUT_LINES;
        out.bytes = from = end;
    }
    if (out.kind == CUT_WAIT && ask->at + ask->window.len < ask->ready) out.kind = CUT_LONGER;
    return out;
}

static void every_small_window_is_cut_as_the_rule_says(void **state) {
    (void)state;
    for (size_t len = 0; len <= LONGEST; len++)
        for (uint32_t bits = 0; bits < 1u << len; bits++) {
            char bytes[LONGEST + 1];
            for (size_t i = 0; i < len; i++) bytes[i] = bits >> i & 1 ? '\n' : 'x';
            for (uint64_t stripe_end = AT + 1; stripe_end <= AT + LONGEST + 2; stripe_end++)
                for (uint64_t end = AT; end <= AT + LONGEST + 2; end++)
                    for (uint64_t more = 0; more < 2; more++) {
                        struct cut_ask ask = {{bytes, len}, AT, stripe_end, AT + len + more, &end, end > AT ? 1 : 0};
                        struct cut a = cut_lines(&ask), b = simple(&ask);
                        assert_int_equal(a.kind, b.kind);
                        if (a.kind != CUT_LINES) continue;
                        assert_int_equal(a.bytes, b.bytes);
                        assert_int_equal(a.closed, b.closed);
                    }
        }
}

static void the_next_end_is_the_first_at_or_behind(void **state) {
    (void)state;
    const uint64_t ends[] = {5, 9, 20};
    assert_int_equal(cut_next_end(ends, 3, 0), 5);
    assert_int_equal(cut_next_end(ends, 3, 5), 5);
    assert_int_equal(cut_next_end(ends, 3, 6), 9);
    assert_int_equal(cut_next_end(ends, 3, 20), 20);
    assert_true(cut_next_end(ends, 3, 21) == UINT64_MAX);
    assert_true(cut_next_end(NULL, 0, 0) == UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_window_is_cut_as_the_rule_says),
        cmocka_unit_test(the_next_end_is_the_first_at_or_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
