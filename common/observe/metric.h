/* SPDX-License-Identifier: Apache-2.0 */
/* metric: counters, gauges and histograms, declared once in metrics.def, told in the text format of Prometheus.
 *
 *   metric_add(METRIC_BLOCKS, 1);
 *   metric_add_at(METRIC_LINES_READ, source_index, lines);
 *   metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_WON, 1);
 *   metric_add_at(METRIC_LANE_STAGE, LABEL_STAGE_COMPRESS, stamp_mono_ns() - from);
 *
 * They belong to the process (there is one set), so that the code that counts needs no pointer handed down to it. A
 * metric has at most one label, whose values are closed or bounded: what came in with data never becomes a label.
 * Metrics in SECONDS are kept in nanoseconds (every call takes and gives nanoseconds) and told in seconds, exactly.
 *
 * Memory: static, about 20 KiB. Threads: any; adding is one relaxed atomic operation, no lock. What a reader sees of
 * different metrics belongs to slightly different moments; one histogram is always consistent in itself. Limits:
 * counters wrap at 2^64. Add once a block or slice, not once a line. Fails: a label value out of its metric's range is
 * our mistake and aborts. */
#ifndef SLUICE_METRIC_H
#define SLUICE_METRIC_H

#include "buf.h"

#include <stddef.h>
#include <stdint.h>

/* METRIC_LINES_READ, … */
enum metric {
#define LABEL_OPEN(id, name, max)
#define LABEL_BEGIN(id, name)
#define VALUE(id, value, text)
#define LABEL_END(id)
#define METRIC(id, type, unit, label, name, help) METRIC_##id,
#include "metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* LABEL_SOURCE, … */
enum metric_label {
    LABEL_NONE,
#undef LABEL_OPEN
#undef LABEL_BEGIN
#define LABEL_OPEN(id, name, max) LABEL_##id,
#define LABEL_BEGIN(id, name) LABEL_##id,
#define METRIC(id, type, unit, label, name, help)
#include "metrics.def"
    METRIC_LABEL_COUNT
};

/* LABEL_RESULT_WON, … counted from 0 in each label; LABEL_RESULT_VALUES is how many there are. */
enum { LABEL_NONE_VALUES = 1 };
#undef LABEL_OPEN
#undef LABEL_BEGIN
#undef VALUE
#undef LABEL_END
#define LABEL_OPEN(id, name, max) enum { LABEL_##id##_VALUES = (max) };
#define LABEL_BEGIN(id, name) enum {
#define VALUE(id, value, text) LABEL_##id##_##value,
#define LABEL_END(id)                                                                                                  \
    LABEL_##id##_VALUES                                                                                                \
    }                                                                                                                  \
    ;
#include "metrics.def"
#undef LABEL_OPEN
#undef LABEL_BEGIN
#undef VALUE
#undef LABEL_END
#undef METRIC

/* Value 0 of every open label: what came after the bound. */
#define METRIC_OTHER_TEXT "__other__"
enum {
    METRIC_OTHER = 0,
    METRIC_VALUE_MAX = 128,       /* bytes of an open label's value; longer ones are cut at a character */
    METRIC_TEXT_MAX = 1024 * 1024 /* enough for every series at once: 256 sources in each metric that has them */
};
#define METRIC_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The index of `value` in an open label, new or known; METRIC_OTHER when the label is full. Takes a lock: ask once, at
 * the start, and keep the number. */
unsigned metric_label(enum metric_label label, struct str value);

/* A counter without or with a label goes up by `n`. */
void metric_add(enum metric metric, uint64_t n);
void metric_add_at(enum metric metric, unsigned value, uint64_t n);
/* A gauge is set, or moved by `delta`. */
void metric_set(enum metric metric, int64_t to);
void metric_set_at(enum metric metric, unsigned value, int64_t to);
void metric_move(enum metric metric, int64_t delta);
void metric_move_at(enum metric metric, unsigned value, int64_t delta);
/* A histogram (without label) takes in one more observation, in nanoseconds or bytes. */
void metric_observe(enum metric metric, uint64_t observed);

/* A counter's or gauge's value, for the status view and tests; a histogram's count of observations. */
int64_t metric_value(enum metric metric, unsigned value);

/* sluice_build_info{version="…"} 1; call it once. */
void metric_set_version(struct str version);
/* Reads the process_… metrics from the kernel; /metrics does it before it answers. What /proc does not tell stays. */
void metric_process_update(void);
/* Adds the whole exposition (format 0.0.4) to `to`, whose cap should be METRIC_TEXT_MAX; see buf_rc(). */
void metric_expose(struct buf *to);
/* Adds a table of all metrics in Markdown, for the documentation. */
void metric_reference_markdown(struct buf *to);
/* For tests: everything is 0 again, open labels are empty. Not while other threads use metrics. */
void metric_reset(void);

#endif
