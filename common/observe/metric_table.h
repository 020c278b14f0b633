/* SPDX-License-Identifier: Apache-2.0 */
/* metric_table: the table of metrics.def as data, for what counts and what tells. Inside of metric.
 * Threads: the rows are constant; cells and labels may be read at any time. */
#ifndef SLUICE_METRIC_TABLE_H
#define SLUICE_METRIC_TABLE_H

#include "metric.h"

enum metric_type { METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE, METRIC_TYPE_HISTOGRAM };
enum metric_unit { METRIC_UNIT_ONE, METRIC_UNIT_BYTES, METRIC_UNIT_SECONDS };

/* A histogram's slots: its buckets, the one above them all, the sum. */
enum { METRIC_BUCKETS = 16, METRIC_SLOT_SUM = METRIC_BUCKETS + 1, METRIC_SLOTS_HISTOGRAM = METRIC_BUCKETS + 2 };

struct metric_row {
    const char *name, *help;
    enum metric_type type;
    enum metric_unit unit;
    enum metric_label label;
    unsigned values;
    _Atomic uint64_t *cells;
};

extern const struct metric_row metric_rows[METRIC_COUNT];

/* What the slot holds now: a label value's counter or gauge, or a histogram's slot. */
uint64_t metric_cell(enum metric metric, unsigned slot);
/* The METRIC_BUCKETS upper bounds of a histogram, rising. */
const uint64_t *metric_bounds(enum metric metric);
/* NULL for LABEL_NONE. */
const char *metric_label_name(enum metric_label label);
bool metric_label_is_open(enum metric_label label);
/* How many values it has now; 1 for LABEL_NONE. */
unsigned metric_label_used(enum metric_label label);
/* Not for LABEL_NONE. */
const char *metric_label_text(enum metric_label label, unsigned value);

#endif
