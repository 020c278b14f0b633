/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a listing is all objects of the prefix above the start, once, in order of bytes. */
#include "store_contract_private.h"

#include "num.h"
#include "rng.h"

#include <stdlib.h>

static int by_key(const void *a, const void *b) { return str_compare(buf_str(a), buf_str(b)); }

static bool is_directory_of(struct str a, struct str b) {
    return a.len < b.len && b.at[a.len] == '/' && str_starts(b, a);
}

/* Whether it may be put beside what is there: no key may be a directory of another. */
static bool may_be_put(const struct listing *all, struct str key) {
    for (size_t i = 0; i < all->len; i++) {
        struct str other = buf_str(&all->keys[i]);
        if (is_directory_of(other, key) || is_directory_of(key, other)) return false;
    }
    return true;
}

/* Keys out of few bytes around '/', so that every order of siblings comes up; the size of an object is the length of
 * its key. */
static void fill_at_random(const struct fixture *f, struct rng *rng, struct listing *all) {
    struct store store = f->store;
    static const char bytes[] = {'a', '-', '0', '.', '/', '\xfe', '/'};
    for (int i = 0; i < 500; i++) {
        char text[8];
        size_t len = 1 + rng_below(rng, sizeof text);
        for (size_t at = 0; at < len; at++) text[at] = bytes[rng_below(rng, sizeof bytes)];
        struct str key = {text, len};
        struct why why = {0};
        if (store_key_check(key, NULL) != RC_OK || !may_be_put(all, key)) continue;
        enum rc rc = store_put_absent(store, key, key, &why);
        if (rc == RC_STALE) continue;
        if (rc == RC_BAD && !contract_takes(f, key)) continue;
        contract_expect(rc, RC_OK, &why);
        assert_int_equal(contract_collect(all, key, len), RC_OK);
    }
    qsort(all->keys, all->len, sizeof *all->keys, by_key);
    for (size_t i = 0; i < all->len; i++) all->sizes[i] = all->keys[i].len;
}

void a_listing_is_in_order_of_bytes_for_every_prefix_and_start(void **state) {
    struct fixture *f = *state;
    struct rng rng = rng_from_seed(20261121);
    AUTO(listing_done) struct listing all = {.len = 0};
    fill_at_random(f, &rng, &all);
    assert_true(all.len > 30);
    contract_list_is(f->store, STR(""), STR(""), &all);
    for (size_t i = 0; i < all.len; i++) {
        struct str key = buf_str(&all.keys[i]), other = buf_str(&all.keys[rng_below(&rng, all.len)]);
        contract_list_is(f->store, STR(""), key, &all);
        for (size_t cut = 0; cut <= key.len; cut++) {
            contract_list_is(f->store, str_sub(key, 0, cut), STR(""), &all);
            contract_list_is(f->store, STR(""), str_sub(key, 0, cut), &all);
            contract_list_is(f->store, str_sub(key, 0, cut), other, &all);
        }
    }
    contract_list_is(f->store, STR(""), STR("\xff\xff"), &all);
    contract_list_is(f->store, STR(""), STR("//"), &all); /* `after` need not be a key */
    contract_list_is(f->store, STR("no/such"), STR(""), &all);
    contract_list_is(f->store, STR("no-such"), STR(""), &all);
}

void a_prefix_that_no_key_can_have_is_refused(void **state) {
    struct fixture *f = *state;
    struct listing got = {.len = 0};
    static const struct str bad[] = {STR("/"), STR("a//"), STR("../"), STR("a/./b"), STR("a\0"), STR(".tmp/")};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        EXPECT(store_list(f->store, bad[i], STR(""), contract_collect, &got, &why), RC_BAD);
    static const struct str good[] = {STR(".."), STR("a/."), STR(".tm"), STR("a/.."), STR(".tmp")};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        OK(store_list(f->store, good[i], STR(""), contract_collect, &got, &why));
    assert_int_equal(got.len, 0);
}

static enum rc stop_at_second(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    int *calls = context;
    if (++*calls < 2) return RC_OK;
    assert_true(str_equal(key, STR("b/c")));
    return RC_LIMIT;
}

void the_visitor_ends_the_listing(void **state) {
    struct fixture *f = *state;
    int calls = 0;
    OK(store_put(f->store, STR("a"), STR(""), &why));
    OK(store_put(f->store, STR("b/c"), STR(""), &why));
    OK(store_put(f->store, STR("b/d"), STR(""), &why));
    OK(store_put(f->store, STR("c"), STR(""), &why));
    EXPECT(store_list(f->store, STR(""), STR(""), stop_at_second, &calls, &why), RC_LIMIT);
    assert_int_equal(calls, 2);
}

static enum rc remove_it(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    struct fixture *f = context;
    return store_remove(f->store, key, NULL);
}

void the_visitor_may_use_the_store(void **state) {
    struct fixture *f = *state;
    struct rng rng = rng_from_seed(7);
    AUTO(listing_done) struct listing all = {.len = 0};
    fill_at_random(f, &rng, &all);
    OK(store_list(f->store, STR(""), STR(""), remove_it, f, &why));
    listing_done(&all);
    contract_list_is(f->store, STR(""), STR(""), &all);
}
