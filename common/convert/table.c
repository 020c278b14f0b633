/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "alloc.h"
#include "scan.h"
#include "utf8.h"

#include <stdlib.h>

static void copy_settings(struct table *t, const struct converter_table *from) {
    t->settings = *from;
    t->settings.separator.at = alloc_text(from->separator.at, from->separator.len);
    t->settings.columns = NULL; /* they are in t->columns */
    t->head = BUF_INIT(CONVERTER_HEAD_MAX);
}

void table_open(struct converter *c, const struct converter_settings *settings,
                size_t (*split)(const struct table *, struct str, struct table_row *)) {
    struct table *t = ALLOC(struct table);
    c->self = t;
    t->split = split;
    copy_settings(t, &settings->table);
    if (t->settings.header != TABLE_HEADER_NONE) return;
    columns_init(&t->columns, c, settings->table.columns, settings->table.columns_len);
    t->has_columns = true;
}

void table_close(struct converter *c) {
    struct table *t = c->self;
    columns_done(&t->columns);
    buf_done(&t->head);
    free((char *)(uintptr_t)t->settings.separator.at);
    free(t);
}

bool table_gives(const struct converter *c, size_t field) {
    const struct table *t = c->self;
    const struct json_path *path = &partition_fields(c->partition)[field];
    return t->has_columns ? t->columns.wanted[field] != SIZE_MAX : path->step_count == 1;
}

size_t table_scratch_bytes(const struct converter *c, size_t line_bytes) {
    const struct table *t = c->self;
    return columns_bytes(&t->columns, line_bytes) + line_bytes + SCAN_STEP;
}

bool table_needs_head(const struct converter *c) {
    const struct table *t = c->self;
    return t->settings.header != TABLE_HEADER_NONE;
}

static const char *set_columns(struct converter *c, struct table *t, struct str line) {
    static const char too_many[] = "the header has more than 4096 columns";
    if (!utf8_valid(line)) return "the header is not UTF-8";
    struct str *names = alloc_zero(COLUMNS_MAX, sizeof *names);
    char *decoded = alloc_bytes(line.len + SCAN_STEP);
    struct table_row row = {.fields = names, .room = COLUMNS_MAX, .decoded = decoded};
    size_t count = t->split(t, line, &row);
    if (count > 0 && count <= COLUMNS_MAX) {
        columns_done(&t->columns);
        columns_init(&t->columns, c, names, count);
        t->has_columns = true;
    }
    free(names);
    free(decoded);
    return count == 0 ? row.detail : count > COLUMNS_MAX ? too_many : NULL;
}

/* The next file mostly has the header of the last one. */
void table_head(struct converter *c, struct str line, bool whole) {
    struct table *t = c->self;
    if (whole && t->has_columns && str_equal(buf_str(&t->head), line)) return;
    t->has_columns = false;
    buf_reset(&t->head);
    buf_add(&t->head, line);
    t->head_problem = whole && buf_rc(&t->head) == RC_OK ? NULL : "the header is longer than 256 KiB";
    if (str_starts(line, STR("\xEF\xBB\xBF"))) line = str_sub(line, 3, line.len);
    if (!t->head_problem && line.len == 0) t->head_problem = "the first line is empty";
    if (!t->head_problem) {
        /* Splitting reads a vector behind the line, which the file's bytes may not have. */
        char *copy = alloc_zero(line.len + SCAN_STEP, 1);
        memcpy(copy, line.at, line.len);
        t->head_problem = set_columns(c, t, (struct str){copy, line.len});
        free(copy);
    }
}

static void reject(struct converted *out, enum converter_reason reason, const char *detail) {
    converter_reject(out, reason);
    out->detail = str_of(detail);
}

static bool is_head(const struct converter *c, const struct table *t, struct str line) {
    if (t->settings.header == TABLE_HEADER_NONE) return false;
    return c->at_file_start || (t->settings.header == TABLE_HEADER_REPEATED && str_equal(buf_str(&t->head), line));
}

void table_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    struct table *t = c->self;
    if (!t->has_columns) {
        reject(out, REASON_HEADER, t->head_problem ? t->head_problem : "the file's first line is not known");
        return;
    }
    if (is_head(c, t, line)) {
        out->verdict = CONVERTER_BLANK;
        return;
    }
    if (!utf8_valid(line)) {
        converter_reject(out, REASON_UTF8);
        return;
    }
    struct table_row row = {.fields = t->columns.values,
                            .room = t->columns.count,
                            .decoded = scratch + columns_bytes(&t->columns, line.len)};
    size_t count = t->split(t, line, &row);
    if (count == 0)
        reject(out, REASON_FORMAT, row.detail);
    else if (count != t->columns.count)
        reject(out, REASON_FIELDS, count < t->columns.count ? "fewer fields than columns" : "more fields than columns");
    else
        columns_write(c, &t->columns, row.plain, scratch, out);
}
