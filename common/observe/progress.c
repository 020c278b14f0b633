/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "alloc.h"
#include "buf.h"
#include "log.h"
#include "metric.h"
#include "num.h"
#include "own.h"
#include "progress_frame.h"
#include "sink.h"
#include "stamp.h"
#include "term.h"

enum {
    LINES_MAX = PROGRESS_ROWS_MAX + 1,
    FRAME_BYTES_MAX = 256 * 1024, /* LINES_MAX lines of a very wide terminal, with colours */
    SMOOTH_MS = 3000              /* how fast a shown rate follows the real one */
};

/* How fast a row moves; found again by its label's hash. */
struct pace {
    uint64_t label, done, at_ms;
    double per_s;
};

struct progress {
    pthread_mutex_t lock; /* taken inside of the log's lock, never the other way round */
    struct progress_options options;
    bool live;
    struct sink sink;
    struct buf frame;      /* the bars as they stand on the screen */
    unsigned drawn, width; /* how many lines they are, and how wide each is */
    uint64_t shown_ms;
    struct pace paces[LINES_MAX];
};

static uint64_t now_ms(const struct progress *p) {
    return p->options.clock_ms ? p->options.clock_ms() : stamp_mono_ns() / 1000000u;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash(struct str text) {
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.len; i++) h = (h ^ (unsigned char)text.at[i]) * 0x100000001b3u;
    return h;
}

/* The pace in place `i`, which so far may be another row's: then that one's is looked for, or a new one begun. */
static struct pace *pace_of(struct progress *p, size_t i, uint64_t label) {
    for (size_t k = i; k < LINES_MAX; k++) {
        if (p->paces[k].label != label || !p->paces[k].at_ms) continue;
        const struct pace found = p->paces[k];
        p->paces[k] = p->paces[i];
        p->paces[i] = found;
        return &p->paces[i];
    }
    p->paces[i] = (struct pace){.label = label};
    return &p->paces[i];
}

/* Bytes a second, smoothed: a new sample counts the more the longer its time was. */
static uint64_t pace_update(struct pace *pace, uint64_t done, uint64_t now) {
    const uint64_t ms = now - pace->at_ms;
    if (!pace->at_ms || done < pace->done) {
        *pace = (struct pace){.label = pace->label, .done = done, .at_ms = now};
        return 0;
    }
    if (ms == 0) return (uint64_t)pace->per_s;
    const double sample = (double)(done - pace->done) * 1000.0 / (double)ms;
    const double weight = pace->per_s > 0 ? (double)ms / (double)(ms + SMOOTH_MS) : 1.0;
    pace->per_s += (sample - pace->per_s) * weight;
    pace->done = done;
    pace->at_ms = now;
    return (uint64_t)pace->per_s;
}

static struct progress_row sum_of(const struct progress_row *rows, size_t count) {
    struct progress_row sum = {.label = STR("total")};
    for (size_t i = 0; i < count; i++) {
        sum.done = num_add(sum.done, rows[i].done);
        sum.total = num_add(sum.total, rows[i].total); /* PROGRESS_UNKNOWN is the largest number: it stays */
    }
    return sum;
}

/* Lines on the screen that the bars take now: after the terminal became narrower, it has folded each. */
static unsigned height(const struct progress *p, const struct term *term) {
    return p->drawn * MAX(1u, (unsigned)num_ceil_div(p->width, term->columns));
}

/* Puts the cursor where the first bar begins and clears from there. */
static void add_erase(const struct progress *p, const struct term *term, struct buf *out) {
    const unsigned lines = height(p, term);
    if (lines) buf_add_format(out, "\r\x1b[%uA\x1b[J", lines);
}

/* Makes the new frame of the rows that the screen has room for. */
static void make_frame(struct progress *p, const struct term *term, struct progress_line *lines, size_t count) {
    buf_reset(&p->frame);
    p->width = progress_frame(term, lines, count, &p->frame);
    p->drawn = p->frame.len ? (unsigned)count : 0;
}

