/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_contract.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { WAIT_MS = 60000, TURN_MS = 50, QUEUE = 4 << 20, BLOCK_PARTITIONS = 2, JOB_PARTITIONS = 3, TURNS_MAX = 5000 };

struct env {
    const struct broker_fixture *fixture;
    void *opened;
    struct broker broker;
    struct why why;
};

static const struct broker_fixture *the_fixture;

static int setup(void **state) {
    struct env *env = ALLOC(struct env);
    env->fixture = the_fixture;
    env->opened = env->fixture->open(&env->broker);
    *state = env;
    return 0;
}

static int teardown(void **state) {
    struct env *env = *state;
    env->fixture->close(env->opened, env->broker);
    free(env);
    return 0;
}

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

static struct broker_producer new_producer(struct env *env, size_t queue_bytes) {
    struct broker_producer producer;
    OK(broker_producer_new(env->broker, queue_bytes, &producer, &env->why));
    return producer;
}

static struct broker_consumer new_consumer(struct env *env) {
    struct broker_consumer consumer;
    OK(broker_consumer_new(env->broker, STR("workers"), &consumer, &env->why));
    return consumer;
}

/* Collects exactly `n` acknowledgements. */
static void collect(struct env *env, struct broker_producer producer, struct broker_ack *out, size_t n) {
    for (size_t have = 0; have < n;) {
        size_t got = 0;
        OK(broker_poll(producer, WAIT_MS, out + have, n - have, &got, &env->why));
        assert_true(got > 0);
        have += got;
    }
}

static void append_text(struct env *env, struct broker_producer producer, uint32_t partition, const char *text,
                        uint64_t cookie) {
    OK(broker_append(producer, BROKER_BLOCKS, partition, str_of(text), STR(""), cookie, &env->why));
}

/* Appends "0", "1", ... and waits for them. */
static void fill(struct env *env, struct broker_producer producer, uint32_t partition, size_t n) {
    struct broker_ack *acks = alloc_zero(n, sizeof *acks);
    for (size_t i = 0; i < n; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%zu", i);
        append_text(env, producer, partition, text, i);
    }
    collect(env, producer, acks, n);
    free(acks);
}

static void expect_text(struct env *env, uint32_t partition, uint64_t offset, const char *text) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(CONTRACT_MESSAGE_MAX);
    struct broker_message message;
    OK(broker_read(env->broker, partition, offset, &bytes, &message, &env->why));
    assert_int_equal(message.offset, offset);
    assert_int_equal(message.partition, partition);
    assert_true(str_equal(message.bytes, str_of(text)));
}

static void expect_bounds(struct env *env, uint32_t partition, uint64_t start, uint64_t end) {
    uint64_t got_start = 99, got_end = 99;
    OK(broker_bounds(env->broker, partition, &got_start, &got_end, &env->why));
    assert_int_equal(got_start, start);
    assert_int_equal(got_end, end);
}

static void a_topic_has_as_many_partitions_as_configured(void **state) {
    struct env *env = *state;
    uint32_t n = 0;
    OK(broker_partitions(env->broker, BROKER_BLOCKS, &n, &env->why));
    assert_int_equal(n, BLOCK_PARTITIONS);
    OK(broker_partitions(env->broker, BROKER_JOBS, &n, &env->why));
    assert_int_equal(n, JOB_PARTITIONS);
}

static void a_new_log_is_empty(void **state) {
    struct env *env = *state;
    uint64_t bytes = 99;
    for (uint32_t k = 0; k < BLOCK_PARTITIONS; k++) expect_bounds(env, k, 0, 0);
    OK(broker_backlog_bytes(env->broker, &bytes, &env->why));
    assert_int_equal(bytes, 0);
}

