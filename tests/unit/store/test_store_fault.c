/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a store_fault fails exactly the effect it was told to, before or behind doing it, is dead after a crash, and
 * repeats itself from its seed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "own.h"
#include "store_fault.h"
#include "store_memory.h"

#include <stdio.h>

/* The world seen without faults, and through them. */
struct pair {
    struct store bare, faulty;
};

static struct pair pair_make(struct store_fault *control) {
    struct store bare = store_memory_new();
    return (struct pair){bare, store_fault_new(store_memory_again(bare), control)};
}

static void pair_done(struct pair *pair) {
    store_free(pair->faulty);
    store_free(pair->bare);
}

static bool is_there(const struct pair *pair, const char *key) {
    uint64_t bytes = 0;
    return store_size(pair->bare, str_of(key), &bytes, NULL) == RC_OK;
}

static enum rc put(const struct pair *pair, const char *key) {
    return store_put(pair->faulty, str_of(key), STR("x"), NULL);
}

static enum rc upload(const struct pair *pair, const char *key) {
    AUTO(store_upload_abort) struct store_upload upload = {0};
    TRY(store_upload_begin(pair->faulty, str_of(key), &upload, NULL));
    TRY(store_upload_part(&upload, STR("x"), NULL));
    return store_upload_finish_absent(&upload, NULL);
}

static void the_effect_with_the_number_fails_and_is_not_done(void **state) {
    (void)state;
    struct store_fault control = {.fail_at = 2, .rc = RC_LIMIT};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    assert_int_equal(put(&pair, "a"), RC_OK);
    assert_int_equal(put(&pair, "b"), RC_LIMIT);
    assert_false(is_there(&pair, "b"));
    assert_int_equal(put(&pair, "b"), RC_OK);
    assert_int_equal(control.effects, 3);
    assert_int_equal(control.failed, 1);
}

static void many_are_as_many_effects_and_a_crash_leaves_some(void **state) {
    (void)state;
    const struct store_item items[] = {
        {STR("m1"), STR("x")}, {STR("m2"), STR("x")}, {STR("m3"), STR("x")}, {STR("m4"), STR("x")}};
    enum rc rcs[4];
    struct store_fault control = {.crash_at = 5};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    assert_int_equal(put(&pair, "a"), RC_OK);
    assert_int_equal(put(&pair, "b"), RC_OK);
    struct why why = {0};
    assert_int_equal(store_put_absent_many(pair.faulty, items, 4, rcs, &why), RC_STOP);
    assert_true(why.text[0] != '\0');
    size_t there = 0;
    const char *const keys[] = {"m1", "m2", "m3", "m4"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rcs[i], is_there(&pair, keys[i]) ? RC_OK : RC_STOP);
        there += is_there(&pair, keys[i]);
    }
    assert_int_equal(there, 2);
    assert_false(is_there(&pair, "m1")); /* not the first ones: nobody may count on an order */
}

static void of_many_the_one_with_the_number_fails_alone(void **state) {
    (void)state;
    const struct store_item items[] = {{STR("m1"), STR("x")}, {STR("m2"), STR("x")}, {STR("m3"), STR("x")}};
    enum rc rcs[3];
    struct store_fault control = {.lose_at = 2, .rc = RC_BUSY};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    assert_int_equal(store_put_absent_many(pair.faulty, items, 3, rcs, NULL), RC_BUSY);
    assert_int_equal(rcs[0], RC_OK);
    assert_int_equal(rcs[1], RC_BUSY);
    assert_true(is_there(&pair, "m2"));
    assert_int_equal(rcs[2], RC_OK);
    assert_int_equal(store_put_absent_many(pair.faulty, items, 3, rcs, NULL), RC_OK);
    for (size_t i = 0; i < 3; i++) assert_int_equal(rcs[i], RC_STALE);
}

static void a_lost_answer_is_of_an_effect_that_was_done(void **state) {
    (void)state;
    struct store_fault control = {.lose_at = 1};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    assert_int_equal(store_put_absent(pair.faulty, STR("a"), STR("x"), NULL), RC_BUSY);
    assert_true(is_there(&pair, "a"));
    assert_int_equal(store_put_absent(pair.faulty, STR("a"), STR("x"), NULL), RC_STALE);
    control.lose_at = 3;
    assert_int_equal(store_remove(pair.faulty, STR("a"), NULL), RC_BUSY);
    assert_false(is_there(&pair, "a"));
    assert_int_equal(control.lost, 2);
}

