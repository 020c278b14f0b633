/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: producers, readers, a trimmer and consumers work on one local broker at once; and broker_stop wakes all who
 * wait. Run under the tsan preset too. */
#include "broker_local.h"
#include "local_home.h"

#include "alloc.h"
#include "must.h"
#include "own.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

enum { PRODUCERS = 3, PARTITIONS = 2, PER_PARTITION = 400, TOTAL = PRODUCERS * PER_PARTITION, LONG_MS = 600000 };

/* A message is this and a filling that depends on it. */
struct content {
    uint32_t producer, number;
    char filling[400];
};

static struct str content_of(uint32_t producer, uint32_t number, struct content *out) {
    *out = (struct content){.producer = producer, .number = number};
    size_t len = (producer * 97 + number * 31) % sizeof out->filling;
    memset(out->filling, (int)('a' + number % 26), len);
    return (struct str){(const char *)out, offsetof(struct content, filling) + len};
}

struct crowd {
    struct broker broker;
    _Atomic uint64_t read_to[PARTITIONS];
    atomic_uint jobs_got;
};

struct member {
    struct crowd *crowd;
    uint32_t number;
};

static void *produce(void *context) {
    const struct member *me = context;
    struct broker_producer producer;
    struct broker_ack acks[32];
    uint64_t last[PARTITIONS];
    uint32_t acked = 0, appended = 0;
    size_t n;
    memset(last, 0xff, sizeof last);
    MUST(broker_producer_new(me->crowd->broker, 4000, &producer, NULL) == RC_OK);
    while (acked < PARTITIONS * PER_PARTITION) {
        enum rc rc = RC_BUSY;
        if (appended < PARTITIONS * PER_PARTITION) {
            struct content content;
            struct str text = content_of(me->number, appended / PARTITIONS, &content);
            rc = broker_append(producer, BROKER_BLOCKS, appended % PARTITIONS, str_sub(text, 0, 3),
                               str_sub(text, 3, text.len), appended / PARTITIONS, NULL);
            MUST(rc == RC_OK || rc == RC_BUSY);
            appended += rc == RC_OK;
        }
        MUST(broker_poll(producer, rc == RC_BUSY ? LONG_MS : 0, acks, 32, &n, NULL) == RC_OK);
        for (size_t i = 0; i < n; i++) MUST(acks[i].cookie == ++last[acks[i].partition]);
        acked += (uint32_t)n;
    }
    broker_producer_free(producer);
    return NULL;
}

/* Reads a partition from 0 on and expects each producer's numbers in order, without a gap. */
static void *read_all(void *context) {
    const struct member *me = context;
    struct crowd *crowd = me->crowd;
    AUTO(buf_done) struct buf bytes = BUF_INIT(sizeof(struct content));
    uint32_t next[PRODUCERS] = {0};
    for (uint64_t at = 0; at < TOTAL; at++) {
        struct broker_message message;
        struct content head = {0}, expected;
        uint64_t len;
        MUST(broker_wait(crowd->broker, me->number, at, LONG_MS, NULL) == RC_OK);
        MUST(broker_read_head(crowd->broker, me->number, at, 8, &bytes, &len, NULL) == RC_OK);
        memcpy(&head, bytes.at, 8);
        MUST(broker_read(crowd->broker, me->number, at, &bytes, &message, NULL) == RC_OK);
        MUST(head.producer < PRODUCERS && head.number == next[head.producer]++);
        MUST(len == message.bytes.len);
        MUST(str_equal(message.bytes, content_of(head.producer, head.number, &expected)));
        atomic_store(&crowd->read_to[me->number], at + 1);
    }
    return NULL;
}

static void *trim_behind(void *context) {
    const struct member *me = context;
    struct crowd *crowd = me->crowd;
    uint64_t done = 0, start, end, bytes;
    while (done < TOTAL) {
        done = atomic_load(&crowd->read_to[me->number]);
        MUST(broker_trim(crowd->broker, me->number, done, NULL) == RC_OK);
        MUST(broker_bounds(crowd->broker, me->number, &start, &end, NULL) == RC_OK);
        MUST(start >= done && end >= start);
        MUST(broker_backlog_bytes(crowd->broker, &bytes, NULL) == RC_OK);
    }
    return NULL;
}

