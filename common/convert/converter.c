/* SPDX-License-Identifier: Apache-2.0 */
#include "converter.h"

#include "aggregate.h"
#include "alloc.h"
#include "converter_impl.h"
#include "lines.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "shape.h"
#include "utf8.h"

#include <stdlib.h>

enum { LINE_BYTES_DEFAULT = 1024 * 1024, RECORD_BYTES_DEFAULT = 4 * 1024 * 1024 };

static const struct converter_ops *const table[CONVERTER_KINDS] = {
    [CONVERTER_NDJSON] = &ndjson_ops, [CONVERTER_COMBINED] = &combined_ops, [CONVERTER_RAW] = &raw_ops,
    [CONVERTER_CSV] = &csv_ops,       [CONVERTER_TSV] = &tsv_ops,           [CONVERTER_DELIMITED] = &delimited_ops,
    [CONVERTER_LOGFMT] = &logfmt_ops, [CONVERTER_REGEX] = &regex_ops,       [CONVERTER_SYSLOG] = &syslog_ops,
    [CONVERTER_CRI] = &cri_ops,       [CONVERTER_LUA] = &lua_ops,           [CONVERTER_TELEMETRY] = &telemetry_ops,
};

static const char *const reason_names[REASON_COUNT] = {
    [REASON_NONE] = "none",
    [REASON_JSON] = "json",
    [REASON_NOT_OBJECT] = "not an object",
    [REASON_UTF8] = "utf8",
    [REASON_DEPTH] = "depth",
    [REASON_NUMBER] = "number",
    [REASON_TIME] = "time",
    [REASON_TOO_LONG] = "too long",
    [REASON_FORMAT] = "format",
    [REASON_FIELDS] = "fields",
    [REASON_HEADER] = "header",
    [REASON_TYPE] = "type",
    [REASON_DAMAGED] = "damaged",
    [REASON_NO_MATCH] = "no match",
    [REASON_LIMIT] = "limit",
    [REASON_SCRIPT] = "script",
    [REASON_FRAME] = "frame",
    [REASON_INFLATE] = "inflate",
    [REASON_PING] = "ping",
    [REASON_DEFINITION] = "definition",
};

static RC take_time(struct converter *c, const struct converter_settings *settings, struct why *why) {
    c->time_given = settings->time_given && !c->ops->own_time;
    c->time_format = settings->time_format;
    bool built_in = c->ops->own_time || c->ops->has_no_time;
    if (!c->time_given && !built_in && partition_uses_time(c->partition))
        return why_set(why, RC_BAD, "the partition template has {time:...}, but no time field is configured");
    if (!c->time_given || built_in) return RC_OK;
    enum rc rc = json_path_compile(settings->time_field, &c->time_field, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "time field \"%.*s\"", STR_ARG(settings->time_field));
}

static RC check_types(const struct converter_settings *settings, struct why *why) {
    enum value_type type;
    for (size_t i = 0; i < settings->types_len; i++)
        if (value_type_of(settings->types[i].value, &type) != RC_OK)
            return why_set(why, RC_BAD, "types: \"%.*s\" is not one of text, integer, number, boolean, auto",
                           STR_ARG(settings->types[i].value));
    return RC_OK;
}

static RC take_partition(struct converter *c, const struct converter_settings *settings, struct why *why) {
    AUTO(buf_done) struct buf template = BUF_INIT(PARTITION_TEMPLATE_MAX);
    if (!c->ops->template) return partition_new(settings->partition, settings->source, &c->partition, why);
    TRY(c->ops->template(settings, &template, why));
    return partition_new(buf_str(&template), settings->source, &c->partition, why);
}

static RC take_record(struct converter *c, const struct converter_settings *settings, struct why *why) {
    struct segments_settings record = settings->record;
    record.line_bytes_max = c->line_bytes_max;
    if (c->ops->joins) record.kind = SEGMENTS_CRI;
    if (record.kind == SEGMENTS_NONE) return RC_OK;
    if (!c->ops->joins && !c->ops->takes_lines) return why_set(why, RC_BAD, "a record of %s is one line", c->ops->name);
    if (settings->shape.once.key_len)
        return why_set(why, RC_BAD, "records of several lines cannot be kept once: their places are not in order");
    TRY(segments_new(&record, &c->segments, why));
    /* Of all the lines of a record; slice_record.c looks after single ones. */
    c->line_bytes_max = MAX(c->line_bytes_max, segments_settings(c->segments)->bytes_max);
    return RC_OK;
}

RC converter_new(const struct converter_settings *settings, struct converter **out, struct why *why) {
    MUST(settings->kind < CONVERTER_KINDS);
    AUTO(converter_done) struct converter *c = ALLOC(struct converter);
    c->ops = table[settings->kind];
    c->kind = settings->kind;
    c->source = (struct str){alloc_text(settings->source.at, settings->source.len), settings->source.len};
    c->time_optional = settings->time_optional;
    c->utf8_only = settings->utf8_only;
    c->line_bytes_max = settings->line_bytes_max ? settings->line_bytes_max : LINE_BYTES_DEFAULT;
    c->record_bytes_max = settings->record_bytes_max ? settings->record_bytes_max : RECORD_BYTES_DEFAULT;
    TRY(take_partition(c, settings, why));
    TRY(take_time(c, settings, why));
    TRY(check_types(settings, why));
    c->types = settings->types;
    c->types_len = settings->types_len;
    TRY(take_record(c, settings, why));
    TRY(c->ops->open(c, settings, why));
    TRY(shape_new(&settings->shape, settings->source, c->record_bytes_max, &c->shape, why));
    TRY(aggregate_new(&settings->aggregate, c->record_bytes_max, &c->aggregate, why));
    if ((c->shape || c->aggregate) && c->ops->has_no_fields)
        return why_set(why, RC_BAD, "lines of %s have no fields that a condition or a list of fields could name",
                       c->ops->name);
    *out = TAKE(c);
    return RC_OK;
}