static void offsets_are_dense_and_keep_a_producers_order(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_ack acks[20];
    for (uint64_t i = 0; i < 20; i++) append_text(env, producer, (uint32_t)(i % 2), i % 3 ? "x" : "yy", i);
    collect(env, producer, acks, 20);
    uint64_t next[2] = {0, 0};
    for (size_t i = 0; i < 20; i++) {
        uint32_t k = acks[i].partition;
        assert_int_equal(acks[i].topic, BROKER_BLOCKS);
        assert_int_equal(acks[i].offset, next[k]);
        assert_int_equal(acks[i].cookie, 2 * next[k] + k);
        next[k]++;
    }
    expect_bounds(env, 0, 0, 10);
    expect_bounds(env, 1, 0, 10);
    expect_text(env, 0, 3, "yy");
    expect_text(env, 0, 2, "x");
    broker_producer_free(producer);
}

static void head_and_body_are_one_message(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_ack acks[4];
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("head-"), STR("body"), 1, &env->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR(""), STR("body"), 2, &env->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("head-"), STR(""), 3, &env->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR(""), STR(""), 4, &env->why));
    collect(env, producer, acks, 4);
    expect_text(env, 0, 0, "head-body");
    expect_text(env, 0, 1, "body");
    expect_text(env, 0, 2, "head-");
    expect_text(env, 0, 3, "");
    broker_producer_free(producer);
}

static void what_append_was_given_may_change_when_it_returns(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_ack ack;
    char text[] = "before";
    OK(broker_append(producer, BROKER_BLOCKS, 0, (struct str){text, 6}, STR(""), 1, &env->why));
    memcpy(text, "after!", 6);
    collect(env, producer, &ack, 1);
    expect_text(env, 0, 0, "before");
    broker_producer_free(producer);
}

static void reading_outside_the_bounds_is_absent(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message = {.offset = 77};
    uint64_t len = 77;
    fill(env, producer, 0, 3);
    IS(RC_ABSENT, broker_read(env->broker, 0, 3, &bytes, &message, &env->why));
    IS(RC_ABSENT, broker_read(env->broker, 0, UINT64_MAX, &bytes, &message, &env->why));
    IS(RC_ABSENT, broker_read_head(env->broker, 0, 3, 10, &bytes, &len, &env->why));
    OK(broker_trim(env->broker, 0, 2, &env->why));
    IS(RC_ABSENT, broker_read(env->broker, 0, 1, &bytes, &message, &env->why));
    assert_int_equal(message.offset, 77);
    assert_int_equal(len, 77);
    expect_text(env, 0, 2, "2");
    broker_producer_free(producer);
}

static void a_partition_that_is_not_there_is_bad(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message;
    uint64_t a, b;
    IS(RC_BAD, broker_append(producer, BROKER_BLOCKS, BLOCK_PARTITIONS, STR("x"), STR(""), 1, &env->why));
    IS(RC_BAD, broker_bounds(env->broker, BLOCK_PARTITIONS, &a, &b, &env->why));
    IS(RC_BAD, broker_read(env->broker, BLOCK_PARTITIONS, 0, &bytes, &message, &env->why));
    IS(RC_BAD, broker_read_head(env->broker, BLOCK_PARTITIONS, 0, 1, &bytes, &a, &env->why));
    IS(RC_BAD, broker_trim(env->broker, BLOCK_PARTITIONS, 0, &env->why));
    IS(RC_BAD, broker_skip_to(env->broker, BLOCK_PARTITIONS, 0, &env->why));
    IS(RC_BAD, broker_wait(env->broker, BLOCK_PARTITIONS, 0, 0, &env->why));
    broker_producer_free(producer);
}

static void read_head_gives_the_beginning_and_the_length(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_ack ack;
    uint64_t len = 0;
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("0123456789"), STR("abcdef"), 1, &env->why));
    collect(env, producer, &ack, 1);
    OK(broker_read_head(env->broker, 0, 0, 12, &bytes, &len, &env->why));
    assert_int_equal(len, 16);
    assert_true(str_equal(buf_str(&bytes), STR("0123456789ab")));
    OK(broker_read_head(env->broker, 0, 0, 99, &bytes, &len, &env->why));
    assert_true(str_equal(buf_str(&bytes), STR("0123456789abcdef")));
    OK(broker_read_head(env->broker, 0, 0, 0, &bytes, &len, &env->why));
    assert_int_equal(len, 16);
    assert_int_equal(bytes.len, 0);
    broker_producer_free(producer);
}

