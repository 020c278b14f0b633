/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the broker in memory keeps every sentence of broker.h, so what holds in the simulation is not an artefact of
 * it; and the faults that it simulates are those that a real broker can have. */
#include "broker_contract.h"
#include "broker_memory.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

static void *open_memory(struct broker *out) {
    struct broker_memory_options options = {.job_partitions = 3,
                                            .block_partitions = 2,
                                            .seed = 1,
                                            .jobs_max = CONTRACT_JOBS_MAX,
                                            .message_bytes_max = CONTRACT_MESSAGE_MAX,
                                            .step_in_poll = true};
    struct broker_memory *memory = broker_memory_new(&options);
    *out = broker_memory_port(memory);
    return memory;
}

static void close_memory(void *fixture, struct broker broker) {
    broker_free(broker);
    broker_memory_free(fixture);
}

static struct broker_memory *new_memory(uint64_t seed, struct broker_memory_knobs knobs) {
    struct broker_memory_options options = {.job_partitions = 1, .block_partitions = 2, .seed = seed, .knobs = knobs};
    return broker_memory_new(&options);
}

static void append_number(struct broker_producer producer, enum broker_topic topic, uint32_t partition,
                          uint64_t number) {
    OK(broker_append(producer, topic, partition, (struct str){(const char *)&number, sizeof number}, STR(""), number,
                     NULL));
}

static uint64_t end_of(struct broker broker, uint32_t partition) {
    uint64_t start, end = 0;
    OK(broker_bounds(broker, partition, &start, &end, NULL));
    return end;
}

static uint64_t number_at(struct broker broker, uint32_t partition, uint64_t offset) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(8);
    struct broker_message message;
    uint64_t number = 0;
    OK(broker_read(broker, partition, offset, &bytes, &message, NULL));
    assert_int_equal(message.bytes.len, sizeof number);
    memcpy(&number, message.bytes.at, sizeof number);
    return number;
}

static void nothing_is_acknowledged_or_read_before_a_step(void **state) {
    (void)state;
    struct broker_memory *memory = new_memory(7, (struct broker_memory_knobs){0});
    struct broker broker = broker_memory_port(memory);
    struct broker_producer producer;
    struct broker_ack acks[4];
    size_t n = 9;
    OK(broker_producer_new(broker, 1000, &producer, NULL));
    for (uint64_t i = 0; i < 4; i++) append_number(producer, BROKER_BLOCKS, 0, i);
    OK(broker_poll(producer, 0, acks, 4, &n, NULL));
    assert_int_equal(n, 0);
    assert_int_equal(end_of(broker, 0), 0);
    assert_true(broker_memory_step(memory));
    OK(broker_poll(producer, 0, acks, 4, &n, NULL));
    assert_int_equal(n, 1);
    assert_int_equal(end_of(broker, 0), 1);
    broker_memory_settle(memory);
    assert_false(broker_memory_step(memory));
    assert_int_equal(end_of(broker, 0), 4);
    broker_producer_free(producer);
    broker_memory_free(memory);
}

/* Two producers, the first dies: gives what is in the log as a string of decimal numbers. */
static void run_death(uint64_t seed, struct buf *out) {
    struct broker_memory *memory = new_memory(seed, (struct broker_memory_knobs){0});
    struct broker broker = broker_memory_port(memory);
    struct broker_producer dead, other;
    OK(broker_producer_new(broker, 1000, &dead, NULL));
    OK(broker_producer_new(broker, 1000, &other, NULL));
    for (uint64_t i = 0; i < 4; i++) append_number(dead, BROKER_BLOCKS, 0, i);
    broker_producer_free(dead);
    for (uint64_t i = 4; i < 7; i++) append_number(other, BROKER_BLOCKS, 0, i);
    broker_memory_settle(memory);
    uint64_t of_dead = 0, of_other = 4;
    for (uint64_t i = 0; i < end_of(broker, 0); i++) {
        uint64_t number = number_at(broker, 0, i);
        if (number < 4)
            assert_int_equal(number, of_dead++);
        else
            assert_int_equal(number, of_other++);
        buf_add_format(out, "%d", (int)number);
    }
    assert_int_equal(of_other, 7);
    broker_producer_free(other);
    broker_memory_free(memory);
}

static void of_a_dead_producer_any_prefix_arrives_also_later(void **state) {
    (void)state;
    bool all = false, none = false, some = false, later = false;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        AUTO(buf_done) struct buf log = BUF_INIT(100);
        run_death(seed, &log);
        const char *text = buf_text(&log);
        all = all || strchr(text, '3') != NULL;
        none = none || strchr(text, '0') == NULL;
        some = some || (strchr(text, '1') != NULL && strchr(text, '3') == NULL);
        later = later || (strchr(text, '0') != NULL && strchr(text, '4') < strchr(text, '0'));
    }
    assert_true(all && none && some && later);
}

static void the_same_seed_gives_the_same_log(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        AUTO(buf_done) struct buf a = BUF_INIT(100);
        AUTO(buf_done) struct buf b = BUF_INIT(100);
        run_death(seed, &a);
        run_death(seed, &b);
        assert_string_equal(buf_text(&a), buf_text(&b));
    }
}

