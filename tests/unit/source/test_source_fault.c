/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a source_fault fails exactly the call it was told to, before or behind doing it, is dead after a crash, and
 * repeats itself from its seed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "own.h"
#include "source_fault.h"
#include "source_memory.h"

#include <stdio.h>

struct pair {
    struct source bare, faulty;
};

static struct pair pair_make(struct source_fault *control) {
    struct source bare = source_memory_new();
    source_memory_write(bare, "/a", STR("one"));
    return (struct pair){bare, source_fault_new(source_memory_again(bare), control)};
}

static void pair_done(struct pair *pair) {
    source_free(pair->faulty);
    source_free(pair->bare);
}

static enum rc see(void *context, const struct source_entry *entry) {
    *(struct source_stat *)context = entry->stat;
    return RC_OK;
}

static enum rc list(struct source source, struct source_stat *out) {
    struct str path = STR("/a");
    const struct source_pattern pattern = {.paths = &path, .paths_len = 1};
    return source_list(source, &pattern, see, NULL, out, NULL);
}

/* list, open, stat, read, move, remove: the first failure of each, and whether the file is still there. */
static void run(const struct pair *pair, enum rc out[6]) {
    struct source_stat stat = {0}, now;
    struct source_file *file = NULL;
    char byte;
    size_t len;
    assert_int_equal(list(pair->bare, &stat), RC_OK);
    out[0] = list(pair->faulty, &now);
    out[1] = source_open(pair->faulty, STR("file:///a"), &stat, &file, NULL);
    out[2] = file ? source_stat(pair->faulty, file, &now, NULL) : RC_ABSENT;
    out[3] = file ? source_read(pair->faulty, file, 0, &byte, 1, &len, NULL) : RC_ABSENT;
    source_close(pair->faulty, file);
    out[4] = source_move(pair->faulty, STR("file:///a"), &stat, STR("/done"), NULL);
    out[5] = source_remove(pair->faulty, STR("file:///done/a"), &stat, NULL);
}

static void the_call_with_the_number_fails_and_is_not_done(void **state) {
    (void)state;
    for (uint64_t at = 1; at <= 6; at++) {
        struct source_fault control = {.fail_at = at, .rc = RC_BROKEN};
        AUTO(pair_done) struct pair pair = pair_make(&control);
        enum rc got[6];
        run(&pair, got);
        assert_int_equal(got[at - 1], RC_BROKEN);
        assert_int_equal(control.failed, 1);
        assert_int_equal(source_memory_exists(pair.bare, "/done/a"), at == 6);
        assert_int_equal(source_memory_exists(pair.bare, "/a"), at == 5);
    }
}

static void a_lost_answer_is_of_an_effect_that_was_done(void **state) {
    (void)state;
    for (uint64_t at = 1; at <= 6; at++) {
        struct source_fault control = {.lose_at = at};
        AUTO(pair_done) struct pair pair = pair_make(&control);
        enum rc got[6];
        run(&pair, got);
        assert_int_equal(got[at - 1], at < 5 ? RC_OK : RC_BUSY); /* only effects can be lost */
        assert_int_equal(control.lost, at < 5 ? 0 : 1);
        assert_false(source_memory_exists(pair.bare, "/a"));
        assert_false(source_memory_exists(pair.bare, "/done/a"));
    }
}

static void after_a_crash_everything_is_refused_for_ever(void **state) {
    (void)state;
    struct source_fault control = {.crash_at = 5};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    enum rc got[6];
    bool changed = false;
    run(&pair, got);
    assert_int_equal(got[3], RC_OK);
    assert_int_equal(got[4], RC_STOP);
    assert_int_equal(got[5], RC_STOP);
    assert_true(source_memory_exists(pair.bare, "/a"));
    assert_int_equal(source_wait(pair.faulty, 0, &changed, NULL), RC_STOP);
    assert_true(control.crashed);
}

static enum source_verdict crash_behind_the_remove(void *context, enum source_call call) {
    ++*(int *)context;
    return call == SOURCE_REMOVE ? SOURCE_CRASH_BEHIND : SOURCE_PASS;
}

static void the_owner_may_decide_and_crash_behind_an_effect(void **state) {
    (void)state;
    int calls = 0;
    struct source_fault control = {.decide = crash_behind_the_remove, .context = &calls};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    enum rc got[6];
    run(&pair, got);
    assert_int_equal(got[4], RC_OK);
    assert_int_equal(got[5], RC_STOP);
    assert_false(source_memory_exists(pair.bare, "/done/a"));
    assert_int_equal(calls, 6);
}

static void outcomes(uint64_t seed, char out[201]) {
    struct source_fault control = {.fail_per_million = 200000, .rng = rng_from_seed(seed)};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    struct source_stat stat;
    for (int i = 0; i < 200; i++) out[i] = list(pair.faulty, &stat) == RC_OK ? '0' : 'f';
    out[200] = '\0';
    assert_in_range(control.failed, 10, 90);
}

static void chance_comes_from_the_seed_alone(void **state) {
    (void)state;
    char first[201], again[201], other[201];
    outcomes(1, first);
    outcomes(1, again);
    outcomes(2, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_call_with_the_number_fails_and_is_not_done),
        cmocka_unit_test(a_lost_answer_is_of_an_effect_that_was_done),
        cmocka_unit_test(after_a_crash_everything_is_refused_for_ever),
        cmocka_unit_test(the_owner_may_decide_and_crash_behind_an_effect),
        cmocka_unit_test(chance_comes_from_the_seed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