static void a_message_over_the_readers_cap_is_limit(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    AUTO(buf_done) struct buf bytes = BUF_INIT(8);
    struct broker_message message;
    struct broker_ack ack;
    uint64_t len;
    append_text(env, producer, 0, "nine long", 1);
    collect(env, producer, &ack, 1);
    IS(RC_LIMIT, broker_read(env->broker, 0, 0, &bytes, &message, &env->why));
    IS(RC_LIMIT, broker_read_head(env->broker, 0, 0, 9, &bytes, &len, &env->why));
    OK(broker_read_head(env->broker, 0, 0, 8, &bytes, &len, &env->why));
    broker_producer_free(producer);
}

static void the_largest_message_passes_and_one_byte_more_is_limit(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    AUTO(own_free) char *big = alloc_zero(1, CONTRACT_MESSAGE_MAX + 1);
    AUTO(buf_done) struct buf bytes = BUF_INIT(CONTRACT_MESSAGE_MAX);
    struct broker_message message;
    struct broker_ack ack;
    for (size_t i = 0; i < CONTRACT_MESSAGE_MAX; i++) big[i] = (char)(i * 7 >> 3);
    struct str body = {big, CONTRACT_MESSAGE_MAX - 4};
    IS(RC_LIMIT, broker_append(producer, BROKER_BLOCKS, 0, STR("12345"), body, 1, &env->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("1234"), body, 2, &env->why));
    collect(env, producer, &ack, 1);
    assert_int_equal(ack.cookie, 2);
    OK(broker_read(env->broker, 0, 0, &bytes, &message, &env->why));
    assert_int_equal(message.bytes.len, CONTRACT_MESSAGE_MAX);
    assert_memory_equal(message.bytes.at + 4, big, body.len);
    broker_producer_free(producer);
}

static void a_full_queue_is_busy_until_poll_has_handed_out(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, 2 * (64 + 10));
    struct broker_ack acks[4];
    append_text(env, producer, 0, "0123456789", 1);
    append_text(env, producer, 0, "0123456789", 2);
    IS(RC_BUSY, broker_append(producer, BROKER_BLOCKS, 1, STR(""), STR(""), 3, &env->why));
    collect(env, producer, acks, 1);
    append_text(env, producer, 0, "0123456789", 4);
    collect(env, producer, acks, 2);
    assert_int_equal(acks[0].cookie, 2);
    assert_int_equal(acks[1].cookie, 4);
    expect_bounds(env, 1, 0, 0);
    broker_producer_free(producer);
}

static void one_message_alone_is_always_taken(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, 1);
    struct broker_ack ack;
    append_text(env, producer, 0, "far more than one byte", 1);
    IS(RC_BUSY, broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 2, &env->why));
    collect(env, producer, &ack, 1);
    append_text(env, producer, 0, "and again", 3);
    collect(env, producer, &ack, 1);
    assert_int_equal(ack.cookie, 3);
    broker_producer_free(producer);
}

static void poll_without_anything_unacknowledged_gives_none_at_once(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_ack ack;
    size_t n = 99;
    OK(broker_poll(producer, UINT64_MAX, &ack, 1, &n, &env->why));
    assert_int_equal(n, 0);
    broker_producer_free(producer);
}

