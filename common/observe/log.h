/* SPDX-License-Identifier: Apache-2.0 */
/* log: what the program tells its operator: one line an event, on stderr, as logfmt or JSON.
 *
 *   LOG_INFO("sealed", F_STR("partition", name), F_U64("offset", end), F_ID("attempt", attempt));
 *   ts=2026-11-21T09:56:11.123Z level=info msg=sealed partition="dt=2026-11-21" offset=4096 attempt=9f…
 *
 * The message is a constant that names the event (people search for it); what varies goes into fields. Keys are
 * snake_case with the unit last (wait_ms, object_bytes); usual ones: file, source, stripe, offset, attempt, partition,
 * rc, error. `ts`, `level`, `msg`, `cut`, `suppressed` and `summary` are taken. A field's arguments are evaluated only
 * when the level is on.
 *
 * Secrets: a value that came from a secret (access keys, tokens, passwords, a URL with user information, an HTTP
 * header, the expanded environment of a config) is NEVER a field; log the name of the key or where it was read from.
 * Input lines are not logged either: they are the user's data and belong in the rejects.
 *
 * Hostile bytes: values may hold anything. Control characters (C0, DEL, C1), line separators and the characters that
 * turn text around (bidirectional overrides) are written as \u escapes, bytes that are not UTF-8 as U+FFFD; so a line
 * is one line, and a file's name cannot drive the terminal or forge a field.
 *
 * Floods: an error or warning that one call site repeats is written LOG_BURST times in LOG_WINDOW_MS, then only
 * counted; how many were left out is told by the site's next line (suppressed=N) or, if it went quiet, by a line of its
 * own (suppressed=N summary=true).
 *
 * Memory: one line on the stack. Threads: any; each line is one write(2), lines never mix. Not in signal handlers.
 * Limits: a line is at most LOG_LINE_MAX bytes with its newline (a pipe takes that much at once, whoever else writes
 * to it), a value LOG_VALUE_MAX bytes after escaping; what was cut is marked by cut=true. Fails: never; a line that
 * stderr does not take within LOG_STALL_MS is dropped and counted in sluice_log_dropped_total. The program ignores
 * SIGPIPE, or a reader of stderr that went away ends it. */
#ifndef SLUICE_LOG_H
#define SLUICE_LOG_H

#include "id.h"
#include "rc.h"
#include "str.h"

#include <stddef.h>
#include <stdint.h>

enum {
    LOG_LINE_MAX = 4096,   /* PIPE_BUF of Linux: writes up to here are atomic on a pipe */
    LOG_VALUE_MAX = 1024,  /* a path at its usual longest; leaves room for the other fields */
    LOG_BURST = 5,         /* enough to see that it is the same thing */
    LOG_WINDOW_MS = 10000, /* at most one line every two seconds and call site, in the mean */
    LOG_STALL_MS = 200     /* a reader that is gone for longer must not hold the lanes up for every line */
};

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_COUNT };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* Where a finished line (newline included, never NUL) goes. Called by one thread at a time; must not log. */
typedef void log_writer(void *self, struct str line);

/* What is told by all lines from now on. Zero is the default that is in force before the first log_setup(), except for
 * the level, which then is info. */
struct log_options {
    enum log_level level;
    enum log_format format;
    uint64_t (*clock_ms)(void); /* for tests: both the time stamp and the windows; NULL: the real clocks */
};
/* Call it before the program has other threads. */
void log_setup(const struct log_options *options);
enum log_level log_level(void);
/* May change at any time, from any thread. */
void log_set_level(enum log_level level);
static inline bool log_is_on(enum log_level level) { return level <= log_level(); }
/* Sends lines to `writer` instead of stderr until it is set again; NULL is stderr. Waits for a line that is being
 * written. The progress view uses it so that lines do not tear its bars, tests to read what was logged. */
void log_set_writer(log_writer *writer, void *self);
/* A writer for tests: `self` is a struct buf to add to. */
log_writer log_to_buf;
/* Tells what was left out at sites whose window is over (`all`: at every site). Loops call it about every second, main
 * with `all` at its end. */
