/* SPDX-License-Identifier: Apache-2.0 */
/* csv, tsv: rows of RFC 4180. A field that begins with '"' ends at the next '"' that is not doubled; a '"' inside a
 * field that does not begin with one is a character like any other (so Python's csv module does it, strict). */
#include "scan.h"
#include "table.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Fields without quotes. */
static size_t split_plain(struct str line, char separator, struct table_row *row) {
    size_t n = 0;
    const char *from = line.at, *end = line.at + line.len;
#if defined(__SSE2__)
    const __m128i wanted = _mm_set1_epi8(separator);
    for (const char *at = from; at < end; at += SCAN_STEP) {
        unsigned mask =
            (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)at), wanted));
        for (; mask; mask &= mask - 1) {
            const char *hit = at + __builtin_ctz(mask);
            if (hit >= end) break;
            if (n == row->room) return n + 1;
            row->fields[n++] = (struct str){from, (size_t)(hit - from)};
            from = hit + 1;
        }
    }
#else
    for (const char *hit; (hit = memchr(from, separator, (size_t)(end - from))); from = hit + 1) {
        if (n == row->room) return n + 1;
        row->fields[n++] = (struct str){from, (size_t)(hit - from)};
    }
#endif
    if (n == row->room) return n + 1;
    row->fields[n++] = (struct str){from, (size_t)(end - from)};
    return n;
}

/* The text from behind the opening quote at *at to the closing one, doubled quotes halved; *at is then behind the
 * closing one. False: it has none. */
static bool quoted(const char **at, const char *end, struct table_row *row, struct str *out) {
    const char *from = *at;
    char *start = row->decoded, *to = start;
    for (;;) {
        const char *quote = from < end ? memchr(from, '"', (size_t)(end - from)) : NULL;
        if (!quote) return false;
        bool doubled = quote + 1 < end && quote[1] == '"';
        size_t len = (size_t)(quote - from) + (doubled ? 1 : 0);
        if (!doubled && to == start) { /* no escape: as it stands */
            *out = (struct str){from, len};
            *at = quote + 1;
            return true;
        }
        memcpy(to, from, len);
        to += len;
        from = quote + 2;
        if (doubled) continue;
        *out = (struct str){start, (size_t)(to - start)};
        row->decoded = to;
        *at = quote + 1;
        return true;
    }
}

static size_t split_quoted(struct str line, char separator, struct table_row *row) {
    size_t n = 0;
    const char *at = line.at, *end = line.at + line.len;
    for (;; at++) {
        if (n == row->room) return n + 1;
        struct str *field = &row->fields[n++];
        if (at < end && *at == '"') {
            at++;
            if (!quoted(&at, end, row, field)) {
                row->detail = "a quote is open at the end of the row";
                return 0;
            }
            if (at < end && *at != separator) {
                row->detail = "something else than a separator behind a closing quote";
                return 0;
            }
        } else {
            const char *hit = at < end ? memchr(at, separator, (size_t)(end - at)) : NULL;
            *field = (struct str){at, (size_t)((hit ? hit : end) - at)};
            at = hit ? hit : end;
        }
        if (at == end) return n;
    }
}

static size_t csv_split(const struct table *table, struct str line, struct table_row *row) {
    char separator = table->settings.separator.at[0];
    row->plain = scan_special(line.at, line.len) == line.len;
    if (row->plain || !memchr(line.at, '"', line.len)) return split_plain(line, separator, row);
    return split_quoted(line, separator, row);
}

/* Behind the closing quote of the field that begins at `at`; NULL: it has none. */
static const char *behind_quotes(const char *at, const char *end) {
    for (at++; at < end; at += 2) {
        at = memchr(at, '"', (size_t)(end - at));
        if (!at) return NULL;
        if (at + 1 == end || at[1] != '"') return at + 1;
    }
    return NULL;
}

/* Where the row ends that csv_split() would split: at a LF that is in no field in quotes. */
static size_t csv_row_end(const struct converter *c, struct str bytes) {
    const struct table *t = c->self;
    char separator = t->settings.separator.at[0];
    const char *at = bytes.at, *end = bytes.at + bytes.len;
    while (at < end) {
        bool opens = *at == '"';
        if (opens) at = behind_quotes(at, end);
        const char *lf = at && at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!lf) return 0;
        const char *next = opens && *at != separator ? NULL : memchr(at, separator, (size_t)(lf - at));
        if (!next) return (size_t)(lf - bytes.at) + 1;
        at = next + 1;
    }
    return 0;
}

static RC csv_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)why;
    table_open(c, settings, csv_split);
    c->spans_lines = settings->table.quoted_newlines;
    return RC_OK;
}

#define CSV_OPS                                                                                                        \
    .open = csv_open, .close = table_close, .gives = table_gives, .scratch_bytes = table_scratch_bytes,                \
    .needs_head = table_needs_head, .row_end = csv_row_end, .head = table_head, .line = table_line,                    \
    .blank_is_empty = true

const struct converter_ops csv_ops = {.name = "csv", CSV_OPS};
const struct converter_ops tsv_ops = {.name = "tsv", CSV_OPS};
