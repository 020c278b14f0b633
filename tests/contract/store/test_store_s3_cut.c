/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whichever request is lost on its way, or done with its answer lost or cut in the middle, once or from then
 * on, nothing half is ever seen, every outcome that was told is true, and asking again ends with everything there. On
 * real servers, with a proxy between that breaks the k-th request, for every k. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "alloc.h"
#include "fake_http.h"
#include "num.h"
#include "own.h"
#include "s3_bed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum mode { REQUEST_LOST, ANSWER_LOST, ANSWER_CUT, FAILED_503, DONE_500, MODES };

struct breaker {
    const char *upstream;
    enum mode mode;
    unsigned at; /* the request that is broken; 0: none */
    unsigned *count;
    pthread_mutex_t lock;
};

static bool is_hit(struct breaker *b) {
    LOCKED(&b->lock);
    return ++*b->count == b->at;
}

static void answer(void *context, const struct fake_request *request, struct buf *out) {
    struct breaker *b = context;
    if (!is_hit(b)) {
        fake_http_forward(b->upstream, request, out);
        return;
    }
    if (b->mode == FAILED_503)
        fake_http_say(out, 503, "Retry-After: 0\r\n", STR("<Error><Code>SlowDown</Code></Error>"));
    if (b->mode == REQUEST_LOST || b->mode == FAILED_503) return;
    fake_http_forward(b->upstream, request, out);
    if (b->mode == ANSWER_CUT) out->len /= 2;
    if (b->mode == ANSWER_LOST || b->mode == DONE_500) buf_reset(out);
    if (b->mode == DONE_500) fake_http_say(out, 500, "", STR("<Error><Code>InternalError</Code></Error>"));
}

/* Asks again as the loops of the services do; each time one request at most is broken, so few tries are enough. */
enum { ASKED_MAX = 4 };
#define ASK_AGAIN(rc, call)                                                                                            \
    do {                                                                                                               \
        int asked_ = 0;                                                                                                \
        do {                                                                                                           \
            (rc) = (call);                                                                                             \
        } while ((rc) == RC_BUSY && ++asked_ < ASKED_MAX);                                                             \
    } while (0)

static void expect(enum rc rc, enum rc expected, const struct why *why) {
    if (rc != expected) fail_msg("got %s, expected %s: %s", rc_name(rc), rc_name(expected), why->text);
}

static void holds(struct store store, const char *key, struct str bytes) {
    AUTO(buf_done) struct buf got = BUF_INIT(64u << 20);
    struct why why = {0};
    enum rc rc;
    ASK_AGAIN(rc, store_get(store, str_of(key), 0, UINT64_MAX, &got, &why));
    expect(rc, RC_OK, &why);
    assert_int_equal(got.len, bytes.len);
    assert_true(str_equal(buf_str(&got), bytes));
}

static enum rc upload_once(struct store store, const char *key, struct str bytes, struct why *why) {
    AUTO(store_upload_abort) struct store_upload upload = {0};
    TRY(store_upload_begin(store, str_of(key), &upload, why));
    TRY(store_upload_part(&upload, bytes, why));
    return store_upload_finish_absent(&upload, why);
}

static enum rc count_one(void *context, struct str key, uint64_t bytes) {
    (void)key, (void)bytes;
    ++*(size_t *)context;
    return RC_OK;
}

static enum rc list_once(struct store store, size_t *out_len, struct why *why) {
    *out_len = 0;
    return store_list(store, STR("g1/"), STR(""), count_one, out_len, why);
}

