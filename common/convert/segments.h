/* SPDX-License-Identifier: Apache-2.0 */
/* segments: which lines go together where a record may be many lines, so that any two workers that begin anywhere in a
 * file agree, having looked back over a bounded number of bytes. services/worker/RECORDS.md has the argument.
 *
 * A segment is a run of whole lines: the unit that belongs to one stripe, and in which slice.c makes records. It begins
 *
 *   - at a closed end, and at the file's first byte
 *   - at a line that is longer than line_bytes_max, and at the line behind it
 *   - START: at a line that matches `start`.  CRI: at a line before which no stream has an open part: the last line of
 *     each stream, in the line's cell or the one before it, was not one that goes on
 *   - at the first line of a cell, where no line of the cell before it is one of the three above
 *
 * and nowhere else. Cells are a fixed grid of segments_cell() bytes over the file, whatever its stripes: never smaller
 * than bytes_max, so that the last rule cuts no record within its bounds. Lines are here from LF to LF, whatever closed
 * ends lie in them: so the starts before a place do not depend on closed ends, which a ledger that was set back may
 * have forgotten. The one line that a closed end cuts before its LF came begins no segment for what it says: it may say
 * more later.
 *
 * Memory: a compiled pattern. Threads: one at a time for each. Fails: segments_new() with RC_BAD for a bad pattern. */
#ifndef SLUICE_SEGMENTS_H
#define SLUICE_SEGMENTS_H

#include "cri_part.h"
#include "rc.h"
#include "str.h"

#include <stdint.h>

enum segments_kind { SEGMENTS_NONE, SEGMENTS_START, SEGMENTS_CRI };

struct segments_settings {
    enum segments_kind kind;
    struct str start;      /* START: a pattern of regex.h, looked for in the first SEGMENTS_TEXT_MAX bytes of a line */
    size_t lines_max;      /* of one record; 0: SEGMENTS_LINES_DEFAULT */
    size_t bytes_max;      /* of one record's text; 0: SEGMENTS_BYTES_DEFAULT. A longer line may still be one */
    size_t line_bytes_max; /* a longer line is a reject of its own */
};

enum {
    SEGMENTS_LINES_DEFAULT = 1000,
    SEGMENTS_BYTES_DEFAULT = 1024 * 1024,
    SEGMENTS_TEXT_MAX = 4096, /* of a line, to look for its start in */
};

struct segments;

RC segments_new(const struct segments_settings *settings, struct segments **out, struct why *why);
void segments_free(struct segments *segments);
const struct segments_settings *segments_settings(const struct segments *segments);
uint64_t segments_cell(const struct segments *segments);
/* The most bytes that tell where a segment ends: of itself and of the line behind it. */
size_t segments_window(const struct segments *segments);
/* Whether a line of the text matches `start`. */
bool segments_matches(struct segments *segments, struct str text);

/* What was seen of the lines before a place. */
struct segments_state {
    uint64_t cell;    /* of the last line */
    bool any;         /* there was one */
    bool head;        /* a line of its cell begins a segment by one of the first three rules */
    bool long_before; /* the last line was too long */
    struct {
        uint64_t cell;
        bool open;
    } streams[CRI_STREAMS];
};

/* From where lines have to be looked at so that all starts at or behind `at` come out right. */
uint64_t segments_from(const struct segments *segments, uint64_t at);
/* The state in front of the first line that starts at or behind `from`, which is at `first`. */
void segments_begin(const struct segments *segments, struct segments_state *out, uint64_t from, uint64_t first);

struct segments_line {
    uint64_t at;     /* 0, or behind a LF */
    struct str text; /* without its end; its first bytes will do where too_long */
    bool too_long;   /* over line_bytes_max */
    bool cut;        /* a closed end lies in it, and its LF is not there, or behind that */
};

/* Goes over one line; the next call has the line behind it. True: a segment begins with it. */
bool segments_line(struct segments *segments, struct segments_state *state, const struct segments_line *line);
/* True: a segment begins with the line at `at`, whatever it says. */
bool segments_start_is_known(const struct segments *segments, const struct segments_state *state, uint64_t at);

struct segments_ask {
    struct str window; /* begins where a segment does */
    uint64_t at;       /* the file offset of that */
    bool in_line;      /* that is a closed end in the middle of a line, which the state has seen */
    uint64_t end;      /* the first closed end behind `at`, UINT64_MAX: none */
    uint64_t ready;    /* nothing behind it is known; the window does not reach behind it */
};

enum segments_found {
    SEGMENTS_WHOLE,
    SEGMENTS_WAIT,     /* its end is not known yet */
    SEGMENTS_LONGER,   /* what is behind the window tells */
    SEGMENTS_LONG_LINE /* it is one line that is too long, whose end is not in the window */
};

/* Where the segment at the window's start ends. The state is in front of its first line (or behind it, see in_line) and
 * is moved only with SEGMENTS_WHOLE, to the front of the next one. *out_closed: it ends at the closed end; the state is
 * then of no further use. */
enum segments_found segments_next(struct segments *segments, struct segments_state *state,
                                  const struct segments_ask *ask, size_t *out_bytes, bool *out_closed);

#endif