static void two_producers_get_their_own_acknowledgements(void **state) {
    struct env *env = *state;
    struct broker_producer a = new_producer(env, QUEUE), b = new_producer(env, QUEUE);
    struct broker_ack of_a[3], of_b[2];
    bool seen[5] = {0};
    append_text(env, a, 0, "a0", 10);
    append_text(env, b, 0, "b0", 20);
    append_text(env, a, 0, "a1", 11);
    append_text(env, b, 0, "b1", 21);
    append_text(env, a, 0, "a2", 12);
    collect(env, b, of_b, 2);
    collect(env, a, of_a, 3);
    for (size_t i = 0; i < 3; i++) {
        char text[3] = {'a', (char)('0' + i), 0};
        assert_int_equal(of_a[i].cookie, 10 + i);
        expect_text(env, 0, of_a[i].offset, text);
        seen[of_a[i].offset] = true;
    }
    for (size_t i = 0; i < 2; i++) {
        char text[3] = {'b', (char)('0' + i), 0};
        assert_int_equal(of_b[i].cookie, 20 + i);
        expect_text(env, 0, of_b[i].offset, text);
        seen[of_b[i].offset] = true;
    }
    for (size_t i = 0; i < 5; i++) assert_true(seen[i]);
    broker_producer_free(a);
    broker_producer_free(b);
}

static void a_freed_producer_leaves_a_prefix_of_its_messages(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    for (uint64_t i = 0; i < 9; i++) {
        char text[2] = {(char)('0' + i), 0};
        append_text(env, producer, 0, text, i);
    }
    broker_producer_free(producer);
    struct broker_producer next = new_producer(env, QUEUE);
    struct broker_ack ack;
    append_text(env, next, 0, "z", 1);
    collect(env, next, &ack, 1);
    uint64_t start, end;
    OK(broker_bounds(env->broker, 0, &start, &end, &env->why));
    char expected = '0';
    for (uint64_t i = start; i < end; i++) {
        char text[2] = {i == ack.offset ? 'z' : expected++, 0};
        expect_text(env, 0, i, text);
    }
    broker_producer_free(next);
}

static void trimming_raises_the_start_and_lowers_the_backlog(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    uint64_t all, some, none;
    fill(env, producer, 0, 10);
    fill(env, producer, 1, 10);
    OK(broker_backlog_bytes(env->broker, &all, &env->why));
    assert_true(all >= 20);
    OK(broker_trim(env->broker, 0, 4, &env->why));
    expect_bounds(env, 0, 4, 10);
    expect_bounds(env, 1, 0, 10);
    OK(broker_backlog_bytes(env->broker, &some, &env->why));
    assert_true(some < all);
    OK(broker_trim(env->broker, 0, 4, &env->why));
    OK(broker_trim(env->broker, 0, 2, &env->why));
    expect_bounds(env, 0, 4, 10);
    OK(broker_trim(env->broker, 0, 1000, &env->why));
    OK(broker_trim(env->broker, 1, 10, &env->why));
    expect_bounds(env, 0, 10, 10);
    OK(broker_backlog_bytes(env->broker, &none, &env->why));
    assert_int_equal(none, 0);
    fill(env, producer, 0, 1);
    expect_text(env, 0, 10, "0");
    broker_producer_free(producer);
}

static void what_was_skipped_never_was(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message;
    struct broker_ack ack;
    fill(env, producer, 0, 3);
    IS(RC_BAD, broker_skip_to(env->broker, 0, 2, &env->why));
    OK(broker_skip_to(env->broker, 0, 3, &env->why));
    expect_bounds(env, 0, 0, 3);
    OK(broker_skip_to(env->broker, 0, 10, &env->why));
    expect_bounds(env, 0, 0, 10);
    append_text(env, producer, 0, "ten", 5);
    collect(env, producer, &ack, 1);
    assert_int_equal(ack.offset, 10);
    expect_text(env, 0, 2, "2");
    for (uint64_t i = 3; i < 10; i++) IS(RC_ABSENT, broker_read(env->broker, 0, i, &bytes, &message, &env->why));
    expect_text(env, 0, 10, "ten");
    OK(broker_trim(env->broker, 0, 5, &env->why));
    expect_bounds(env, 0, 5, 11);
    expect_text(env, 0, 10, "ten");
    broker_producer_free(producer);
}

