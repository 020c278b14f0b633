/* SPDX-License-Identifier: Apache-2.0 */
#include "progress_frame.h"

#include "num.h"

#include <inttypes.h>
#include <stdio.h>

/* Columns of the parts, each with the blank before it. */
enum {
    PERCENT_COLUMNS = 5, /* " 100%" */
    BAR_COLUMNS_MIN = 9,
    BAR_COLUMNS_MAX = 41,
    TIME_COLUMNS = 13, /* " ETA 99:59:59" */
    RATE_COLUMNS = 13, /* " 1023.9 MiB/s" */
    SIZE_COLUMNS = 22, /* " 1023.9 MiB/1023.9 MiB" */
    LABEL_COLUMNS_MIN = 8
};

struct layout {
    unsigned label, percent, bar, time, rate, size;
};

const char *progress_bytes(uint64_t bytes, char out[PROGRESS_BYTES_TEXT]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double)bytes;
    for (; value >= 1023.95 && unit + 1 < COUNT_OF(units); unit++) value /= 1024; /* never shows 1024.0 */
    (void)snprintf(out, PROGRESS_BYTES_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

unsigned progress_percent(const struct progress_row *row) {
    if (row->total == PROGRESS_UNKNOWN) return 0;
    if (row->done >= row->total) return 100;
    return MIN((unsigned)((double)row->done / (double)row->total * 100.0), 99u); /* the division may round up to 1 */
}

struct str progress_time_left(uint64_t left, uint64_t per_s, char out[16]) {
    const uint64_t seconds = per_s ? num_ceil_div(left, per_s) : UINT64_MAX;
    if (seconds >= UINT64_C(100) * 3600) return STR("--:--");
    const unsigned h = (unsigned)(seconds / 3600), m = (unsigned)(seconds / 60 % 60), s = (unsigned)(seconds % 60);
    if (h)
        (void)snprintf(out, 16, "%u:%02u:%02u", h, m, s);
    else
        (void)snprintf(out, 16, "%u:%02u", m, s);
    return str_of(out);
}

static void take(unsigned *left, unsigned want, unsigned *part) {
    if (want > *left) return;
    *part = want;
    *left -= want;
}

static struct layout lay_out(unsigned width, unsigned longest_label) {
    struct layout l = {0};
    unsigned left = width;
    l.label = MIN(longest_label, MAX(width / 3, (unsigned)LABEL_COLUMNS_MIN));
    if (l.label + PERCENT_COLUMNS > width) l.label = MIN(longest_label, width > 12 ? width - PERCENT_COLUMNS : width);
    left -= l.label;
    take(&left, PERCENT_COLUMNS, &l.percent);
    take(&left, BAR_COLUMNS_MIN, &l.bar);
    if (l.bar) take(&left, TIME_COLUMNS, &l.time);
    if (l.time) take(&left, RATE_COLUMNS, &l.rate);
    if (l.rate) take(&left, SIZE_COLUMNS, &l.size);
    const unsigned more_label = MIN(left, longest_label - l.label);
    l.label += more_label;
    left -= more_label;
    if (l.bar) l.bar += MIN(left, (unsigned)BAR_COLUMNS_MAX - l.bar);
    return l;
}

static void add_color(const struct term *term, struct buf *out, const char *code) {
    if (term->color) buf_add_format(out, "\x1b[%sm", code);
}

static void add_times(struct buf *out, struct str piece, unsigned times) {
    for (unsigned i = 0; i < times; i++) buf_add(out, piece);
}

/* `columns` with the blank in front; eighths of a block where the terminal has them. */
static void add_bar(const struct term *term, const struct progress_row *row, unsigned columns, struct buf *out) {
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const unsigned cells = columns - 1, steps = term->utf8 ? 8 : 1;
    const bool known = row->total != PROGRESS_UNKNOWN;
    const bool all = known && row->done >= row->total;
    const double share = all ? 1.0 : known ? (double)row->done / (double)row->total : 0.0;
    const unsigned filled = MIN((unsigned)(share * cells * steps), cells * steps);
    const unsigned part = filled % steps;
    buf_add_char(out, ' ');
    add_color(term, out, all ? "32" : "36");
    add_times(out, term->utf8 ? STR("█") : STR("#"), filled / steps);
    buf_add(out, str_of(parts[part]));
    add_color(term, out, "2");
    add_times(out, term->utf8 ? STR("░") : STR("-"), cells - filled / steps - (part != 0));
    add_color(term, out, "0");
}

static void add_numbers(const struct progress_line *line, const struct layout *l, struct buf *out) {
    const struct progress_row *row = &line->row;
    const bool known = row->total != PROGRESS_UNKNOWN, all = known && row->done >= row->total;
    char done[PROGRESS_BYTES_TEXT], total[PROGRESS_BYTES_TEXT], left[16];
    if (l->size)
        buf_add_format(out, " %10s/%-10s", progress_bytes(row->done, done),
                       known ? progress_bytes(row->total, total) : "?");
    if (l->rate) buf_add_format(out, " %10s/s", progress_bytes(line->per_s, done));
    if (!l->time) return;
    const struct str text = all     ? STR("done")
                            : known ? progress_time_left(row->total - row->done, line->per_s, left)
                                    : STR("--:--");
    buf_add_format(out, all ? "     %-8.*s" : " ETA %-8.*s", STR_ARG(text));
}

static void add_line(const struct term *term, const struct progress_line *line, const struct layout *l,
                     struct buf *out) {
    const unsigned used = term_add(term, out, line->row.label, l->label);
    add_times(out, STR(" "), l->label - used);
    if (l->percent && line->row.total == PROGRESS_UNKNOWN)
        buf_add(out, STR("    ?"));
    else if (l->percent)
        buf_add_format(out, " %3u%%", progress_percent(&line->row));
    if (l->bar) add_bar(term, &line->row, l->bar, out);
    add_numbers(line, l, out);
    buf_add_char(out, '\n');
}

unsigned progress_frame(const struct term *term, const struct progress_line *lines, size_t count, struct buf *out) {
    if (term->columns < 2 || count == 0) return 0;
    unsigned longest = 0;
    for (size_t i = 0; i < count; i++) longest = MAX(longest, term_width(term, lines[i].row.label));
    const struct layout l = lay_out(term->columns - 1, longest);
    for (size_t i = 0; i < count; i++) add_line(term, &lines[i], &l, out);
    return l.label + l.percent + l.bar + l.time + l.rate + l.size;
}
