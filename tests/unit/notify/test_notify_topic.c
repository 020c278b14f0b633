/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what the topic of events is told counts only when it is acknowledged; a producer that fails is made anew and
 * everything that had not arrived is told again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker_fault.h"
#include "broker_memory.h"
#include "notify_topic.h"

enum { ITEMS = 200 };

static struct notify_item items[ITEMS];

static struct broker_memory *world(void) {
    for (size_t i = 0; i < ITEMS; i++) items[i] = (struct notify_item){STR("n"), STR("{\"a\":1}")};
    struct broker_memory_options options = {
        .job_partitions = 1, .block_partitions = 1, .seed = 7, .step_in_poll = true};
    return broker_memory_new(&options);
}

static void every_item_is_a_message(void **state) {
    (void)state;
    struct broker_memory *memory = world();
    struct notify notify = notify_topic_new(broker_memory_port(memory));
    size_t sent = 0;
    struct why why = {0};
    assert_int_equal(notify_send(notify, items, ITEMS, &sent, &why), RC_OK);
    assert_int_equal(sent, ITEMS);
    assert_int_equal(broker_memory_events(memory), ITEMS);
    notify_free(notify);
    broker_memory_free(memory);
}

/* The producer fails at every 37th call, with the answer lost or the call not done. */
static enum broker_fault_kind fails_at_times(void *context, enum broker_fault_call call, enum rc *out_rc) {
    unsigned *calls = context;
    if ((call != BROKER_FAULT_APPEND && call != BROKER_FAULT_POLL) || ++*calls % 37) return BROKER_FAULT_NONE;
    *out_rc = RC_BROKEN;
    return *calls % 2 ? BROKER_FAULT_AFTER : BROKER_FAULT_BEFORE;
}

static void a_failing_producer_loses_none(void **state) {
    (void)state;
    struct broker_memory *memory = world();
    struct broker_fault *fault = broker_fault_new(broker_memory_port(memory));
    unsigned calls = 0;
    broker_fault_by(fault, fails_at_times, &calls);
    struct notify notify = notify_topic_new(broker_fault_port(fault));
    size_t told = 0, failures = 0;
    while (told < ITEMS) {
        size_t sent = 0;
        struct why why = {0};
        failures += notify_send(notify, items + told, ITEMS - told, &sent, &why) != RC_OK;
        told += sent;
        assert_true(failures < 1000);
    }
    assert_true(failures > 0);
    assert_true(broker_memory_events(memory) >= ITEMS);
    notify_free(notify);
    broker_fault_free(fault);
    broker_memory_free(memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_item_is_a_message),
                                       cmocka_unit_test(a_failing_producer_loses_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
