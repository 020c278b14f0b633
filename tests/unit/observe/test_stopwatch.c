/* SPDX-License-Identifier: Apache-2.0 */
/* A stopwatch gives each stage the time since the lap before, in both clocks, and no time twice. */
#include "stamp.h"
#include "stopwatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BURN_NS = 1000000 };

static void burn(void) {
    uint64_t until = stamp_thread_cpu_ns() + BURN_NS;
    while (stamp_thread_cpu_ns() < until) {
    }
}

static uint64_t cpu_of(unsigned stage) { return (uint64_t)metric_value(METRIC_LANE_CPU, stage); }
static uint64_t wall_of(unsigned stage) { return (uint64_t)metric_value(METRIC_LANE_STAGE, stage); }

static void a_lap_adds_what_was_used_since_the_one_before(void **state) {
    (void)state;
    metric_reset();
    struct stopwatch watch;
    uint64_t cpu = stamp_thread_cpu_ns(), mono = stamp_mono_ns();
    stopwatch_start(&watch);
    burn();
    stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_READ);
    burn();
    burn();
    stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_CONVERT);
    cpu = stamp_thread_cpu_ns() - cpu;
    mono = stamp_mono_ns() - mono;
    assert_true(cpu_of(LABEL_STAGE_READ) >= BURN_NS);
    assert_true(cpu_of(LABEL_STAGE_CONVERT) >= 2 * BURN_NS);
    assert_true(cpu_of(LABEL_STAGE_READ) + cpu_of(LABEL_STAGE_CONVERT) <= cpu);
    assert_true(wall_of(LABEL_STAGE_READ) + wall_of(LABEL_STAGE_CONVERT) <= mono);
    assert_true(wall_of(LABEL_STAGE_READ) > 0 && wall_of(LABEL_STAGE_CONVERT) > 0);
}

static void other_stages_get_nothing(void **state) {
    (void)state;
    metric_reset();
    struct stopwatch watch;
    stopwatch_start(&watch);
    burn();
    stopwatch_lap(&watch, METRIC_UPLOADER_STAGE, METRIC_UPLOADER_CPU, LABEL_STEP_PUT);
    for (unsigned i = 0; i < LABEL_STEP_VALUES; i++)
        assert_int_equal(metric_value(METRIC_UPLOADER_CPU, i) > 0, i == LABEL_STEP_PUT);
    for (unsigned i = 0; i < LABEL_STAGE_VALUES; i++) assert_int_equal(cpu_of(i), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lap_adds_what_was_used_since_the_one_before),
        cmocka_unit_test(other_stages_get_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
