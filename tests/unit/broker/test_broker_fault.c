/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a fault strikes exactly the call that it was armed for; before it nothing has happened, after it the inner
 * broker has done it and the caller does not know; behind a crash every handle answers RC_STOP. */
#include "broker_fault.h"
#include "broker_memory.h"

#include "alloc.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

struct bed {
    struct broker_memory *memory;
    struct broker_fault *fault;
    struct broker inner, broker;
    struct why why;
};

static int setup(void **state) {
    struct bed *bed = ALLOC(struct bed);
    struct broker_memory_options options = {
        .job_partitions = 1, .block_partitions = 1, .seed = 1, .step_in_poll = true};
    bed->memory = broker_memory_new(&options);
    bed->inner = broker_memory_port(bed->memory);
    bed->fault = broker_fault_new(bed->inner);
    bed->broker = broker_fault_port(bed->fault);
    *state = bed;
    return 0;
}

static int teardown(void **state) {
    struct bed *bed = *state;
    broker_fault_free(bed->fault);
    broker_memory_free(bed->memory);
    free(bed);
    return 0;
}

static uint64_t end_of(struct bed *bed) {
    uint64_t start, end = 0;
    OK(broker_bounds(bed->inner, 0, &start, &end, NULL));
    return end;
}

static void arm(struct bed *bed, enum broker_fault_kind kind, bool effects_only, uint64_t at, enum rc rc) {
    broker_fault_arm(bed->fault, (struct broker_fault_plan){kind, effects_only, at, rc});
}

/* One of every call, to the first failure. Outputs start at 77 and may change only where a call answered RC_OK. */
struct life {
    struct broker_producer producer;
    struct broker_consumer consumer;
    struct broker_message message;
    struct broker_ack acks[4];
    uint64_t value;
    size_t n;
};

static enum rc every_call(struct bed *bed, struct life *life, struct buf *bytes) {
    uint32_t partitions;
    uint64_t end;
    struct why *why = &bed->why;
    TRY(broker_partitions(bed->broker, BROKER_BLOCKS, &partitions, why));
    TRY(broker_producer_new(bed->broker, 1000, &life->producer, why));
    TRY(broker_consumer_new(bed->broker, STR("g"), &life->consumer, why));
    TRY(broker_append(life->producer, BROKER_BLOCKS, 0, STR("a"), STR("b"), 1, why));
    TRY(broker_append(life->producer, BROKER_JOBS, 0, STR("c"), STR("d"), 2, why));
    TRY(broker_poll(life->producer, 0, life->acks, 4, &life->n, why));
    TRY(broker_next(life->consumer, 0, bytes, &life->message, why));
    TRY(broker_commit(life->consumer, why));
    TRY(broker_wait(bed->broker, 0, 0, 0, why));
    TRY(broker_bounds(bed->broker, 0, &life->value, &end, why));
    TRY(broker_read(bed->broker, 0, 0, bytes, &life->message, why));
    TRY(broker_read_head(bed->broker, 0, 0, 1, bytes, &life->value, why));
    TRY(broker_trim(bed->broker, 0, 1, why));
    TRY(broker_skip_to(bed->broker, 0, 5, why));
    return broker_backlog_bytes(bed->broker, &life->value, why);
}

enum { CALLS = 15, EFFECTS = 7 };

static void end_life(struct life *life) {
    broker_producer_free(life->producer);
    broker_consumer_free(life->consumer);
}

static void an_unarmed_fault_counts_and_changes_nothing(void **state) {
    struct bed *bed = *state;
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct life life = {.value = 77};
    OK(every_call(bed, &life, &bytes));
    assert_int_equal(broker_fault_calls(bed->fault), CALLS);
    assert_int_equal(broker_fault_effects(bed->fault), EFFECTS);
    assert_false(broker_fault_struck(bed->fault));
    assert_int_equal(life.n, 2);
    assert_int_equal(end_of(bed), 5);
    end_life(&life);
}

static void each_call_fails_once_before_and_the_next_works(void **state) {
    struct bed *bed = *state;
    for (uint64_t k = 1; k <= CALLS; k++) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(100);
        struct life life = {.value = 77};
        uint64_t end;
        arm(bed, BROKER_FAULT_BEFORE, false, k, RC_BUSY);
        IS(RC_BUSY, every_call(bed, &life, &bytes));
        assert_int_equal(broker_fault_calls(bed->fault), k);
        assert_true(broker_fault_struck(bed->fault));
        assert_non_null(strstr(bed->why.text, "injected"));
        OK(broker_backlog_bytes(bed->broker, &end, &bed->why));
        end_life(&life);
        teardown(state);
        setup(state);
        bed = *state;
    }
}

