/* SPDX-License-Identifier: Apache-2.0 */
/* cut: where a run of whole lines ends in a window of a file. Pure: the rule that makes every line belong to one
 * stripe.
 *
 * The window begins at a line start inside the stripe. The run may hold lines that start before the stripe's end (the
 * last one may reach over it), that are complete (behind a LF, or at a closed end), and it never goes over a closed
 * end. Threads: pure. Fails: never. */
#ifndef SLUICE_CUT_H
#define SLUICE_CUT_H

#include "str.h"

#include <stdint.h>

struct cut_ask {
    struct str window;
    uint64_t at; /* file offset of the window's first byte: a line start, below stripe_end */
    uint64_t stripe_end;
    uint64_t ready;       /* the job's: nothing behind it is looked at, and the window does not reach behind it */
    const uint64_t *ends; /* closed ends of the file, ascending */
    size_t ends_len;
};

enum cut_kind {
    CUT_LINES,  /* .bytes of the window are whole lines */
    CUT_WAIT,   /* the first line is not complete in the file yet */
    CUT_LONGER, /* the first line goes on behind the window: see reader_skip_line() */
};

struct cut {
    enum cut_kind kind;
    size_t bytes;
    bool closed; /* the run ends at a closed end */
};

struct cut cut_lines(const struct cut_ask *ask);
/* The same for lines that do not end in a LF (converter_framed()): all up to a closed end or the window's; which of
 * these bytes are whole lines the converter says. */
struct cut cut_framed(const struct cut_ask *ask);
/* The first closed end at or behind `from`, or UINT64_MAX. */
uint64_t cut_next_end(const uint64_t *ends, size_t ends_len, uint64_t from);

#endif
