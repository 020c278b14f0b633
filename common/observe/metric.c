/* SPDX-License-Identifier: Apache-2.0 */
#include "metric.h"

#include "alloc.h"
#include "metric_table.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "utf8.h"

#include <stdatomic.h>

_Static_assert((int)LABEL_RC_VALUES == (int)RC_COUNT, "metrics.def lists the outcomes in the order of rc.h");

/* One array of atomics per metric, as long as its label needs. */
#define SLOTS_COUNTER 1
#define SLOTS_GAUGE 1
#define SLOTS_HISTOGRAM METRIC_SLOTS_HISTOGRAM
static struct cells {
#define LABEL_OPEN(id, name, max)
#define LABEL_BEGIN(id, name)
#define VALUE(id, value, text)
#define LABEL_END(id)
#define METRIC(id, type, unit, label, name, help) _Atomic uint64_t id[LABEL_##label##_VALUES * SLOTS_##type];
#include "metrics.def"
#undef METRIC
} cells;

const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(id, type, unit, label, name, help)                                                                      \
    [METRIC_##                                                                                                         \
        id] = {name, help, METRIC_TYPE_##type, METRIC_UNIT_##unit, LABEL_##label, LABEL_##label##_VALUES, cells.id},
#include "metrics.def"
#undef METRIC
#undef LABEL_OPEN
#undef LABEL_BEGIN
#undef VALUE
#undef LABEL_END
};

/* The texts of the labels: constants of the closed ones, filled in by metric_label() for the open ones. */
#define METRIC(id, type, unit, label, name, help)
#define LABEL_OPEN(id, name, max) static const char *values_##id[max] = {METRIC_OTHER_TEXT};
#define LABEL_BEGIN(id, name) static const char *values_##id[] = {
#define VALUE(id, value, text) text,
#define LABEL_END(id)                                                                                                  \
    }                                                                                                                  \
    ;
#include "metrics.def"
#undef LABEL_OPEN
#undef LABEL_BEGIN
#undef VALUE
#undef LABEL_END

static struct label {
    const char *name;
    const char **values;
    unsigned max;
    bool open;
    atomic_uint used; /* raised after the text is in place */
} labels[METRIC_LABEL_COUNT] = {
#define LABEL_OPEN(id, name, max) [LABEL_##id] = {name, values_##id, max, true, 1},
#define LABEL_BEGIN(id, name) [LABEL_##id] = {name, values_##id, LABEL_##id##_VALUES, false, LABEL_##id##_VALUES},
#define VALUE(id, value, text)
#define LABEL_END(id)
#include "metrics.def"
};

static pthread_mutex_t labels_lock = PTHREAD_MUTEX_INITIALIZER;

const char *metric_label_name(enum metric_label label) { return labels[label].name; }
bool metric_label_is_open(enum metric_label label) { return labels[label].open; }
unsigned metric_label_used(enum metric_label label) {
    return label == LABEL_NONE ? 1 : atomic_load_explicit(&labels[label].used, memory_order_acquire);
}
const char *metric_label_text(enum metric_label label, unsigned value) { return labels[label].values[value]; }

/* The value as it is kept: UTF-8, not over the limit, never half a character. */
static char *kept_text(struct str value) {
    AUTO(buf_done) struct buf text = BUF_INIT(METRIC_VALUE_MAX);
    while (value.len && !text.over) {
        size_t good = utf8_valid_prefix(value);
        size_t n = 0;
        while (n < good && !text.over) { /* character by character, so that the cut falls between two */
            size_t next = n + 1;
            while (next < good && ((unsigned char)value.at[next] & 0xc0) == 0x80) next++;
            buf_add(&text, str_sub(value, n, next));
            n = next;
        }
        if (good == value.len) break;
        buf_add(&text, STR("\xef\xbf\xbd"));
        value = str_sub(value, good + 1, value.len);
    }
    return alloc_text(text.at, text.len);
}

unsigned metric_label(enum metric_label label, struct str value) {
    struct label *l = &labels[label];
    MUST(label != LABEL_NONE && l->open);
    AUTO(own_free) char *text = kept_text(value);
    LOCKED(&labels_lock);
    unsigned used = atomic_load(&l->used);
    for (unsigned i = 0; i < used; i++)
        if (strcmp(l->values[i], text) == 0) return i;
    if (used == l->max) return METRIC_OTHER;
    l->values[used] = TAKE(text);
    atomic_store_explicit(&l->used, used + 1, memory_order_release);
    return used;
}