static void a_failed_producer_hands_out_what_was_acknowledged_and_is_broken(void **state) {
    (void)state;
    struct broker_memory *memory = new_memory(3, (struct broker_memory_knobs){0});
    struct broker broker = broker_memory_port(memory);
    struct broker_producer producer;
    struct broker_ack acks[8];
    size_t n = 0;
    OK(broker_producer_new(broker, 10000, &producer, NULL));
    for (uint64_t i = 0; i < 8; i++) append_number(producer, BROKER_BLOCKS, 0, i);
    assert_true(broker_memory_step(memory));
    broker_memory_set_knobs(memory, (struct broker_memory_knobs){.producer_fails = 1000});
    assert_true(broker_memory_step(memory));
    OK(broker_poll(producer, 0, acks, 8, &n, NULL));
    assert_int_equal(n, 1);
    IS(RC_BROKEN, broker_poll(producer, 0, acks, 8, &n, NULL));
    IS(RC_BROKEN, broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 1, NULL));
    broker_memory_settle(memory);
    for (uint64_t i = 0; i < end_of(broker, 0); i++) assert_int_equal(number_at(broker, 0, i), i);
    broker_producer_free(producer);
    broker_memory_free(memory);
}

static size_t jobs_that_arrive(struct broker_memory_knobs knobs) {
    struct broker_memory *memory = new_memory(5, knobs);
    struct broker broker = broker_memory_port(memory);
    struct broker_producer producer;
    struct broker_consumer consumer;
    AUTO(buf_done) struct buf bytes = BUF_INIT(8);
    struct broker_message message;
    struct broker_ack acks[200];
    size_t n = 0, given = 0;
    OK(broker_producer_new(broker, 100000, &producer, NULL));
    OK(broker_consumer_new(broker, STR("g"), &consumer, NULL));
    for (uint64_t i = 0; i < 200; i++) append_number(producer, BROKER_JOBS, 0, i);
    OK(broker_poll(producer, 0, acks, 200, &n, NULL));
    assert_int_equal(n, 200);
    while (broker_next(consumer, 0, &bytes, &message, NULL) == RC_OK) given++;
    broker_consumer_free(consumer);
    broker_producer_free(producer);
    broker_memory_free(memory);
    return given;
}

static void jobs_are_lost_and_repeated_as_the_knobs_say(void **state) {
    (void)state;
    size_t lost = jobs_that_arrive((struct broker_memory_knobs){.job_lost = 300});
    size_t repeated = jobs_that_arrive((struct broker_memory_knobs){.job_repeated = 300});
    assert_int_equal(jobs_that_arrive((struct broker_memory_knobs){0}), 200);
    assert_true(lost > 0 && lost < 200);
    assert_true(repeated > 200 && repeated < 1000);
}

static void a_jobs_topic_made_anew_is_empty_and_a_stop_can_be_taken_back(void **state) {
    (void)state;
    struct broker_memory *memory = new_memory(5, (struct broker_memory_knobs){0});
    struct broker broker = broker_memory_port(memory);
    struct broker_producer producer;
    struct broker_consumer consumer;
    AUTO(buf_done) struct buf bytes = BUF_INIT(8);
    struct broker_message message;
    OK(broker_producer_new(broker, 1000, &producer, NULL));
    OK(broker_consumer_new(broker, STR("g"), &consumer, NULL));
    append_number(producer, BROKER_JOBS, 0, 1);
    broker_memory_lose_jobs(memory);
    IS(RC_ABSENT, broker_next(consumer, 0, &bytes, &message, NULL));
    broker_stop(broker);
    IS(RC_STOP, broker_next(consumer, 0, &bytes, &message, NULL));
    broker_memory_resume(memory);
    IS(RC_ABSENT, broker_next(consumer, 0, &bytes, &message, NULL));
    broker_consumer_free(consumer);
    broker_producer_free(producer);
    broker_memory_free(memory);
}

static void a_lost_tail_lowers_the_end_and_can_be_skipped(void **state) {
    (void)state;
    struct broker_memory *memory = new_memory(5, (struct broker_memory_knobs){0});
    struct broker broker = broker_memory_port(memory);
    struct broker_producer producer;
    OK(broker_producer_new(broker, 10000, &producer, NULL));
    for (uint64_t i = 0; i < 6; i++) append_number(producer, BROKER_BLOCKS, 0, i);
    broker_memory_settle(memory);
    broker_memory_lose_tail(memory, 0, 2);
    assert_int_equal(end_of(broker, 0), 4);
    OK(broker_skip_to(broker, 0, 6, NULL));
    append_number(producer, BROKER_BLOCKS, 0, 60);
    broker_memory_settle(memory);
    assert_int_equal(number_at(broker, 0, 6), 60);
    broker_memory_lose_tail(memory, 0, 100);
    assert_int_equal(end_of(broker, 0), 0);
    broker_producer_free(producer);
    broker_memory_free(memory);
}

int main(void) {
    const struct broker_fixture fixture = {
        .name = "memory", .has_events = true, .open = open_memory, .close = close_memory};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_acknowledged_or_read_before_a_step),
        cmocka_unit_test(of_a_dead_producer_any_prefix_arrives_also_later),
        cmocka_unit_test(the_same_seed_gives_the_same_log),
        cmocka_unit_test(a_failed_producer_hands_out_what_was_acknowledged_and_is_broken),
        cmocka_unit_test(jobs_are_lost_and_repeated_as_the_knobs_say),
        cmocka_unit_test(a_jobs_topic_made_anew_is_empty_and_a_stop_can_be_taken_back),
        cmocka_unit_test(a_lost_tail_lowers_the_end_and_can_be_skipped),
    };
    int failed = broker_contract_run(&fixture);
    return failed + cmocka_run_group_tests_name("memory's faults", tests, NULL, NULL);
}