/* Everything that a store can be asked for. */
static void scenario(struct store store, struct str large) {
    struct why why = {0};
    enum rc rc;
    ASK_AGAIN(rc, store_put_absent(store, STR("g1/once"), STR("one"), &why));
    if (rc != RC_STALE) expect(rc, RC_OK, &why); /* its answer may have been lost before */
    holds(store, "g1/once", STR("one"));
    ASK_AGAIN(rc, store_put_absent(store, STR("g1/once"), STR("other"), &why));
    expect(rc, RC_STALE, &why);
    ASK_AGAIN(rc, store_put(store, STR("g1/put"), STR("a"), &why));
    expect(rc, RC_OK, &why);
    const struct store_item items[] = {{STR("g1/m/1"), STR("m1")}, {STR("g1/m/2"), STR("m2")}};
    enum rc rcs[2];
    ASK_AGAIN(rc, store_put_absent_many(store, items, 2, rcs, &why));
    expect(rc, RC_OK, &why);
    ASK_AGAIN(rc, upload_once(store, "g1/large", large, &why));
    if (rc != RC_STALE) expect(rc, RC_OK, &why);
    holds(store, "g1/large", large);
    size_t len = 0;
    ASK_AGAIN(rc, list_once(store, &len, &why));
    expect(rc, RC_OK, &why);
    assert_int_equal(len, 5);
    ASK_AGAIN(rc, store_remove(store, STR("g1/put"), &why));
    expect(rc, RC_OK, &why);
    uint64_t size = 0;
    ASK_AGAIN(rc, store_size(store, STR("g1/put"), &size, &why));
    expect(rc, RC_ABSENT, &why);
    holds(store, "g1/m/1", STR("m1"));
    holds(store, "g1/m/2", STR("m2"));
}

static void open_and_run(const struct s3_bed *bed, const char *endpoint, unsigned tries, struct str large) {
    struct store_s3_settings settings = s3_bed_settings(bed);
    struct store store = {0};
    struct why why = {0};
    settings.s3.endpoint = endpoint;
    settings.s3.tries = tries;
    expect(store_s3_open(&settings, &store, &why), RC_OK, &why);
    scenario(store, large);
    store_free(store);
}

/* With one try every failure is told, and the scenario asks again; with more the adapter does what it may. Gives the
 * number of requests that it took. */
static unsigned run_once(const char *server, const struct breaker *how, unsigned tries, struct str large) {
    struct s3_bed bed;
    unsigned count = 0;
    s3_bed_begin(server, S3_STYLE_AUTO, &bed);
    struct breaker breaker = *how;
    breaker.upstream = bed.endpoint;
    breaker.count = &count;
    struct fake_http *proxy = fake_http_start(answer, &breaker);
    open_and_run(&bed, fake_http_url(proxy), tries, large);
    fake_http_stop(proxy);
    s3_bed_end(&bed);
    return count;
}

enum { LARGE = STORE_S3_PART_MIN + 100 * 1000 };

static void break_each(const char *server) {
    AUTO(buf_done) struct buf large = BUF_INIT(LARGE);
    assert_int_equal(buf_reserve(&large, LARGE), RC_OK);
    for (size_t i = 0; i < LARGE; i++) large.at[large.len++] = (char)(i * 7 + i / 4096);
    struct breaker none = {.lock = PTHREAD_MUTEX_INITIALIZER};
    unsigned n = run_once(server, &none, 1, buf_str(&large));
    assert_in_range(n, 15, 40);
    for (int mode = 0; mode < MODES; mode++) {
        for (unsigned at = 1; at <= n; at++) {
            struct breaker breaker = {.mode = (enum mode)mode, .at = at, .lock = PTHREAD_MUTEX_INITIALIZER};
            (void)run_once(server, &breaker, 1, buf_str(&large));
            if (mode == ANSWER_LOST || mode == FAILED_503) (void)run_once(server, &breaker, 3, buf_str(&large));
        }
    }
}

static void on_versitygw_every_broken_request_is_survived(void **state) {
    (void)state;
    break_each("SLUICE_TEST_VERSITYGW");
}

static void on_minio_every_broken_request_is_survived(void **state) {
    (void)state;
    break_each("SLUICE_TEST_MINIO");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_versitygw_every_broken_request_is_survived),
        cmocka_unit_test(on_minio_every_broken_request_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