static _Atomic uint64_t *cell(enum metric metric, enum metric_type type, unsigned value) {
    const struct metric_row *row = &metric_rows[metric];
    MUST(row->type == type && value < row->values);
    return &row->cells[value];
}

uint64_t metric_cell(enum metric metric, unsigned slot) {
    return atomic_load_explicit(&metric_rows[metric].cells[slot], memory_order_relaxed);
}

void metric_add(enum metric metric, uint64_t n) { metric_add_at(metric, 0, n); }
void metric_add_at(enum metric metric, unsigned value, uint64_t n) {
    (void)atomic_fetch_add_explicit(cell(metric, METRIC_TYPE_COUNTER, value), n, memory_order_relaxed);
}
void metric_set(enum metric metric, int64_t to) { metric_set_at(metric, 0, to); }
void metric_set_at(enum metric metric, unsigned value, int64_t to) {
    atomic_store_explicit(cell(metric, METRIC_TYPE_GAUGE, value), (uint64_t)to, memory_order_relaxed);
}
void metric_move(enum metric metric, int64_t delta) { metric_move_at(metric, 0, delta); }
void metric_move_at(enum metric metric, unsigned value, int64_t delta) {
    (void)atomic_fetch_add_explicit(cell(metric, METRIC_TYPE_GAUGE, value), (uint64_t)delta, memory_order_relaxed);
}

/* Most to least used steps of the things that we measure: scans and uploads, objects up to a few GiB. */
#define MS(n) ((uint64_t)(n)*1000000u)
#define KIB(n) ((uint64_t)(n) << 10)
static const uint64_t bounds_seconds[METRIC_BUCKETS] = {
    MS(1),    MS(5),    MS(10),   MS(25),    MS(50),    MS(100),   MS(250),    MS(500),
    MS(1000), MS(2500), MS(5000), MS(10000), MS(30000), MS(60000), MS(120000), MS(300000)};
static const uint64_t bounds_bytes[METRIC_BUCKETS] = {
    KIB(1),     KIB(4),     KIB(16),     KIB(64),     KIB(256),    KIB(1024),    KIB(4096),    KIB(16384),
    KIB(32768), KIB(65536), KIB(131072), KIB(262144), KIB(524288), KIB(1048576), KIB(2097152), KIB(4194304)};

const uint64_t *metric_bounds(enum metric metric) {
    return metric_rows[metric].unit == METRIC_UNIT_SECONDS ? bounds_seconds : bounds_bytes;
}

void metric_observe(enum metric metric, uint64_t observed) {
    _Atomic uint64_t *slots = cell(metric, METRIC_TYPE_HISTOGRAM, 0);
    const uint64_t *bounds = metric_bounds(metric);
    unsigned i = 0;
    while (i < METRIC_BUCKETS && observed > bounds[i]) i++;
    (void)atomic_fetch_add_explicit(&slots[i], 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&slots[METRIC_SLOT_SUM], observed, memory_order_relaxed);
}

int64_t metric_value(enum metric metric, unsigned value) {
    MUST(value < metric_rows[metric].values);
    if (metric_rows[metric].type != METRIC_TYPE_HISTOGRAM) return (int64_t)metric_cell(metric, value);
    uint64_t count = 0;
    for (unsigned i = 0; i <= METRIC_BUCKETS; i++) count += metric_cell(metric, i);
    return (int64_t)count;
}

void metric_set_version(struct str version) {
    metric_set_at(METRIC_BUILD_INFO, metric_label(LABEL_VERSION, version), 1);
}

void metric_reset(void) {
    LOCKED(&labels_lock);
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_rows[m];
        const unsigned slots = row->type == METRIC_TYPE_HISTOGRAM ? METRIC_SLOTS_HISTOGRAM : row->values;
        for (unsigned i = 0; i < slots; i++) atomic_store(&row->cells[i], 0);
    }
    for (unsigned l = 1; l < METRIC_LABEL_COUNT; l++) {
        if (!labels[l].open) continue;
        for (unsigned i = 1; i < atomic_load(&labels[l].used); i++) own_free(&labels[l].values[i]);
        atomic_store(&labels[l].used, 1);
    }
}
