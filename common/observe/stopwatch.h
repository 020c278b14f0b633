/* SPDX-License-Identifier: Apache-2.0 */
/* stopwatch: what a thread's time goes into, stage by stage: each lap adds the time since the one before to a pair of
 * counters, one of wall-clock time and one of the thread's CPU time. The two differ where a stage waits, for the disk
 * or for a processor.
 *
 *   stopwatch_start(&watch);
 *   …read…
 *   stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_READ);
 *   …convert…
 *   stopwatch_lap(&watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, LABEL_STAGE_CONVERT);
 *
 * A lap costs a system call (the CPU clock of a thread is none of the cheap ones): one a slice or block, not one a
 * line. Threads: the one that started it. Fails: never. */
#ifndef SLUICE_STOPWATCH_H
#define SLUICE_STOPWATCH_H

#include "metric.h"

struct stopwatch {
    uint64_t mono_ns, cpu_ns;
};

void stopwatch_start(struct stopwatch *watch);
/* Adds to both counters at the same label value, and starts anew. */
void stopwatch_lap(struct stopwatch *watch, enum metric wall, enum metric cpu, unsigned value);

#endif
