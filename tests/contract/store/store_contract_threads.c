/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a handle may be used by many threads: one put_absent wins, readers see whole objects, none is lost. */
#include "store_contract_private.h"

#include "alloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

/* ---- threads ---- */

enum { THREADS = 6, ROUNDS = 40 };

struct contest {
    struct store store;
    int number;
    _Atomic int *wins; /* per round */
    pthread_barrier_t *start;
    int failures;
};

static void *race(void *context) {
    struct contest *c = context;
    for (int round = 0; round < ROUNDS; round++) {
        char key[32], mine[2] = {(char)('0' + c->number), 0};
        (void)snprintf(key, sizeof key, "_seals/%d/%d", round / 7, round);
        (void)pthread_barrier_wait(c->start);
        enum rc rc = RC_BUSY;
        while (rc == RC_BUSY) rc = store_put_absent(c->store, str_of(key), str_of(mine), NULL);
        if (rc == RC_OK)
            c->wins[round] += 10 + c->number;
        else if (rc != RC_STALE)
            c->failures++;
    }
    return NULL;
}

void of_many_that_put_the_same_key_one_wins(void **state) {
    struct fixture *f = *state;
    _Atomic int wins[ROUNDS] = {0};
    struct contest contests[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    struct store other = f->world->open(f->context);
    (void)pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        contests[i] = (struct contest){.store = i % 2 ? other : f->store, .number = i, .wins = wins, .start = &start};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &contests[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) (void)pthread_join(threads[i], NULL);
    (void)pthread_barrier_destroy(&start);
    for (int i = 0; i < THREADS; i++) assert_int_equal(contests[i].failures, 0);
    for (int round = 0; round < ROUNDS; round++) {
        char key[32], winner[2] = {(char)('0' + wins[round] - 10), 0};
        (void)snprintf(key, sizeof key, "_seals/%d/%d", round / 7, round);
        assert_in_range(wins[round], 10, 10 + THREADS - 1);
        contract_holds(f->store, key, str_of(winner));
    }
    store_free(other);
}

/* Puts and removes in directories that come and go under each other's hands. */
static void *churn(void *context) {
    struct contest *c = context;
    for (int round = 0; round < ROUNDS; round++) {
        char key[64];
        (void)snprintf(key, sizeof key, "a/%d/b/%d", round % 3, c->number);
        enum rc rc = RC_BUSY;
        struct why why = {0};
        while (rc == RC_BUSY) rc = store_put(c->store, str_of(key), str_of(key), &why);
        uint64_t size = 0;
        if (rc != RC_OK) print_message("%s\n", why.text);
        if (rc != RC_OK || store_size(c->store, str_of(key), &size, NULL) != RC_OK) c->failures++;
        if (round + 3 < ROUNDS && store_remove(c->store, str_of(key), NULL) != RC_OK) c->failures++;
    }
    return NULL;
}

void directories_that_come_and_go_lose_no_object(void **state) {
    struct fixture *f = *state;
    struct contest contests[THREADS];
    pthread_t threads[THREADS];
    struct store other = f->world->open(f->context);
    for (int i = 0; i < THREADS; i++) {
        contests[i] = (struct contest){.store = i % 2 ? other : f->store, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &contests[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_int_equal(contests[i].failures, 0);
    AUTO(listing_done) struct listing got = {.len = 0};
    OK(store_list(f->store, STR(""), STR(""), contract_collect, &got, &why));
    assert_int_equal(got.len, THREADS * 3);
    store_free(other);
}

struct replacing {
    struct store store;
    atomic_bool stop;
    int failures;
};

static char *pattern(char byte, size_t len) {
    char *text = alloc_bytes(len);
    memset(text, byte, len);
    return text;
}

static void *replace(void *context) {
    struct replacing *r = context;
    AUTO(own_free) char *a = pattern('a', 100000);
    AUTO(own_free) char *b = pattern('b', 300000);
    for (int i = 0; i < 50; i++)
        if (store_put(r->store, STR("x/y"), i % 2 ? (struct str){a, 100000} : (struct str){b, 300000}, NULL) != RC_OK)
            r->failures++;
    r->stop = true;
    return NULL;
}

void a_reader_never_sees_a_mix(void **state) {
    struct fixture *f = *state;
    struct replacing r = {.store = f->store};
    pthread_t thread;
    OK(store_put(f->store, STR("x/y"), STR("b"), &why));
    assert_int_equal(pthread_create(&thread, NULL, replace, &r), 0);
    bool whole = true;
    while (!r.stop) {
        AUTO(buf_done) struct buf got = BUF_INIT(1u << 20);
        if (store_get(f->store, STR("x/y"), 0, UINT64_MAX, &got, NULL) != RC_OK)
            whole = false;
        else if (got.at[0] == 'a')
            whole = whole && got.len == 100000 && got.at[99999] == 'a';
        else
            whole = whole && (got.len == 1 || got.len == 300000) && got.at[got.len - 1] == 'b';
    }
    (void)pthread_join(thread, NULL);
    assert_true(whole);
    assert_int_equal(r.failures, 0);
}