static void skipping_an_empty_log_moves_its_end(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    OK(broker_skip_to(env->broker, 1, 7, &env->why));
    OK(broker_skip_to(env->broker, 1, 9, &env->why));
    fill(env, producer, 1, 2);
    expect_text(env, 1, 9, "0");
    expect_text(env, 1, 10, "1");
    broker_producer_free(producer);
}

static void wait_tells_whether_there_is_something_above(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    IS(RC_ABSENT, broker_wait(env->broker, 0, 0, 0, &env->why));
    IS(RC_ABSENT, broker_wait(env->broker, 0, 0, 1, &env->why));
    fill(env, producer, 0, 2);
    OK(broker_wait(env->broker, 0, 0, 0, &env->why));
    OK(broker_wait(env->broker, 0, 1, WAIT_MS, &env->why));
    IS(RC_ABSENT, broker_wait(env->broker, 0, 2, 0, &env->why));
    IS(RC_ABSENT, broker_wait(env->broker, 1, 0, 0, &env->why));
    broker_producer_free(producer);
}

/* ---- jobs ---- */

static void put_jobs(struct env *env, struct broker_producer producer, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++) {
        char text[16];
        struct broker_ack ack;
        (void)snprintf(text, sizeof text, "job %llu", (unsigned long long)i);
        OK(broker_append(producer, BROKER_JOBS, (uint32_t)i, str_of(text), STR("!"), i, &env->why));
        collect(env, producer, &ack, 1);
        assert_int_equal(ack.cookie, i);
        assert_int_equal(ack.topic, BROKER_JOBS);
        assert_int_equal(ack.partition, i % JOB_PARTITIONS);
    }
}

static void each_job_goes_to_one_consumer_of_the_group(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_consumer consumers[2] = {new_consumer(env), new_consumer(env)};
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    int seen[30] = {0};
    put_jobs(env, producer, 0, 30);
    for (size_t turn = 0, sum = 0; sum < 30 && turn < TURNS_MAX; turn++) {
        struct broker_message message;
        enum rc rc = broker_next(consumers[turn % 2], TURN_MS, &bytes, &message, &env->why);
        if (rc == RC_ABSENT) continue;
        OK(rc);
        unsigned number = 99;
        assert_int_equal(sscanf(buf_text(&bytes), "job %u!", &number), 1);
        assert_true(number < 30);
        assert_int_equal(message.partition, number % JOB_PARTITIONS);
        sum += seen[number]++ == 0;
    }
    for (size_t i = 0; i < 30; i++) assert_true(seen[i] == 1 || (seen[i] > 1 && env->fixture->jobs_repeat));
    for (size_t c = 0; c < 2; c++) {
        struct broker_message message;
        if (!env->fixture->jobs_repeat) IS(RC_ABSENT, broker_next(consumers[c], 0, &bytes, &message, &env->why));
        OK(broker_commit(consumers[c], &env->why));
        broker_consumer_free(consumers[c]);
    }
    broker_producer_free(producer);
}

static void jobs_of_a_partition_keep_their_order(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_consumer consumer = new_consumer(env);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    put_jobs(env, producer, 0, 30);
    uint64_t next[JOB_PARTITIONS] = {0};
    struct broker_message message;
    for (size_t i = 0; i < 30; i++) {
        OK(broker_next(consumer, WAIT_MS, &bytes, &message, &env->why));
        assert_int_equal(message.offset, next[message.partition]++);
    }
    IS(RC_ABSENT, broker_next(consumer, 0, &bytes, &message, &env->why));
    for (size_t i = 0; i < JOB_PARTITIONS; i++) assert_int_equal(next[i], 10);
    broker_consumer_free(consumer);
    broker_producer_free(producer);
}

