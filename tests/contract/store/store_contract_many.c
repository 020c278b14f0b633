/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: store_put_absent_many does to each item what store_put_absent does, and tells each outcome. */
#include "store_contract_private.h"

#include <stdio.h>

enum { MANY = 300 }; /* more than any adapter takes at a time */

void of_many_each_has_its_own_outcome(void **state) {
    struct fixture *f = *state;
    OK(store_put(f->store, STR("r/2"), STR("first"), &why));
    OK(store_put(f->store, STR("d/x/y"), STR("below"), &why));
    const struct store_item stale[] = {
        {STR("r/1"), STR("one")}, {STR("r/2"), STR("other")}, {STR("s/t/3"), STR("")}, {STR("top"), STR("t")}};
    enum rc rcs[4] = {RC_BROKEN, RC_BROKEN, RC_BROKEN, RC_BROKEN};
    OK(store_put_absent_many(f->store, stale, 4, rcs, &why));
    assert_int_equal(rcs[0], RC_OK);
    assert_int_equal(rcs[1], RC_STALE);
    assert_int_equal(rcs[2], RC_OK);
    assert_int_equal(rcs[3], RC_OK);
    contract_holds(f->store, "r/1", STR("one"));
    contract_holds(f->store, "r/2", STR("first"));
    contract_holds(f->store, "s/t/3", STR(""));
    contract_holds(f->store, "top", STR("t"));
    const struct store_item some[] = {{STR("r/1"), STR("x")}, {STR("d/x"), STR("in the way")}, {STR("r/4"), STR("4")}};
    struct why why = {0};
    enum rc rc = store_put_absent_many(f->store, some, 3, rcs, &why);
    if (!(f->world->takes_directories && rc == RC_OK)) contract_expect(rc, RC_DENIED, &why);
    assert_int_equal(rcs[0], RC_STALE);
    assert_int_equal(rcs[1], rc);
    assert_int_equal(rcs[2], RC_OK);
    contract_holds(f->store, "r/1", STR("one"));
    contract_holds(f->store, "r/4", STR("4"));
}

void many_are_put_whole_whatever_their_number(void **state) {
    struct fixture *f = *state;
    static char keys[MANY][32];
    static struct store_item items[MANY];
    static enum rc rcs[MANY];
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "many/%zu/%03zu", i % 3, i);
        items[i] = (struct store_item){str_of(keys[i]), str_of(keys[i])};
    }
    OK(store_put_absent(f->store, items[MANY - 1].key, STR("before"), &why));
    OK(store_put_absent_many(f->store, items, MANY, rcs, &why));
    for (size_t i = 0; i < MANY - 1; i++) {
        assert_int_equal(rcs[i], RC_OK);
        contract_holds(f->store, keys[i], items[i].bytes);
    }
    assert_int_equal(rcs[MANY - 1], RC_STALE);
    contract_holds(f->store, keys[MANY - 1], STR("before"));
    OK(store_put_absent_many(f->store, items, MANY, rcs, &why));
    for (size_t i = 0; i < MANY; i++) assert_int_equal(rcs[i], RC_STALE);
}

void many_refuse_what_is_no_key_and_put_the_rest(void **state) {
    struct fixture *f = *state;
    const struct store_item items[] = {
        {STR("a"), STR("1")}, {STR("../b"), STR("2")}, {STR(""), STR("3")}, {STR("c"), STR("4")}};
    enum rc rcs[4];
    struct why told = {0};
    contract_expect(store_put_absent_many(f->store, items, 4, rcs, &told), RC_BAD, &told);
    assert_non_null(strstr(told.text, "../b"));
    assert_int_equal(rcs[0], RC_OK);
    assert_int_equal(rcs[1], RC_BAD);
    assert_int_equal(rcs[2], RC_BAD);
    assert_int_equal(rcs[3], RC_OK);
    contract_holds(f->store, "a", STR("1"));
    contract_holds(f->store, "c", STR("4"));
    EXPECT(store_put_absent_many(f->store, items, 4, rcs, NULL), RC_BAD);
}

void the_same_key_twice_among_many_is_put_once(void **state) {
    struct fixture *f = *state;
    const struct store_item items[] = {{STR("k/1"), STR("a")}, {STR("k/1"), STR("b")}};
    enum rc rcs[2];
    OK(store_put_absent_many(f->store, items, 2, rcs, &why));
    assert_true((rcs[0] == RC_OK && rcs[1] == RC_STALE) || (rcs[0] == RC_STALE && rcs[1] == RC_OK));
    contract_holds(f->store, "k/1", rcs[0] == RC_OK ? STR("a") : STR("b"));
}

void of_none_nothing_is_put(void **state) {
    struct fixture *f = *state;
    AUTO(listing_done) struct listing all = {.len = 0};
    OK(store_put_absent_many(f->store, NULL, 0, NULL, &why));
    OK(store_list(f->store, STR(""), STR(""), contract_collect, &all, &why));
    assert_int_equal(all.len, 0);
}
