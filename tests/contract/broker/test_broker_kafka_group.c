/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: however the members of a group come and go, every job reaches one of them, every partition of blocks is
 * somebody's, and a member that has an instance id and comes back finds what it had. */
#include "kafka_home.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

enum { TURN_MS = 20, PATIENCE_S = 60, JOBS = 400, MEMBERS_MAX = 8 };

#define OK(call) assert_string_equal(rc_name(call), "ok")

static time_t seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* ---- consumers that come and go ---- */

struct crowd {
    struct broker broker;
    atomic_uint seen[JOBS];
    atomic_uint seen_sum, failures, members;
    atomic_bool over;
};

/* A consumer that after some turns commits, leaves, and begins again as a new one. Every other one stays: a group whose
 * members all come and go within seconds does little else than rebalance. */
static void *come_and_go(void *context) {
    struct crowd *crowd = context;
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    bool stays = atomic_fetch_add(&crowd->members, 1) % 2 == 0;
    for (unsigned life = 0; !atomic_load(&crowd->over); life++) {
        struct broker_consumer consumer;
        if (broker_consumer_new(crowd->broker, STR("workers"), &consumer, NULL) != RC_OK) {
            (void)atomic_fetch_add(&crowd->failures, 1);
            return NULL;
        }
        unsigned turns = stays ? UINT_MAX : 60 + 40 * (life % 4);
        for (unsigned turn = 0; turn < turns && !atomic_load(&crowd->over); turn++) {
            struct broker_message message;
            unsigned number = JOBS;
            enum rc rc = broker_next(consumer, TURN_MS, &bytes, &message, NULL);
            if (rc == RC_ABSENT || rc == RC_BUSY) continue;
            if (rc != RC_OK || sscanf(buf_text(&bytes), "%u", &number) != 1 || number >= JOBS)
                (void)atomic_fetch_add(&crowd->failures, 1);
            else if (atomic_fetch_add(&crowd->seen[number], 1) == 0)
                (void)atomic_fetch_add(&crowd->seen_sum, 1);
        }
        if (broker_commit(consumer, NULL) != RC_OK) (void)atomic_fetch_add(&crowd->failures, 1);
        broker_consumer_free(consumer);
    }
    return NULL;
}

/* Appends the jobs, a few at a time, and waits until all were seen. */
static void feed(struct crowd *crowd) {
    struct broker_producer producer;
    OK(broker_producer_new(crowd->broker, 1 << 20, &producer, NULL));
    unsigned appended = 0;
    for (time_t end = seconds() + PATIENCE_S; atomic_load(&crowd->seen_sum) < JOBS && seconds() < end;) {
        struct broker_ack acks[8];
        size_t n = 0;
        for (unsigned i = 0; i < COUNT_OF(acks) && appended < JOBS; i++, appended++) {
            char text[16];
            (void)snprintf(text, sizeof text, "%u", appended);
            OK(broker_append(producer, BROKER_JOBS, appended, str_of(text), STR(""), appended, NULL));
        }
        OK(broker_poll(producer, 50, acks, COUNT_OF(acks), &n, NULL));
        const struct timespec pause = {.tv_nsec = 20000000}; /* jobs go on while members change */
        (void)nanosleep(&pause, NULL);
    }
    broker_producer_free(producer);
}

static void run_crowd(uint32_t job_partitions, size_t members, const char *instance) {
    struct kafka_home home;
    struct crowd *crowd = ALLOC(struct crowd);
    pthread_t threads[MEMBERS_MAX];
    kafka_home_make(&home, job_partitions, 1);
    home.settings.instance_id = str_of(instance);
    OK(broker_kafka_open(&home.settings, &crowd->broker, NULL));
    for (size_t i = 0; i < members; i++) assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, crowd), 0);
    feed(crowd);
    atomic_store(&crowd->over, true);
    for (size_t i = 0; i < members; i++) (void)pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd->seen_sum), JOBS);
    assert_int_equal(atomic_load(&crowd->failures), 0);
    broker_free(crowd->broker);
    free(crowd);
    kafka_home_remove(&home);
}

static void every_job_is_seen_while_three_members_come_and_go(void **state) {
    (void)state;
    run_crowd(6, 3, "");
}

static void more_members_than_partitions_starve_nobody(void **state) {
    (void)state;
    run_crowd(2, 5, "");
}

static void every_job_is_seen_by_static_members(void **state) {
    (void)state;
    run_crowd(4, 3, "one");
}

/* ---- shares ---- */

struct member {
    struct broker broker;
    struct broker_share share;
    bool owned[6];
};

static size_t owns(const struct member *member) {
    size_t n = 0;
    for (size_t i = 0; i < 6; i++) n += member->owned[i];
    return n;
}

static void join(struct member *member, const struct kafka_home *home, const char *instance) {
    struct broker_kafka_settings settings = home->settings;
    settings.instance_id = str_of(instance);
    memset(member, 0, sizeof *member);
    OK(broker_kafka_open(&settings, &member->broker, NULL));
    OK(broker_share_new(member->broker, STR("uploaders"), &member->share, NULL));
}

static void leave(struct member *member) {
    broker_share_free(member->share);
    broker_free(member->broker);
}

/* Polls until the first has `a` partitions and the second, if there is one, `b`. */
static void settle(struct member *first, size_t a, struct member *second, size_t b) {
    for (time_t end = seconds() + PATIENCE_S; seconds() < end;) {
        OK(broker_share_poll(first->share, TURN_MS, first->owned, NULL));
        if (second) OK(broker_share_poll(second->share, TURN_MS, second->owned, NULL));
        if (owns(first) == a && (!second || owns(second) == b)) break;
    }
    assert_int_equal(owns(first), a);
    if (!second) return;
    assert_int_equal(owns(second), b);
    for (size_t i = 0; i < 6; i++) assert_int_equal(first->owned[i] + second->owned[i], 1);
}

static void partitions_are_divided_and_taken_over(void **state) {
    (void)state;
    struct kafka_home home;
    struct member a, b;
    kafka_home_make(&home, 1, 6);
    join(&a, &home, "");
    settle(&a, 6, NULL, 0);
    join(&b, &home, "");
    settle(&a, 3, &b, 3);
    leave(&a);
    settle(&b, 6, NULL, 0);
    leave(&b);
    kafka_home_remove(&home);
}

static void a_static_member_that_comes_back_has_what_it_had(void **state) {
    (void)state;
    struct kafka_home home;
    struct member a, b;
    bool had[6];
    kafka_home_make(&home, 1, 6);
    home.settings.session_timeout_ms = 60000;
    join(&a, &home, "a");
    join(&b, &home, "b");
    settle(&a, 3, &b, 3);
    memcpy(had, a.owned, sizeof had);
    leave(&a);
    OK(broker_share_poll(b.share, TURN_MS, b.owned, NULL));
    assert_int_equal(owns(&b), 3);
    join(&a, &home, "a");
    settle(&a, 3, &b, 3);
    assert_memory_equal(a.owned, had, sizeof had);
    leave(&a);
    leave(&b);
    kafka_home_remove(&home);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_is_seen_while_three_members_come_and_go),
        cmocka_unit_test(more_members_than_partitions_starve_nobody),
        cmocka_unit_test(every_job_is_seen_by_static_members),
        cmocka_unit_test(partitions_are_divided_and_taken_over),
        cmocka_unit_test(a_static_member_that_comes_back_has_what_it_had),
    };
    return cmocka_run_group_tests_name("kafka's groups", tests, NULL, NULL);
}