static void a_call_that_fails_after_is_done_and_its_answer_lost(void **state) {
    struct bed *bed = *state;
    struct broker_producer producer;
    struct broker_ack ack = {.cookie = 77};
    size_t n = 77;
    OK(broker_producer_new(bed->broker, 1000, &producer, &bed->why));
    arm(bed, BROKER_FAULT_AFTER, true, 1, RC_BROKEN);
    IS(RC_BROKEN, broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 1, &bed->why));
    arm(bed, BROKER_FAULT_AFTER, true, 1, RC_BUSY);
    IS(RC_BUSY, broker_poll(producer, 0, &ack, 1, &n, &bed->why));
    assert_int_equal(n, 77);
    assert_int_equal(ack.cookie, 77);
    assert_int_equal(end_of(bed), 1);
    OK(broker_poll(producer, 0, &ack, 1, &n, &bed->why));
    assert_int_equal(n, 0); /* the acknowledgement went with the answer */
    arm(bed, BROKER_FAULT_AFTER, true, 1, RC_BUSY);
    IS(RC_BUSY, broker_skip_to(bed->broker, 0, 9, &bed->why));
    assert_int_equal(end_of(bed), 9);
    broker_producer_free(producer);
}

static void effects_are_counted_apart_from_reads(void **state) {
    struct bed *bed = *state;
    uint64_t value = 77;
    arm(bed, BROKER_FAULT_BEFORE, true, 2, RC_LIMIT);
    for (int i = 0; i < 5; i++) OK(broker_backlog_bytes(bed->broker, &value, &bed->why));
    OK(broker_skip_to(bed->broker, 0, 1, &bed->why));
    OK(broker_backlog_bytes(bed->broker, &value, &bed->why));
    IS(RC_LIMIT, broker_skip_to(bed->broker, 0, 2, &bed->why));
    assert_int_equal(end_of(bed), 1);
    OK(broker_skip_to(bed->broker, 0, 2, &bed->why));
}

static void behind_a_crash_everything_is_stop_until_a_new_process(void **state) {
    struct bed *bed = *state;
    for (int after = 0; after < 2; after++) {
        struct broker_producer producer, next;
        struct broker_consumer consumer;
        struct broker_ack ack;
        uint64_t value, before = end_of(bed);
        size_t n;
        AUTO(buf_done) struct buf bytes = BUF_INIT(100);
        struct broker_message message;
        OK(broker_producer_new(bed->broker, 1000, &producer, &bed->why));
        OK(broker_consumer_new(bed->broker, STR("g"), &consumer, &bed->why));
        arm(bed, after ? BROKER_FAULT_CRASH_AFTER : BROKER_FAULT_CRASH_BEFORE, true, 1, RC_OK);
        IS(RC_STOP, broker_skip_to(bed->broker, 0, before + 3, &bed->why));
        assert_int_equal(end_of(bed), after ? before + 3 : before);
        IS(RC_STOP, broker_backlog_bytes(bed->broker, &value, &bed->why));
        IS(RC_STOP, broker_poll(producer, 0, &ack, 1, &n, &bed->why));
        arm(bed, BROKER_FAULT_NONE, false, 0, RC_OK);
        OK(broker_backlog_bytes(bed->broker, &value, &bed->why));
        IS(RC_STOP, broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 1, &bed->why));
        IS(RC_STOP, broker_poll(producer, 0, &ack, 1, &n, &bed->why));
        IS(RC_STOP, broker_next(consumer, 0, &bytes, &message, &bed->why));
        IS(RC_STOP, broker_commit(consumer, &bed->why));
        OK(broker_producer_new(bed->broker, 1000, &next, &bed->why));
        OK(broker_append(next, BROKER_BLOCKS, 0, STR("x"), STR(""), 1, &bed->why));
        broker_producer_free(producer);
        broker_producer_free(next);
        broker_consumer_free(consumer);
        broker_memory_settle(bed->memory);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_unarmed_fault_counts_and_changes_nothing),
        TEST(each_call_fails_once_before_and_the_next_works),
        TEST(a_call_that_fails_after_is_done_and_its_answer_lost),
        TEST(effects_are_counted_apart_from_reads),
        TEST(behind_a_crash_everything_is_stop_until_a_new_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