/* The rows to show, with the sum behind them; *lines has room for LINES_MAX. */
static size_t collect(struct progress *p, const struct progress_row *rows, size_t count, const struct term *term,
                      struct progress_line *lines) {
    const uint64_t now = now_ms(p);
    const size_t room = term->lines > 3 ? term->lines - 3 : 1; /* the sum, the cursor's line, one line of the log */
    const size_t shown = MIN(MIN(count, room), (size_t)PROGRESS_ROWS_MAX);
    for (size_t i = 0; i < shown; i++) {
        const uint64_t per_s = pace_update(pace_of(p, i, hash(rows[i].label)), rows[i].done, now);
        lines[i] = (struct progress_line){.row = rows[i], .per_s = per_s};
    }
    if (count < 2) return shown;
    const struct progress_row sum = sum_of(rows, count);
    struct pace *pace = &p->paces[LINES_MAX - 1];
    pace->label = hash(STR("the sum of all rows"));
    lines[shown] = (struct progress_line){.row = sum, .per_s = pace_update(pace, sum.done, now)};
    return shown + 1;
}

static void draw(struct progress *p, const struct progress_row *rows, size_t count) {
    struct term term;
    struct progress_line lines[LINES_MAX];
    char label[64];
    if (!term_detect(p->sink.fd, &term)) return;
    const size_t n = collect(p, rows, count, &term, lines);
    if (count > 1 && n - 1 < count) {
        (void)snprintf(label, sizeof label, "total, %zu more", count - (n - 1));
        lines[n - 1].row.label = str_of(label);
    }
    AUTO(buf_done) struct buf out = BUF_INIT(FRAME_BYTES_MAX + 64);
    add_erase(p, &term, &out);
    make_frame(p, &term, lines, n);
    buf_add(&out, buf_str(&p->frame));
    (void)sink_put(&p->sink, buf_str(&out), 0);
}

static void tell(struct progress *p, const struct progress_row *rows, size_t count) {
    const struct progress_row sum = sum_of(rows, count);
    const uint64_t per_s = pace_update(&p->paces[0], sum.done, now_ms(p));
    char left[16];
    if (sum.total == PROGRESS_UNKNOWN) {
        LOG_INFO("progress", F_U64("inputs", count), F_U64("done_bytes", sum.done), F_U64("bytes_per_s", per_s));
        return;
    }
    const uint64_t rest = sum.total - MIN(sum.done, sum.total);
    LOG_INFO("progress", F_U64("inputs", count), F_U64("done_bytes", sum.done), F_U64("total_bytes", sum.total),
             F_U64("percent", progress_percent(&sum)), F_U64("bytes_per_s", per_s),
             F_STR("left", progress_time_left(rest, per_s, left)));
}

/* The log's writer while bars are on the screen: the line takes their place, they come back below it. */
static void write_above(void *self, struct str line) {
    struct progress *p = self;
    struct term term = {.columns = 80};
    LOCKED(&p->lock);
    AUTO(buf_done) struct buf out = BUF_INIT(FRAME_BYTES_MAX + LOG_LINE_MAX + 64);
    (void)term_detect(p->sink.fd, &term);
    add_erase(p, &term, &out);
    buf_add(&out, line);
    buf_add(&out, buf_str(&p->frame));
    if (!sink_put(&p->sink, buf_str(&out), LOG_STALL_MS)) metric_add(METRIC_LOG_DROPPED, 1);
}

struct progress *progress_open(const struct progress_options *options) {
    struct progress *p = ALLOC(struct progress);
    struct term term;
    p->options = *options;
    p->sink.fd = options->fd;
    p->frame = BUF_INIT(FRAME_BYTES_MAX);
    p->live = !options->never_live && term_detect(options->fd, &term);
    p->shown_ms = now_ms(p);
    (void)pthread_mutex_init(&p->lock, NULL);
    if (p->live) log_set_writer(write_above, p);
    return p;
}

bool progress_is_live(const struct progress *p) { return p->live; }

/* Is it time to show something again? */
static bool is_due(struct progress *p) {
    const uint64_t now = now_ms(p);
    if (now - p->shown_ms < (p->live ? PROGRESS_REDRAW_MS : PROGRESS_PLAIN_MS)) return false;
    p->shown_ms = now;
    return true;
}

void progress_update(struct progress *p, const struct progress_row *rows, size_t count) {
    LOCKED(&p->lock);
    if (!is_due(p)) return;
    if (p->live)
        draw(p, rows, count);
    else
        tell(p, rows, count); /* the log does not write through us then, so our lock is not taken twice */
}

void progress_close(struct progress *p, const struct progress_row *rows, size_t count) {
    if (!p) return;
    if (p->live) {
        LOCKED(&p->lock);
        draw(p, rows, count);
    } else if (count) {
        LOCKED(&p->lock);
        tell(p, rows, count);
    }
    if (p->live) log_set_writer(NULL, NULL);
    (void)pthread_mutex_destroy(&p->lock);
    buf_done(&p->frame);
    free(p);
}
