/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include "alloc.h"
#include "cut.h"
#include "num.h"
#include "own.h"

#include <string.h>

enum { PIECE = 256 * 1024 };

/* Goes over the lines of a file, from LF to LF. */
struct walk {
    const struct reader *reader;
    const struct records_ask *ask;
    size_t line_bytes_max;
    char *bytes; /* of the file from .at on */
    size_t len, room;
    uint64_t at;
};

struct walk_line {
    uint64_t at;
    uint64_t end;    /* behind its LF; 0: it has none before `ready` */
    struct str text; /* its first bytes, where too_long */
    bool too_long;
};

static RC refill(struct walk *w, uint64_t at, struct why *why) {
    w->len = 0;
    w->at = at;
    size_t len = (size_t)MIN(w->ask->ready - at, (uint64_t)w->room);
    TRY(reader_read(w->reader, at, w->bytes, len, why));
    w->len = len;
    return RC_OK;
}

static RC far_end(struct walk *w, struct walk_line *out, struct why *why) {
    struct reader_lines search = {
        .from = w->at + w->len, .below = w->ask->ready, .work = w->bytes, .work_bytes = w->room};
    enum rc rc = reader_line_end(w->reader, &search, &out->end, why);
    w->len = 0; /* it was overwritten */
    out->text = (struct str){0};
    if (rc != RC_ABSENT) return rc;
    out->end = 0;
    return RC_OK;
}

/* The line that begins at `at`, below `ready`. */
static RC read_line(struct walk *w, uint64_t at, struct walk_line *out, struct why *why) {
    *out = (struct walk_line){.at = at};
    bool inside = w->len && at >= w->at && at < w->at + w->len;
    for (int again = 0;; again++) {
        if (!inside || again) TRY(refill(w, at, why));
        struct str rest = {w->bytes + (at - w->at), (size_t)(w->at + w->len - at)};
        const char *hit = memchr(rest.at, '\n', rest.len);
        out->text = hit ? str_sub(rest, 0, (size_t)(hit - rest.at)) : rest;
        if (hit) out->end = at + out->text.len + 1;
        if (hit && str_ends(out->text, STR("\r"))) out->text.len--;
        out->too_long = out->text.len > w->line_bytes_max + (hit ? 0 : 1);
        if (hit || w->at + w->len == w->ask->ready) return RC_OK;
        if (w->at == at) return far_end(w, out, why); /* the room is more than a line */
    }
}

/* Where the lines begin that have to be looked at. RC_ABSENT: no line begins before `ready`. */
static RC first_line(struct walk *w, uint64_t from, uint64_t *out, struct why *why) {
    *out = 0;
    if (!from) return RC_OK;
    struct reader_lines search = {.from = from - 1, .below = w->ask->ready, .work = w->bytes, .work_bytes = w->room};
    return reader_line_end(w->reader, &search, out, why);
}

static enum rc none(bool sure, bool *out_none) {
    *out_none = sure;
    return RC_ABSENT;
}

/* Where no more lines begin that are known: a closed end is left. */
static enum rc at_closed_end(const struct records_ask *ask, uint64_t end, const struct segments_state *state,
                             struct records_start *out, bool *out_none) {
    if (end >= MIN(ask->stripe_end, ask->ready)) return none(true, out_none);
    *out = (struct records_start){.at = end, .in_line = true, .state = *state};
    return RC_OK;
}

/* One line at or behind `from`: RC_OK: a segment begins there, or RC_STALE: look at the next. */
static enum rc judge(struct segments *segments, const struct records_ask *ask, const struct walk_line *line,
                     struct segments_state *state, struct records_start *out, bool *out_none) {
    uint64_t end = ask->follows ? ask->from : cut_next_end(ask->ends, ask->ends_len, ask->from);
    if (end < line->at) return at_closed_end(ask, end, state, out, out_none);
    if (line->at >= ask->stripe_end) return none(true, out_none);
    *out = (struct records_start){.at = line->at, .state = *state};
    if (end == line->at || segments_start_is_known(segments, state, line->at)) return RC_OK;
    uint64_t next = cut_next_end(ask->ends, ask->ends_len, line->at + 1);
    bool cut = next <= ask->ready && (!line->end || next < line->end);
    if (!cut && !line->end && !line->too_long) return none(false, out_none);
    struct segments_line seen = {line->at, line->text, line->too_long, cut};
    if (cut) seen.too_long = next - line->at > segments_settings(segments)->line_bytes_max + 1; /* what is before it */
    struct segments_state before = *state;
    if (segments_line(segments, &before, &seen)) return RC_OK;
    if (cut) out->cut_end = next;
    return RC_STALE;
}

RC records_start(const struct reader *reader, struct segments *segments, const struct records_ask *ask,
                 struct records_start *out, bool *out_none, struct why *why) {
    *out = (struct records_start){0};
    *out_none = false;
    if (ask->from == 0) return RC_OK;
    size_t most = segments_settings(segments)->line_bytes_max;
    AUTO(own_free) char *bytes = alloc_bytes(PIECE + most);
    struct walk w = {.reader = reader, .ask = ask, .line_bytes_max = most, .bytes = bytes, .room = PIECE + most};
    uint64_t from = segments_from(segments, ask->from), at = 0;
    struct segments_state state = {0};
    enum rc rc = first_line(&w, from, &at, why);
    if (rc == RC_OK) segments_begin(segments, &state, from, at);
    while (rc == RC_OK && at < ask->ready) {
        struct walk_line line;
        TRY(read_line(&w, at, &line, why));
        if (at >= ask->from) {
            enum rc found = judge(segments, ask, &line, &state, out, out_none);
            if (found != RC_STALE) return found;
        }
        if (!line.end) break;
        (void)segments_line(segments, &state, &(struct segments_line){line.at, line.text, line.too_long, false});
        at = line.end;
    }
    if (rc != RC_OK && rc != RC_ABSENT) return rc;
    uint64_t end = ask->follows ? ask->from : cut_next_end(ask->ends, ask->ends_len, ask->from);
    return at_closed_end(ask, end, &state, out, out_none);
}
