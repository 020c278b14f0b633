/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_lines.h"

static bool is_start(struct str c, const uint64_t *ends, size_t ends_len, uint64_t at) {
    if (at == 0 || c.at[at - 1] == '\n') return true;
    for (size_t i = 0; i < ends_len; i++)
        if (ends[i] == at) return true;
    return false;
}

bool sim_line_next(struct str c, const uint64_t *ends, size_t ends_len, uint64_t *at, struct sim_line *out) {
    uint64_t from = *at;
    while (from < c.len && !is_start(c, ends, ends_len, from)) from++;
    if (from >= c.len) return false;
    uint64_t end = from + 1;
    while (end < c.len && !is_start(c, ends, ends_len, end)) end++;
    *out = (struct sim_line){.offset = from, .end = end, .text = str_sub(c, from, end)};
    if (c.at[end - 1] == '\n') {
        out->text.len--;
        if (out->text.len && out->text.at[out->text.len - 1] == '\r') out->text.len--;
    }
    *at = end;
    return true;
}

static bool is_blank(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] != ' ' && s.at[i] != '\t' && s.at[i] != '\r') return false;
    return true;
}

static bool take(struct str *s, char c) {
    if (!s->len || s->at[0] != c) return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

static bool take_text(struct str *s) {
    if (!take(s, '"')) return false;
    while (s->len && s->at[0] >= 'a' && s->at[0] <= 'z') *s = str_sub(*s, 1, s->len);
    return take(s, '"');
}

static bool take_number(struct str *s) {
    size_t n = 0;
    while (n < s->len && s->at[n] >= '0' && s->at[n] <= '9') n++;
    if (!n || (n > 1 && s->at[0] == '0')) return false;
    *s = str_sub(*s, n, s->len);
    return true;
}

/* The only objects that the simulated writers make: names and texts of a to z, and numbers. */
static bool is_object(struct str s) {
    s = str_trim(s);
    if (!take(&s, '{')) return false;
    if (take(&s, '}')) return s.len == 0;
    do {
        if (!take_text(&s) || !take(&s, ':')) return false;
        if (s.len && s.at[0] == '"' ? !take_text(&s) : !take_number(&s)) return false;
    } while (take(&s, ','));
    return take(&s, '}') && s.len == 0;
}

/* A line that goes on where another one was cut may have lost its number. */
static bool has_time(struct str s) {
    const char *n = memmem(s.at, s.len, "\"n\":", 4);
    return n && n + 4 < s.at + s.len && n[4] >= '0' && n[4] <= '9';
}

enum sim_line_kind sim_line_kind(struct str text, bool ndjson, bool timed, size_t line_bytes_max) {
    if (text.len > line_bytes_max) return SIM_LINE_REJECT;
    if (is_blank(text)) return SIM_LINE_BLANK;
    return !ndjson || (is_object(text) && (!timed || has_time(text))) ? SIM_LINE_RECORD : SIM_LINE_REJECT;
}