void converter_free(struct converter *c) {
    if (!c) return;
    if (c->self) c->ops->close(c);
    shape_free(c->shape);
    aggregate_free(c->aggregate);
    segments_free(c->segments);
    partition_free(c->partition);
    free((char *)(uintptr_t)c->source.at);
    free(c);
}

bool converter_gives(const struct converter *c, size_t field) {
    MUST(field < partition_field_count(c->partition));
    return !c->ops->gives || c->ops->gives(c, field);
}

const struct partition *converter_partition(const struct converter *c) { return c->partition; }
enum converter_kind converter_kind_of(const struct converter *c) { return c->kind; }
struct str converter_source(const struct converter *c) {
    return c->source;
}

const char *converter_reason_name(enum converter_reason reason) {
    MUST(reason < REASON_COUNT);
    return reason_names[reason];
}

const char *converter_kind_name(enum converter_kind kind) {
    MUST(kind < CONVERTER_KINDS);
    return table[kind]->name;
}

size_t converter_scratch_bytes(const struct converter *c, size_t line_bytes) {
    return c->ops->scratch_bytes ? c->ops->scratch_bytes(c, line_bytes) : 0;
}

bool converter_needs_head(const struct converter *c) { return c->ops->needs_head && c->ops->needs_head(c); }

void converter_file(struct converter *c, struct str uri) {
    if (c->ops->file) c->ops->file(c, uri);
}

void converter_head(struct converter *c, struct str line, bool whole) {
    MUST(c->ops->head);
    c->ops->head(c, line, whole);
}

struct segments *converter_segments(const struct converter *c) {
    return c->segments;
}

bool converter_framed(enum converter_kind kind) { return table[kind]->stretch_end != NULL; }

RC converter_waits(struct converter *c, struct why *why) {
    if (!c->waits) return RC_OK;
    c->waits = false;
    return why_set(why, RC_BUSY, "%s", c->wants.text);
}

bool converter_spans_lines(const struct converter *c) { return c->spans_lines; }

static size_t line_end(struct str bytes, bool closed) {
    const char *lf = bytes.len ? memchr(bytes.at, '\n', bytes.len) : NULL;
    return lf ? (size_t)(lf - bytes.at) + 1 : closed ? bytes.len : 0;
}

size_t converter_record_end(const struct converter *c, struct str bytes, bool closed) {
    if (c->ops->stretch_end) return c->ops->stretch_end(c, bytes, closed);
    if (!c->spans_lines) return line_end(bytes, closed);
    size_t longest = c->line_bytes_max + 2; /* with CR and LF */
    size_t end = c->ops->row_end(c, str_sub(bytes, 0, MIN(bytes.len, longest)));
    if (end) return end;
    return bytes.len >= longest || closed ? line_end(bytes, closed) : 0;
}

size_t converter_records(const struct converter *c, struct str bytes, bool closed) {
    size_t whole = 0;
    while (whole < bytes.len) {
        size_t end = converter_record_end(c, str_sub(bytes, whole, bytes.len), closed);
        if (!end) break;
        whole += end;
    }
    return whole;
}

void converter_batch(struct converter *c, struct str lines) {
    if (c->ops->batch) c->ops->batch(c, lines);
}

static struct converted *fresh(struct converter *c, struct converted *out) {
    *out = (struct converted){.verdict = CONVERTER_RECORD, .values.fields = c->fields};
    return out;
}

static void finish(struct converter *c, struct converted *out) {
    if (out->verdict == CONVERTER_RECORD && out->record.len > c->record_bytes_max)
        converter_reject(out, REASON_TOO_LONG);
    if (out->verdict == CONVERTER_RECORD && c->shape) shape_apply(c->shape, out);
    if (out->verdict == CONVERTER_RECORD && c->aggregate) aggregate_look(c->aggregate, out);
}

/* A line is a reject as a whole: all its records are looked at before the first one is given. */
static void all_records(struct converter *c, struct converted *out) {
    bool any = false;
    for (c->ops->rewind(c); c->ops->next(c, fresh(c, out));) {
        finish(c, out);
        if (out->verdict == CONVERTER_REJECT) return;
        any = any || out->verdict == CONVERTER_RECORD;
    }
    c->ops->rewind(c);
    if (!any || !converter_next(c, out)) out->verdict = CONVERTER_FILTERED;
}

void converter_line(struct converter *c, struct str line, bool at_file_start, char *scratch, struct converted *out) {
    (void)fresh(c, out);
    if (line.len > c->line_bytes_max) { /* as the reader says of a line that it did not keep */
        converter_reject(out, REASON_TOO_LONG);
        return;
    }
    if (at_file_start && !c->ops->keep_bom && str_starts(line, STR("\xEF\xBB\xBF"))) line = str_sub(line, 3, line.len);
    if (c->ops->blank_is_empty ? line.len == 0 : lines_blank(line)) {
        out->verdict = CONVERTER_BLANK;
        return;
    }
    if (c->utf8_only && !utf8_valid(line)) {
        converter_reject(out, REASON_UTF8);
        return;
    }
    c->at_file_start = at_file_start;
    c->ops->line(c, line, scratch, out);
    if (out->verdict == CONVERTER_RECORD && c->ops->next)
        all_records(c, out);
    else
        finish(c, out);
}

bool converter_next(struct converter *c, struct converted *out) {
    while (c->ops->next && c->ops->next(c, fresh(c, out))) {
        finish(c, out);
        if (out->verdict == CONVERTER_RECORD) return true;
    }
    return false;
}