static void an_empty_jobs_topic_answers_absent(void **state) {
    struct env *env = *state;
    struct broker_consumer consumer = new_consumer(env);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message = {.offset = 77};
    buf_add(&bytes, STR("left over"));
    IS(RC_ABSENT, broker_next(consumer, 0, &bytes, &message, &env->why));
    IS(RC_ABSENT, broker_next(consumer, 1, &bytes, &message, &env->why));
    assert_int_equal(bytes.len, 0);
    assert_int_equal(message.offset, 77);
    broker_consumer_free(consumer);
}

static void a_full_jobs_topic_is_busy_and_takes_more_when_read(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_consumer consumer = new_consumer(env);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message;
    put_jobs(env, producer, 0, CONTRACT_JOBS_MAX);
    if (env->fixture->jobs_endless)
        put_jobs(env, producer, CONTRACT_JOBS_MAX, CONTRACT_JOBS_MAX + 1);
    else
        IS(RC_BUSY, broker_append(producer, BROKER_JOBS, 0, STR("x"), STR(""), 1, &env->why));
    OK(broker_next(consumer, WAIT_MS, &bytes, &message, &env->why));
    put_jobs(env, producer, CONTRACT_JOBS_MAX, CONTRACT_JOBS_MAX + 1);
    broker_consumer_free(consumer);
    broker_producer_free(producer);
}

static void a_job_over_the_readers_cap_is_limit_and_gone(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_consumer consumer = new_consumer(env);
    AUTO(buf_done) struct buf bytes = BUF_INIT(4);
    struct broker_message message;
    put_jobs(env, producer, 0, 1);
    IS(RC_LIMIT, broker_next(consumer, WAIT_MS, &bytes, &message, &env->why));
    IS(RC_ABSENT, broker_next(consumer, 0, &bytes, &message, &env->why));
    broker_consumer_free(consumer);
    broker_producer_free(producer);
}

static void after_stop_waits_end_and_the_rest_goes_on(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    struct broker_consumer consumer = new_consumer(env);
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message;
    put_jobs(env, producer, 0, 1);
    broker_stop(env->broker);
    broker_stop(env->broker);
    IS(RC_STOP, broker_next(consumer, WAIT_MS, &bytes, &message, &env->why));
    IS(RC_STOP, broker_wait(env->broker, 0, 0, WAIT_MS, &env->why));
    fill(env, producer, 0, 2);
    expect_text(env, 0, 1, "1");
    OK(broker_trim(env->broker, 0, 1, &env->why));
    broker_consumer_free(consumer);
    broker_producer_free(producer);
}

/* ---- events ---- */

static void events_are_appended_where_there_are_any(void **state) {
    struct env *env = *state;
    struct broker_producer producer = new_producer(env, QUEUE);
    uint32_t n = 99;
    if (!env->fixture->has_events) {
        IS(RC_BAD, broker_partitions(env->broker, BROKER_EVENTS, &n, &env->why));
        IS(RC_BAD, broker_append(producer, BROKER_EVENTS, 0, STR("x"), STR(""), 1, &env->why));
    } else {
        struct broker_ack acks[3];
        OK(broker_partitions(env->broker, BROKER_EVENTS, &n, &env->why));
        assert_int_equal(n, 1);
        for (uint32_t i = 0; i < 3; i++)
            OK(broker_append(producer, BROKER_EVENTS, i, STR("event "), STR("1"), 40 + i, &env->why));
        collect(env, producer, acks, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(acks[i].topic, BROKER_EVENTS);
            assert_int_equal(acks[i].partition, 0);
            assert_int_equal(acks[i].offset, i);
            assert_int_equal(acks[i].cookie, 40 + i);
        }
    }
    for (uint32_t k = 0; k < BLOCK_PARTITIONS; k++) expect_bounds(env, k, 0, 0);
    broker_producer_free(producer);
}

/* ---- shares ---- */

