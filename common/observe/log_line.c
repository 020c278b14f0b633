/* SPDX-License-Identifier: Apache-2.0 */
#include "log_line.h"

#include "num.h"
#include "stamp.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Kept free for what closes a line: `,"cut":true}` and the newline. */
enum { TAIL_ROOM = 16, UNIT_MAX = 8, NUMBER_MAX = 40 };
static const size_t body_max = LOG_LINE_MAX - TAIL_ROOM;

/* All of `bytes`, or nothing and false when they would end behind `limit`. */
static bool put(struct log_line *line, size_t limit, struct str bytes) {
    if (line->len + bytes.len > limit) {
        line->cut = true;
        return false;
    }
    memcpy(line->at + line->len, bytes.at, bytes.len);
    line->len += bytes.len;
    return true;
}

static unsigned byte_at(struct str s, size_t i) { return (unsigned char)s.at[i]; }

/* The escape that both JSON and readers of logfmt know. */
static struct str escaped(uint32_t c, char out[UNIT_MAX]) {
    static const char short_form[] = {['"'] = '"', ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c < sizeof short_form && short_form[c])
        (void)snprintf(out, UNIT_MAX, "\\%c", short_form[c]);
    else
        (void)snprintf(out, UNIT_MAX, "\\u%04" PRIx32, c & 0xffff);
    return str_of(out);
}

/* The inside of a quoted string, up to `limit`; characters stay whole, bytes that are none become U+FFFD. */
static void put_quoted(struct log_line *line, size_t limit, struct str s) {
    while (s.len) {
        char unit[UNIT_MAX];
        size_t n = 0;
        const uint32_t c = utf8_decode(s, &n);
        struct str piece = str_sub(s, 0, n);
        if (utf8_is_control(c) || c == '"' || c == '\\')
            piece = escaped(c, unit);
        else if (c == 0xfffd)
            piece = STR("\xef\xbf\xbd");
        if (!put(line, limit, piece)) return;
        s = str_sub(s, n, s.len);
    }
}

/* May stand in logfmt without quotes. */
static bool is_bare(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (byte_at(s, i) <= ' ' || byte_at(s, i) >= 0x7f || strchr("\"=\\", s.at[i])) return false;
    return s.len > 0;
}

static bool put_string(struct log_line *line, struct str s) {
    const size_t limit = MIN(body_max, line->len + LOG_VALUE_MAX);
    if (line->format == LOG_FORMAT_LOGFMT && is_bare(s) && line->len + s.len <= limit) return put(line, limit, s);
    if (!put(line, limit - 1, STR("\""))) return false;
    put_quoted(line, limit - 1, s);
    return put(line, limit, STR("\""));
}

static struct str format_double(struct log_line *line, double value, char out[NUMBER_MAX]) {
    const bool json = line->format == LOG_FORMAT_JSON;
    if (isnan(value)) return json ? STR("null") : STR("NaN");
    if (isinf(value)) return json ? STR("null") : value > 0 ? STR("+Inf") : STR("-Inf");
    for (int digits = 15; digits <= 17; digits++) { /* the fewest that read back the same */
        (void)snprintf(out, NUMBER_MAX, "%.*g", digits, value);
        if (strtod(out, NULL) == value) break;
    }
    return str_of(out);
}

static bool put_value(struct log_line *line, const struct log_field *field) {
    char text[NUMBER_MAX];
    switch (field->kind) {
    case LOG_KIND_U64:
        (void)snprintf(text, sizeof text, "%" PRIu64, field->u64);
        return put(line, body_max, str_of(text));
    case LOG_KIND_I64:
        (void)snprintf(text, sizeof text, "%" PRId64, field->i64);
        return put(line, body_max, str_of(text));
    case LOG_KIND_F64: return put(line, body_max, format_double(line, field->f64, text));
    case LOG_KIND_BOOL: return put(line, body_max, field->truth ? STR("true") : STR("false"));
    case LOG_KIND_ID: return put_string(line, str_of(id_format(field->id, text)));
    case LOG_KIND_STR:
    case LOG_KIND_END: break;
    }
    return put_string(line, field->str);
}

/* A key is a constant of ours; a slip in one must not break the line. */
static bool put_key(struct log_line *line, const char *key) {
    const bool json = line->format == LOG_FORMAT_JSON;
    if (line->len > 0 && !put(line, body_max, json ? line->len > 1 ? STR(",") : STR("") : STR(" "))) return false;
    if (json && !put(line, body_max, STR("\""))) return false;
    for (const char *c = *key ? key : "_"; *c; c++) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!put(line, body_max, plain ? (struct str){c, 1} : STR("_"))) return false;
    }
    return put(line, body_max, json ? STR("\":") : STR("="));
}

/* A field that does not fit leaves no half of itself. */
static void put_field(struct log_line *line, struct log_field field) {
    const size_t before = line->len;
    if (!put_key(line, field.key) || !put_value(line, &field)) line->len = before;
}

static void put_tail(struct log_line *line) {
    const bool json = line->format == LOG_FORMAT_JSON;
    if (line->cut) (void)put(line, LOG_LINE_MAX, json ? STR(",\"cut\":true") : STR(" cut=true"));
    (void)put(line, LOG_LINE_MAX, json ? STR("}\n") : STR("\n"));
}

void log_line_make(struct log_line *line, enum log_format format, const struct log_head *head,
                   const struct log_field *fields) {
    char stamp[STAMP_TEXT];
    line->len = 0;
    line->cut = false;
    line->format = format;
    if (format == LOG_FORMAT_JSON) (void)put(line, body_max, STR("{"));
    put_field(line, F_STR("ts", stamp_format(head->wall_ms, stamp)));
    put_field(line, F_STR("level", log_level_name(head->level)));
    put_field(line, F_STR("msg", head->message));
    if (head->suppressed) put_field(line, F_U64("suppressed", head->suppressed));
    for (const struct log_field *field = fields; field->kind != LOG_KIND_END; field++) put_field(line, *field);
    put_tail(line);
}
