/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include "buf.h"
#include "log_line.h"
#include "metric.h"
#include "own.h"
#include "sink.h"
#include "stamp.h"

#include <stdatomic.h>
#include <unistd.h>

_Static_assert((int)LABEL_LEVEL_VALUES == (int)LOG_LEVEL_COUNT, "metrics.def lists the levels in the order of log.h");

static atomic_int level_now = LOG_LEVEL_INFO;
static struct log_options options = {.level = LOG_LEVEL_INFO};

static pthread_mutex_t writer_lock = PTHREAD_MUTEX_INITIALIZER;
static log_writer to_stderr, *writer_now = to_stderr;
static void *writer_self;

/* The sites that ever left something out. */
static pthread_mutex_t sites_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_site *sites;

void log_setup(const struct log_options *o) {
    options = *o;
    log_set_level(o->level);
}

enum log_level log_level(void) { return (enum log_level)atomic_load_explicit(&level_now, memory_order_relaxed); }

void log_set_level(enum log_level level) { atomic_store_explicit(&level_now, (int)level, memory_order_relaxed); }

void log_set_writer(log_writer *writer, void *self) {
    LOCKED(&writer_lock);
    writer_now = writer ? writer : to_stderr;
    writer_self = writer ? self : NULL;
}

void log_to_buf(void *self, struct str line) { buf_add(self, line); }

static void to_stderr(void *self, struct str line) {
    static struct sink sink = {.fd = STDERR_FILENO}; /* guarded by writer_lock */
    (void)self;
    if (!sink_put(&sink, line, LOG_STALL_MS)) metric_add(METRIC_LOG_DROPPED, 1);
}

static void send(const struct log_head *head, const struct log_field *fields) {
    struct log_line line;
    log_line_make(&line, options.format, head, fields);
    metric_add_at(METRIC_LOG_LINES, head->level, 1);
    LOCKED(&writer_lock);
    writer_now(writer_self, log_line_str(&line));
}

static uint64_t wall_ms(void) { return options.clock_ms ? options.clock_ms() : stamp_wall_ms(); }
static uint64_t mono_ms(void) { return options.clock_ms ? options.clock_ms() : stamp_mono_ns() / 1000000u; }
static bool window_is_over(const struct log_site *site, uint64_t now) {
    return now < site->window_ms || now - site->window_ms >= LOG_WINDOW_MS;
}

/* May the site write now? If so, *out_suppressed is what it left out before. */
static bool site_may_write(struct log_site *site, enum log_level level, const char *message, uint32_t *out_suppressed) {
    const uint64_t now = mono_ms();
    LOCKED(&sites_lock);
    if (window_is_over(site, now)) {
        *out_suppressed = site->suppressed;
        site->window_ms = now;
        site->written = site->suppressed = 0;
    }
    if (site->written < LOG_BURST) {
        site->written++;
        return true;
    }
    site->suppressed++;
    if (site->listed) return false;
    site->message = message;
    site->level = level;
    site->next = sites;
    site->listed = true;
    sites = site;
    return false;
}

void log_write(struct log_site *site, enum log_level level, const char *message, const struct log_field *fields) {
    if (!log_is_on(level)) return;
    struct log_head head = {.level = level, .message = message};
    if (site && level <= LOG_LEVEL_WARN && !site_may_write(site, level, message, &head.suppressed)) {
        metric_add(METRIC_LOG_SUPPRESSED, 1);
        return;
    }
    head.wall_ms = wall_ms();
    send(&head, fields);
}

/* Takes the count of one site that has something to tell. */
static bool take_suppressed(bool all, struct log_head *out) {
    const uint64_t now = mono_ms();
    LOCKED(&sites_lock);
    for (struct log_site *site = sites; site; site = site->next) {
        if (!site->suppressed || !(all || window_is_over(site, now))) continue;
        *out = (struct log_head){.level = site->level, .message = site->message, .suppressed = site->suppressed};
        site->suppressed = 0;
        return true;
    }
    return false;
}

void log_tell_suppressed(bool all) {
    struct log_head head;
    while (take_suppressed(all, &head)) {
        head.wall_ms = wall_ms();
        send(&head, (const struct log_field[]){F_BOOL("summary", true), {.kind = LOG_KIND_END}});
    }
}

static const char *const level_names[LOG_LEVEL_COUNT] = {"error", "warn", "info", "debug"};

const char *log_level_name(enum log_level level) {
    return (unsigned)level < LOG_LEVEL_COUNT ? level_names[level] : "?";
}

RC log_level_parse(struct str name, enum log_level *out) {
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (!str_equal(name, str_of(level_names[i]))) continue;
        *out = (enum log_level)i;
        return RC_OK;
    }
    return RC_BAD;
}

RC log_format_parse(struct str name, enum log_format *out) {
    if (str_equal(name, STR("json")))
        *out = LOG_FORMAT_JSON;
    else if (str_equal(name, STR("logfmt")))
        *out = LOG_FORMAT_LOGFMT;
    else
        return RC_BAD;
    return RC_OK;
}