static void who_is_alone_gets_every_partition(void **state) {
    struct env *env = *state;
    struct broker_share share;
    bool owned[BLOCK_PARTITIONS] = {false}, all = false;
    OK(broker_share_new(env->broker, STR("uploaders"), &share, &env->why));
    for (size_t turn = 0; !all && turn < TURNS_MAX; turn++) {
        OK(broker_share_poll(share, TURN_MS, owned, &env->why));
        all = owned[0] && owned[1];
    }
    assert_true(all);
    broker_stop(env->broker);
    IS(RC_STOP, broker_share_poll(share, WAIT_MS, owned, &env->why));
    broker_share_free(share);
}

static void a_committed_offset_is_told_and_moves_either_way(void **state) {
    struct env *env = *state;
    struct broker_share share;
    bool owned[BLOCK_PARTITIONS] = {false};
    uint64_t offset = 77;
    OK(broker_share_new(env->broker, STR("uploaders"), &share, &env->why));
    for (size_t turn = 0; !owned[1] && turn < TURNS_MAX; turn++)
        OK(broker_share_poll(share, TURN_MS, owned, &env->why));
    IS(RC_ABSENT, broker_share_committed(share, 0, &offset, &env->why));
    IS(RC_BAD, broker_share_committed(share, BLOCK_PARTITIONS, &offset, &env->why));
    IS(RC_BAD, broker_share_commit(share, BLOCK_PARTITIONS, 1, &env->why));
    assert_int_equal(offset, 77);
    const uint64_t told[] = {5, 3};
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        OK(broker_share_commit(share, 1, told[i], &env->why));
        for (size_t turn = 0; offset != told[i] && turn < TURNS_MAX; turn++) { /* it may be on its way */
            OK(broker_share_poll(share, 1, owned, &env->why));
            enum rc rc = broker_share_committed(share, 1, &offset, &env->why);
            assert_true(rc == RC_OK || rc == RC_ABSENT);
        }
        assert_int_equal(offset, told[i]);
    }
    IS(RC_ABSENT, broker_share_committed(share, 0, &offset, &env->why));
    broker_share_free(share);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int broker_contract_run(const struct broker_fixture *fixture) {
    const struct CMUnitTest tests[] = {
        TEST(a_topic_has_as_many_partitions_as_configured),
        TEST(a_new_log_is_empty),
        TEST(offsets_are_dense_and_keep_a_producers_order),
        TEST(head_and_body_are_one_message),
        TEST(what_append_was_given_may_change_when_it_returns),
        TEST(reading_outside_the_bounds_is_absent),
        TEST(a_partition_that_is_not_there_is_bad),
        TEST(read_head_gives_the_beginning_and_the_length),
        TEST(a_message_over_the_readers_cap_is_limit),
        TEST(the_largest_message_passes_and_one_byte_more_is_limit),
        TEST(a_full_queue_is_busy_until_poll_has_handed_out),
        TEST(one_message_alone_is_always_taken),
        TEST(poll_without_anything_unacknowledged_gives_none_at_once),
        TEST(two_producers_get_their_own_acknowledgements),
        TEST(a_freed_producer_leaves_a_prefix_of_its_messages),
        TEST(trimming_raises_the_start_and_lowers_the_backlog),
        TEST(what_was_skipped_never_was),
        TEST(skipping_an_empty_log_moves_its_end),
        TEST(wait_tells_whether_there_is_something_above),
        TEST(each_job_goes_to_one_consumer_of_the_group),
        TEST(jobs_of_a_partition_keep_their_order),
        TEST(an_empty_jobs_topic_answers_absent),
        TEST(a_full_jobs_topic_is_busy_and_takes_more_when_read),
        TEST(a_job_over_the_readers_cap_is_limit_and_gone),
        TEST(after_stop_waits_end_and_the_rest_goes_on),
        TEST(events_are_appended_where_there_are_any),
        TEST(who_is_alone_gets_every_partition),
        TEST(a_committed_offset_is_told_and_moves_either_way),
    };
    the_fixture = fixture;
    return cmocka_run_group_tests_name(fixture->name, tests, NULL, NULL);
}
