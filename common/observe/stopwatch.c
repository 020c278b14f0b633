/* SPDX-License-Identifier: Apache-2.0 */
#include "stopwatch.h"

#include "stamp.h"

void stopwatch_start(struct stopwatch *watch) { *watch = (struct stopwatch){stamp_mono_ns(), stamp_thread_cpu_ns()}; }

void stopwatch_lap(struct stopwatch *watch, enum metric wall, enum metric cpu, unsigned value) {
    struct stopwatch before = *watch;
    stopwatch_start(watch);
    metric_add_at(wall, value, watch->mono_ns - before.mono_ns);
    metric_add_at(cpu, value, watch->cpu_ns - before.cpu_ns);
}