static void *consume(void *context) {
    const struct member *me = context;
    struct broker_consumer consumer;
    struct broker_message message;
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    MUST(broker_consumer_new(me->crowd->broker, STR("workers"), &consumer, NULL) == RC_OK);
    enum rc rc;
    while ((rc = broker_next(consumer, LONG_MS, &bytes, &message, NULL)) == RC_OK)
        atomic_fetch_add(&me->crowd->jobs_got, 1);
    MUST(rc == RC_STOP);
    broker_consumer_free(consumer);
    return NULL;
}

static void *wait_for_what_never_comes(void *context) {
    const struct member *me = context;
    MUST(broker_wait(me->crowd->broker, 0, UINT64_MAX - 1, LONG_MS, NULL) == RC_STOP);
    return NULL;
}

static struct broker open_small(const char *path) {
    struct broker_local_options options = local_home_options(path);
    options.segment_bytes = 4096;
    options.open_segments_max = 1;
    struct broker broker;
    MUST(broker_local_open(&options, &broker, NULL) == RC_OK);
    return broker;
}

static void producers_readers_and_trimmers_do_not_disturb_each_other(void **state) {
    (void)state;
    char *path = local_home_new();
    struct crowd crowd = {.broker = open_small(path)};
    pthread_t threads[PRODUCERS + 2 * PARTITIONS];
    struct member members[PRODUCERS + 2 * PARTITIONS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < PRODUCERS; i++, n++) {
        members[n] = (struct member){&crowd, i};
        assert_int_equal(pthread_create(&threads[n], NULL, produce, &members[n]), 0);
    }
    for (uint32_t i = 0; i < 2 * PARTITIONS; i++, n++) {
        members[n] = (struct member){&crowd, i / 2};
        assert_int_equal(pthread_create(&threads[n], NULL, i % 2 ? trim_behind : read_all, &members[n]), 0);
    }
    for (uint32_t i = 0; i < n; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    uint64_t bytes = 1;
    assert_int_equal(broker_backlog_bytes(crowd.broker, &bytes, NULL), RC_OK);
    assert_int_equal(bytes, 0);
    broker_free(crowd.broker);
    local_home_remove(path);
}

static void each_job_wakes_one_and_stop_wakes_all(void **state) {
    (void)state;
    enum { CONSUMERS = 4, JOBS = 500 };
    char *path = local_home_new();
    struct crowd crowd = {.broker = open_small(path)};
    struct member me = {&crowd, 0};
    pthread_t threads[CONSUMERS + 1];
    for (size_t i = 0; i < CONSUMERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, consume, &me), 0);
    assert_int_equal(pthread_create(&threads[CONSUMERS], NULL, wait_for_what_never_comes, &me), 0);
    struct broker_producer producer;
    struct broker_ack acks[10];
    size_t n;
    assert_int_equal(broker_producer_new(crowd.broker, 1 << 20, &producer, NULL), RC_OK);
    for (uint32_t sent = 0; sent < JOBS;) {
        enum rc rc = broker_append(producer, BROKER_JOBS, sent, STR("job"), STR(""), sent, NULL);
        assert_true(rc == RC_OK || rc == RC_BUSY);
        sent += rc == RC_OK;
        assert_int_equal(broker_poll(producer, 0, acks, 10, &n, NULL), RC_OK);
    }
    while (atomic_load(&crowd.jobs_got) < JOBS) (void)sched_yield();
    broker_stop(crowd.broker);
    for (size_t i = 0; i <= CONSUMERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&crowd.jobs_got), JOBS);
    broker_producer_free(producer);
    broker_free(crowd.broker);
    local_home_remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(producers_readers_and_trimmers_do_not_disturb_each_other),
        cmocka_unit_test(each_job_wakes_one_and_stop_wakes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
