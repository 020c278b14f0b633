/* SPDX-License-Identifier: Apache-2.0 */
/* progress_frame: how rows of progress look on a screen of a given width. Pure, so that it can be tested to the column.
 * Inside of progress. */
#ifndef SLUICE_PROGRESS_FRAME_H
#define SLUICE_PROGRESS_FRAME_H

#include "progress.h"
#include "term.h"

struct progress_line {
    struct progress_row row;
    uint64_t per_s; /* 0: not known yet */
};

/* Adds one line a row, each with its newline, all of the same width, which is returned: at most columns - 1 (a full
 * last column would wrap on some terminals). Nothing at all, and 0, on a screen of less than two columns. What does not
 * fit goes in this order: sizes, rate, time left, bar, percentage. */
unsigned progress_frame(const struct term *term, const struct progress_line *lines, size_t count, struct buf *out);
/* "12:34" or "1:02:03" of seconds; from 100 hours on, and for a rate of 0, "--:--". */
struct str progress_time_left(uint64_t left, uint64_t per_s, char out[16]);
/* 0 to 100, rounded down: 100 only when all is done. 0 when the total is not known. */
unsigned progress_percent(const struct progress_row *row);

#endif