static void every_effect_of_a_sequence_can_be_failed_and_lost(void **state) {
    (void)state;
    for (uint64_t at = 1; at <= 4; at++) {
        for (int lose = 0; lose < 2; lose++) {
            struct store_fault control = {.fail_at = lose ? 0 : at, .lose_at = lose ? at : 0};
            AUTO(pair_done) struct pair pair = pair_make(&control);
            enum rc got[4] = {put(&pair, "a"), store_put_absent(pair.faulty, STR("b"), STR("x"), NULL),
                              upload(&pair, "c"), store_remove(pair.faulty, STR("a"), NULL)};
            for (uint64_t i = 1; i <= 4; i++) assert_int_equal(got[i - 1], i == at ? RC_BUSY : RC_OK);
            assert_int_equal(is_there(&pair, "b"), at != 2 || lose);
            assert_int_equal(is_there(&pair, "c"), at != 3 || lose);
            assert_int_equal(is_there(&pair, "a"), at == 4 && !lose);
        }
    }
}

static void after_a_crash_everything_is_refused_for_ever(void **state) {
    (void)state;
    struct store_fault control = {.crash_at = 2};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    AUTO(store_upload_abort) struct store_upload begun = {0};
    AUTO(buf_done) struct buf got = BUF_INIT(10);
    uint64_t size = 0;
    assert_int_equal(put(&pair, "a"), RC_OK);
    assert_int_equal(store_upload_begin(pair.faulty, STR("u"), &begun, NULL), RC_OK);
    assert_int_equal(put(&pair, "b"), RC_STOP);
    assert_false(is_there(&pair, "b"));
    assert_true(control.crashed);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put(&pair, "c"), RC_STOP);
        assert_int_equal(store_get(pair.faulty, STR("a"), 0, 1, &got, NULL), RC_STOP);
        assert_int_equal(store_size(pair.faulty, STR("a"), &size, NULL), RC_STOP);
        assert_int_equal(store_remove(pair.faulty, STR("a"), NULL), RC_STOP);
        assert_int_equal(upload(&pair, "d"), RC_STOP);
    }
    assert_int_equal(store_upload_part(&begun, STR("x"), NULL), RC_STOP);
    assert_int_equal(store_upload_finish_absent(&begun, NULL), RC_STOP);
    assert_true(is_there(&pair, "a"));
    assert_false(is_there(&pair, "u"));
    assert_int_equal(got.len, 0);
}

static enum store_verdict crash_behind_the_finish(void *context, enum store_call call, struct str key) {
    int *calls = context;
    ++*calls;
    assert_true(str_equal(key, STR("u")));
    return call == STORE_FINISH ? STORE_CRASH_BEHIND : STORE_PASS;
}

static void the_owner_may_decide_and_crash_behind_an_effect(void **state) {
    (void)state;
    int calls = 0;
    struct store_fault control = {.decide = crash_behind_the_finish, .context = &calls};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    assert_int_equal(upload(&pair, "u"), RC_STOP);
    assert_true(is_there(&pair, "u"));
    assert_int_equal(put(&pair, "u"), RC_STOP);
    assert_int_equal(calls, 3);
}

static enum store_verdict lose_reads(void *context, enum store_call call, struct str key) {
    (void)context;
    (void)key;
    return call == STORE_READ ? STORE_LOSE : STORE_PASS;
}

static void a_read_that_is_lost_gives_nothing(void **state) {
    (void)state;
    struct store_fault control = {.decide = lose_reads};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    AUTO(buf_done) struct buf got = BUF_INIT(10);
    uint64_t size = 7;
    assert_int_equal(put(&pair, "a"), RC_OK);
    assert_int_equal(store_get(pair.faulty, STR("a"), 0, 1, &got, NULL), RC_BUSY);
    assert_int_equal(store_size(pair.faulty, STR("a"), &size, NULL), RC_BUSY);
    assert_int_equal(got.len, 0);
    assert_int_equal(size, 7);
}

/* Which of 200 puts fail or are lost, as a text of 0, f and l. */
static void outcomes(uint64_t seed, char out[201]) {
    struct store_fault control = {.fail_per_million = 100000, .lose_per_million = 100000, .rng = rng_from_seed(seed)};
    AUTO(pair_done) struct pair pair = pair_make(&control);
    for (int i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k/%d", i);
        enum rc rc = put(&pair, key);
        out[i] = rc == RC_OK ? '0' : is_there(&pair, key) ? 'l' : 'f';
    }
    out[200] = '\0';
    assert_int_equal(control.effects, 200);
    assert_in_range(control.failed, 5, 60);
    assert_in_range(control.lost, 5, 60);
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
        cmocka_unit_test(the_effect_with_the_number_fails_and_is_not_done),
        cmocka_unit_test(many_are_as_many_effects_and_a_crash_leaves_some),
        cmocka_unit_test(of_many_the_one_with_the_number_fails_alone),
        cmocka_unit_test(a_lost_answer_is_of_an_effect_that_was_done),
        cmocka_unit_test(every_effect_of_a_sequence_can_be_failed_and_lost),
        cmocka_unit_test(after_a_crash_everything_is_refused_for_ever),
        cmocka_unit_test(the_owner_may_decide_and_crash_behind_an_effect),
        cmocka_unit_test(a_read_that_is_lost_gives_nothing),
        cmocka_unit_test(chance_comes_from_the_seed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
