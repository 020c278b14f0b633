/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what was put into a cache of blocks comes out as it was or not at all, the bound on its disk holds whatever
 * grows, and no file of it is ever left. */
#include "kafka_cache.h"

#include "own.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <signal.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

enum { MESSAGE = 10000, SEGMENT = 64 * 1024 };

struct bed {
    char dir[128];
    struct kafka_cache_space space;
    struct kafka_cache a, b;
};

static void begin(struct bed *bed, uint64_t bytes_max) {
    const char *base = getenv("TMPDIR");
    (void)snprintf(bed->dir, sizeof bed->dir, "%s/sluice-cache-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(bed->dir));
    OK(kafka_cache_space_init(&bed->space, bed->dir, bytes_max, NULL));
    kafka_cache_init(&bed->a, &bed->space);
    kafka_cache_init(&bed->b, &bed->space);
}

static void end(struct bed *bed) {
    kafka_cache_done(&bed->a);
    kafka_cache_done(&bed->b);
    kafka_cache_space_done(&bed->space);
    assert_int_equal(rmdir(bed->dir), 0); /* nothing was left in it */
}

static void message(char *to, uint64_t number) {
    for (size_t i = 0; i < MESSAGE; i++) to[i] = (char)(number * 31 + i * 7 + (i >> 8));
}

static void add(struct kafka_cache *cache, uint64_t number) {
    char bytes[MESSAGE];
    message(bytes, number);
    OK(kafka_cache_add(cache, (struct str){bytes, sizeof bytes}, false, NULL));
}

static void expect(struct kafka_cache *cache, uint64_t number) {
    AUTO(buf_done) struct buf out = BUF_INIT(MESSAGE);
    char bytes[MESSAGE];
    uint64_t len = 0;
    message(bytes, number);
    OK(kafka_cache_read(cache, number, SIZE_MAX, &out, &len, NULL));
    assert_int_equal(len, MESSAGE);
    assert_memory_equal(out.at, bytes, MESSAGE);
}

static void expect_window(struct kafka_cache *cache, uint64_t base, uint64_t next) {
    uint64_t got_base, got_next;
    kafka_cache_window(cache, &got_base, &got_next);
    assert_int_equal(got_base, base);
    assert_int_equal(got_next, next);
}

static void messages_come_out_as_they_went_in(void **state) {
    (void)state;
    struct bed bed;
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    uint64_t len = 0;
    begin(&bed, 1 << 30);
    kafka_cache_reset(&bed.a, 100);
    for (uint64_t i = 100; i < 130; i++) add(&bed.a, i);
    for (uint64_t i = 130; i-- > 100;) expect(&bed.a, i);
    OK(kafka_cache_read(&bed.a, 117, 100, &out, &len, NULL));
    assert_int_equal(len, MESSAGE);
    assert_int_equal(out.len, 100);
    buf_reset(&out);
    IS(RC_LIMIT, kafka_cache_read(&bed.a, 117, 101, &out, &len, NULL));
    IS(RC_STALE, kafka_cache_read(&bed.a, 99, 1, &out, &len, NULL));
    IS(RC_STALE, kafka_cache_read(&bed.a, 130, 1, &out, &len, NULL));
    end(&bed);
}

static void holes_are_absent_and_empty_messages_are_not(void **state) {
    (void)state;
    struct bed bed;
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    uint64_t len = 99;
    begin(&bed, 1 << 30);
    OK(kafka_cache_add(&bed.a, STR(""), true, NULL));
    OK(kafka_cache_add(&bed.a, STR(""), false, NULL));
    OK(kafka_cache_add(&bed.a, (struct str){NULL, 0}, false, NULL));
    IS(RC_ABSENT, kafka_cache_read(&bed.a, 0, 10, &out, &len, NULL));
    for (uint64_t i = 1; i < 3; i++) {
        OK(kafka_cache_read(&bed.a, i, 10, &out, &len, NULL));
        assert_int_equal(len, 0);
    }
    end(&bed);
}

static void dropping_takes_whole_segments_below(void **state) {
    (void)state;
    struct bed bed;
    begin(&bed, 1 << 20); /* segments of 64 KiB: 6 messages */
    for (uint64_t i = 0; i < 20; i++) add(&bed.a, i);
    kafka_cache_drop(&bed.a, 5);
    expect_window(&bed.a, 0, 20);
    kafka_cache_drop(&bed.a, 13);
    expect_window(&bed.a, 12, 20);
    expect(&bed.a, 12);
    kafka_cache_drop(&bed.a, 1000);
    expect_window(&bed.a, 20, 20);
    assert_int_equal(bed.space.bytes, 0);
    add(&bed.a, 20);
    expect(&bed.a, 20);
    end(&bed);
}

static void the_largest_cache_makes_room(void **state) {
    (void)state;
    struct bed bed;
    const uint64_t bound = 10 * SEGMENT;
    uint64_t base_a, base_b, next;
    begin(&bed, bound);
    for (uint64_t i = 0; i < 200; i++) {
        add(&bed.a, i);
        assert_true(bed.space.bytes <= bound);
        expect(&bed.a, i);
    }
    kafka_cache_window(&bed.a, &base_a, &next);
    assert_true(base_a > 100);
    for (uint64_t i = 0; i < 200; i++) {
        add(&bed.b, i);
        assert_true(bed.space.bytes <= bound);
        expect(&bed.b, i);
    }
    kafka_cache_window(&bed.a, &base_a, &next);
    kafka_cache_window(&bed.b, &base_b, &next);
    assert_true(base_a < 180 && base_b < 180); /* each has about a half: 32 messages */
    for (uint64_t i = base_a; i < 200; i++) expect(&bed.a, i);
    for (uint64_t i = base_b; i < 200; i++) expect(&bed.b, i);
    end(&bed);
}

static void a_full_disk_is_limit_and_the_message_can_be_added_later(void **state) {
    (void)state;
    struct bed bed;
    struct rlimit old, small = {.rlim_cur = 25000, .rlim_max = RLIM_INFINITY};
    char bytes[MESSAGE];
    begin(&bed, 1 << 30);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    add(&bed.a, 0);
    add(&bed.a, 1);
    message(bytes, 2);
    IS(RC_LIMIT, kafka_cache_add(&bed.a, (struct str){bytes, sizeof bytes}, false, NULL));
    expect_window(&bed.a, 0, 2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    for (uint64_t i = 2; i < 10; i++) add(&bed.a, i);
    for (uint64_t i = 0; i < 10; i++) expect(&bed.a, i);
    end(&bed);
}

static void a_folder_that_is_not_there_is_denied(void **state) {
    (void)state;
    struct kafka_cache_space space;
    struct why why = {0};
    IS(RC_DENIED, kafka_cache_space_init(&space, "/nonexistent/folder", 1, &why));
    assert_non_null(strstr(why.text, "/nonexistent/folder"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_as_they_went_in),
        cmocka_unit_test(holes_are_absent_and_empty_messages_are_not),
        cmocka_unit_test(dropping_takes_whole_segments_below),
        cmocka_unit_test(the_largest_cache_makes_room),
        cmocka_unit_test(a_full_disk_is_limit_and_the_message_can_be_added_later),
        cmocka_unit_test(a_folder_that_is_not_there_is_denied),
    };
    return cmocka_run_group_tests_name("kafka_cache", tests, NULL, NULL);
}
