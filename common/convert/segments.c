/* SPDX-License-Identifier: Apache-2.0 */
#include "segments.h"

#include "alloc.h"
#include "lines.h"
#include "num.h"
#include "own.h"
#include "regex.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

struct segments {
    struct segments_settings settings;
    struct regex *start;
};

RC segments_new(const struct segments_settings *settings, struct segments **out, struct why *why) {
    struct regex *start = NULL;
    if (settings->kind == SEGMENTS_START) TRY(regex_new(settings->start, &start, why));
    struct segments *s = ALLOC(struct segments);
    s->settings = *settings;
    if (!s->settings.lines_max) s->settings.lines_max = SEGMENTS_LINES_DEFAULT;
    if (!s->settings.bytes_max) s->settings.bytes_max = SEGMENTS_BYTES_DEFAULT;
    s->start = start;
    *out = s;
    return RC_OK;
}

void segments_free(struct segments *s) {
    if (!s) return;
    regex_free(s->start);
    free(s);
}

const struct segments_settings *segments_settings(const struct segments *s) { return &s->settings; }

/* A line that fills a cell is too long, so that a cell without the start of a line says so of the line behind it. */
uint64_t segments_cell(const struct segments *s) { return MAX(s->settings.bytes_max, s->settings.line_bytes_max + 3); }

/* A segment goes to the third cell at most, and into a line there; with the line behind it. */
size_t segments_window(const struct segments *s) {
    return (size_t)(2 * segments_cell(s)) + 2 * (s->settings.line_bytes_max + 3);
}

bool segments_matches(struct segments *s, struct str text) {
    text.len = MIN(text.len, (size_t)SEGMENTS_TEXT_MAX);
    text.len = utf8_valid_prefix(text);
    return regex_match(s->start, text, NULL) == REGEX_MATCH;
}

uint64_t segments_from(const struct segments *s, uint64_t at) {
    uint64_t size = segments_cell(s), cell = at / size;
    return (cell - MIN(cell, (uint64_t)2)) * size;
}

void segments_begin(const struct segments *s, struct segments_state *out, uint64_t from, uint64_t first) {
    *out = (struct segments_state){.long_before = first - from >= segments_cell(s)};
}

static bool is_open(const struct segments_state *state, uint64_t cell) {
    for (size_t i = 0; i < CRI_STREAMS; i++)
        if (state->streams[i].open && state->streams[i].cell + 1 >= cell) return true;
    return false;
}

/* The first of its cell, where the cell before has no head. */
static bool is_forced(const struct segments_state *state, uint64_t cell) {
    if (!state->any || state->cell == cell) return false;
    return state->cell + 1 < cell || !state->head;
}

bool segments_start_is_known(const struct segments *s, const struct segments_state *state, uint64_t at) {
    uint64_t cell = at / segments_cell(s);
    if (at == 0 || state->long_before || is_forced(state, cell)) return true;
    return s->settings.kind == SEGMENTS_CRI && !is_open(state, cell);
}

static void note_stream(struct segments_state *state, struct str text, uint64_t cell) {
    struct cri_part part;
    if (!cri_part_read(text, &part)) return;
    state->streams[part.stream].open = part.goes_on;
    state->streams[part.stream].cell = cell;
}

bool segments_line(struct segments *s, struct segments_state *state, const struct segments_line *line) {
    uint64_t cell = line->at / segments_cell(s);
    bool cri = s->settings.kind == SEGMENTS_CRI;
    bool forced = is_forced(state, cell);
    bool head = line->at == 0 || line->too_long || state->long_before;
    if (!head) head = cri ? !is_open(state, cell) : !line->cut && segments_matches(s, line->text);
    if (!state->any || state->cell != cell) {
        state->any = true;
        state->cell = cell;
        state->head = false;
    }
    state->head = state->head || head;
    state->long_before = line->too_long;
    if (cri && !line->too_long) note_stream(state, line->text, cell);
    return head || forced;
}

/* The line at `at` of the bytes, with its end; .len 0: it is not whole in them. */
static struct str line_at(struct str bytes, size_t at, bool closed) {
    const char *hit = at < bytes.len ? memchr(bytes.at + at, '\n', bytes.len - at) : NULL;
    if (!hit && !closed) return (struct str){0};
    return str_sub(bytes, at, hit ? (size_t)(hit - bytes.at) + 1 : bytes.len);
}

static struct segments_line seen_as(const struct segments *s, struct str line, uint64_t at) {
    struct str text = lines_text(line);
    bool cut = text.len == line.len;
    size_t most = s->settings.line_bytes_max + (cut ? 1 : 0); /* a CR at the cut may be its end's */
    return (struct segments_line){.at = at, .text = text, .too_long = text.len > most, .cut = cut};
}

/* A run of bytes without a LF that tells already that its line is too long: whatever comes, a CR too. */
static bool is_too_long(const struct segments *s, size_t bytes) { return bytes > s->settings.line_bytes_max + 1; }

enum segments_found segments_next(struct segments *s, struct segments_state *state, const struct segments_ask *ask,
                                  size_t *out_bytes, bool *out_closed) {
    bool closed = ask->end != UINT64_MAX && ask->end - ask->at <= ask->window.len;
    struct str bytes = closed ? str_sub(ask->window, 0, (size_t)(ask->end - ask->at)) : ask->window;
    enum segments_found more = ask->at + bytes.len >= ask->ready ? SEGMENTS_WAIT : SEGMENTS_LONGER;
    struct segments_state now = *state, before = now;
    struct str line = line_at(bytes, 0, closed);
    if (!line.len) return is_too_long(s, bytes.len) ? SEGMENTS_LONG_LINE : more;
    struct segments_line seen = seen_as(s, line, ask->at);
    if (!ask->in_line) (void)segments_line(s, &now, &seen);
    size_t at = line.len;
    for (;; at += line.len) {
        before = now;
        if (at == bytes.len && closed) break;
        if (segments_start_is_known(s, &now, ask->at + at)) break;
        line = line_at(bytes, at, closed);
        if (!line.len && is_too_long(s, bytes.len - at)) break;
        if (!line.len) return more;
        seen = seen_as(s, line, ask->at + at);
        if (segments_line(s, &now, &seen)) break;
    }
    *state = before;
    *out_bytes = at;
    *out_closed = closed && at == bytes.len;
    return SEGMENTS_WHOLE;
}
