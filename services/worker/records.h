/* SPDX-License-Identifier: Apache-2.0 */
/* records: where in a file a worker begins, where lines go together (segments.h). RECORDS.md has the argument why any
 * two agree.
 *
 * Memory: one piece of the file and a line, for the time of the call. Threads: one at a time. Fails: as reader_read();
 * RC_ABSENT as told. */
#ifndef SLUICE_RECORDS_H
#define SLUICE_RECORDS_H

#include "reader.h"
#include "segments.h"

struct records_ask {
    uint64_t from;        /* where the range begins */
    bool follows;         /* a range before it ends there: so a segment begins there */
    uint64_t stripe_end;  /* a segment that begins there or behind is another stripe's */
    uint64_t ready;       /* nothing behind it is known */
    const uint64_t *ends; /* closed ends at or behind `from`, ascending */
    size_t ends_len;
};

struct records_start {
    uint64_t at;                 /* where the first segment begins */
    bool in_line;                /* a closed end in the middle of a line */
    struct segments_state state; /* in front of its line; behind it where in_line */
    uint64_t cut_end; /* RC_ABSENT: the closed end that it rests on, 0: none. A recovered ledger must know it */
};

/* The first segment of the range. RC_ABSENT: none begins before stripe_end and `ready`; *out_none is then whether that
 * is sure up to the smaller of the two, whatever the file becomes (for `ready`: if it is a closed end). */
RC records_start(const struct reader *reader, struct segments *segments, const struct records_ask *ask,
                 struct records_start *out, bool *out_none, struct why *why);

#endif