void log_tell_suppressed(bool all);

/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);
/* Else RC_BAD, *out untouched. */
RC log_level_parse(struct str name, enum log_level *out);
/* "logfmt" or "json"; else RC_BAD, *out untouched. */
RC log_format_parse(struct str name, enum log_format *out);

enum log_kind { LOG_KIND_END, LOG_KIND_STR, LOG_KIND_U64, LOG_KIND_I64, LOG_KIND_F64, LOG_KIND_BOOL, LOG_KIND_ID };

/* A key (a constant: letters, digits, '_') and its value. Borrows the bytes of a string until the call is over. */
struct log_field {
    const char *key;
    enum log_kind kind;
    union {
        struct str str;
        uint64_t u64;
        int64_t i64;
        double f64;
        bool truth;
        struct id id;
    };
};

static inline struct log_field log_field_str(const char *key, struct str v) {
    return (struct log_field){.key = key, .kind = LOG_KIND_STR, .str = v};
}
static inline struct log_field log_field_text(const char *key, const char *v) { return log_field_str(key, str_of(v)); }
static inline struct log_field log_field_u64(const char *key, uint64_t v) {
    return (struct log_field){.key = key, .kind = LOG_KIND_U64, .u64 = v};
}
static inline struct log_field log_field_i64(const char *key, int64_t v) {
    return (struct log_field){.key = key, .kind = LOG_KIND_I64, .i64 = v};
}
static inline struct log_field log_field_f64(const char *key, double v) {
    return (struct log_field){.key = key, .kind = LOG_KIND_F64, .f64 = v};
}
static inline struct log_field log_field_bool(const char *key, bool v) {
    return (struct log_field){.key = key, .kind = LOG_KIND_BOOL, .truth = v};
}
static inline struct log_field log_field_id(const char *key, struct id v) {
    return (struct log_field){.key = key, .kind = LOG_KIND_ID, .id = v};
}

/* Text: a struct str, or a NUL-terminated string (NULL is an empty one). */
#define F_STR(key, v) (_Generic((v), struct str : log_field_str, default : log_field_text)(key, v))
#define F_U64(key, v) log_field_u64(key, v)
#define F_I64(key, v) log_field_i64(key, v)
#define F_F64(key, v) log_field_f64(key, v) /* not finite: null in JSON, NaN or +Inf in logfmt */
#define F_BOOL(key, v) log_field_bool(key, v)
#define F_ID(key, v) log_field_id(key, v)
/* rc=busy */
#define F_RC(v) log_field_text("rc", rc_name(v))
/* error="…": the words of a struct why. */
#define F_WHY(why_pointer) log_field_text("error", (why_pointer)->text)

/* A call site's memory of what it wrote lately; the macros make one each, zeroed. Only log.c touches it. */
struct log_site {
    const char *message;
    enum log_level level;
    uint64_t window_ms;
    uint32_t written, suppressed;
    bool listed;
    struct log_site *next;
};

/* `fields` end with LOG_KIND_END. Use the macros. `site` lives for ever, or is NULL: no limit on repeats. */
void log_write(struct log_site *site, enum log_level level, const char *message, const struct log_field *fields);

#define LOG_AT(level_, message_, ...)                                                                                  \
    do {                                                                                                               \
        static struct log_site log_site_;                                                                              \
        if (log_is_on(level_))                                                                                         \
            log_write(&log_site_, level_, message_,                                                                    \
                      (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_KIND_END}});                   \
    } while (0)
#define LOG_ERROR(message, ...) LOG_AT(LOG_LEVEL_ERROR, message __VA_OPT__(, ) __VA_ARGS__)
#define LOG_WARN(message, ...) LOG_AT(LOG_LEVEL_WARN, message __VA_OPT__(, ) __VA_ARGS__)
#define LOG_INFO(message, ...) LOG_AT(LOG_LEVEL_INFO, message __VA_OPT__(, ) __VA_ARGS__)
#define LOG_DEBUG(message, ...) LOG_AT(LOG_LEVEL_DEBUG, message __VA_OPT__(, ) __VA_ARGS__)

#endif
