/* SPDX-License-Identifier: Apache-2.0 */
#include "metric.h"

#include "metric_table.h"

#include <inttypes.h>

static const char *const type_names[] = {"counter", "gauge", "histogram"};
static const char *const unit_names[] = {"", "bytes", "seconds"};

/* Backslash and newline, and the quote in a label's value, as the text format wants them. */
static void add_escaped(struct buf *to, const char *text, bool quote) {
    for (; *text; text++) {
        if (*text == '\\')
            buf_add(to, STR("\\\\"));
        else if (*text == '\n')
            buf_add(to, STR("\\n"));
        else if (*text == '"' && quote)
            buf_add(to, STR("\\\""));
        else
            buf_add_char(to, *text);
    }
}

/* Nanoseconds as seconds without loss, anything else as it is. */
static void add_number(struct buf *to, enum metric_unit unit, uint64_t value) {
    if (unit != METRIC_UNIT_SECONDS || value % 1000000000u == 0) {
        buf_add_format(to, "%" PRIu64, unit == METRIC_UNIT_SECONDS ? value / 1000000000u : value);
        return;
    }
    uint64_t fraction = value % 1000000000u;
    int digits = 9;
    for (; fraction % 10 == 0; fraction /= 10) digits--;
    buf_add_format(to, "%" PRIu64 ".%0*" PRIu64, value / 1000000000u, digits, fraction);
}

static void add_sample_value(struct buf *to, const struct metric_row *row, uint64_t value) {
    const bool negative = row->type == METRIC_TYPE_GAUGE && (int64_t)value < 0;
    buf_add(to, negative ? STR(" -") : STR(" "));
    add_number(to, row->unit, negative ? 0 - value : value);
    buf_add_char(to, '\n');
}

static void expose_values(struct buf *to, enum metric metric) {
    const struct metric_row *row = &metric_rows[metric];
    const unsigned used = metric_label_used(row->label);
    for (unsigned i = 0; i < used; i++) {
        const uint64_t value = metric_cell(metric, i);
        if (metric_label_is_open(row->label) && i == METRIC_OTHER && value == 0) continue;
        buf_add(to, str_of(row->name));
        if (row->label != LABEL_NONE) {
            buf_add_format(to, "{%s=\"", metric_label_name(row->label));
            add_escaped(to, metric_label_text(row->label, i), true);
            buf_add(to, STR("\"}"));
        }
        add_sample_value(to, row, value);
    }
}

/* The count is the sum of the buckets as they were read, so that a histogram never contradicts itself. */
static void expose_histogram(struct buf *to, enum metric metric) {
    const struct metric_row *row = &metric_rows[metric];
    const uint64_t sum = metric_cell(metric, METRIC_SLOT_SUM);
    uint64_t count = 0;
    for (unsigned i = 0; i < METRIC_BUCKETS; i++) {
        count += metric_cell(metric, i);
        buf_add_format(to, "%s_bucket{le=\"", row->name);
        add_number(to, row->unit, metric_bounds(metric)[i]);
        buf_add_format(to, "\"} %" PRIu64 "\n", count);
    }
    count += metric_cell(metric, METRIC_BUCKETS);
    buf_add_format(to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum", row->name, count, row->name);
    add_sample_value(to, row, sum);
    buf_add_format(to, "%s_count %" PRIu64 "\n", row->name, count);
}

void metric_expose(struct buf *to) {
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_rows[m];
        buf_add_format(to, "# HELP %s ", row->name);
        add_escaped(to, row->help, false);
        buf_add_format(to, "\n# TYPE %s %s\n", row->name, type_names[row->type]);
        if (row->type == METRIC_TYPE_HISTOGRAM)
            expose_histogram(to, m);
        else
            expose_values(to, m);
    }
}

static void add_label_cell(struct buf *to, enum metric_label label) {
    if (label == LABEL_NONE) return;
    buf_add_format(to, "`%s`", metric_label_name(label));
    if (metric_label_is_open(label)) return;
    for (unsigned i = 0; i < metric_label_used(label); i++)
        buf_add_format(to, "%s %s", i ? "," : ":", metric_label_text(label, i));
}

void metric_reference_markdown(struct buf *to) {
    buf_add(to, STR("| Metric | Type | Unit | Label | Meaning |\n|---|---|---|---|---|\n"));
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_rows[m];
        buf_add_format(to, "| `%s` | %s | %s | ", row->name, type_names[row->type], unit_names[row->unit]);
        add_label_cell(to, row->label);
        buf_add_format(to, " | %s |\n", row->help);
    }
}
