/* SPDX-License-Identifier: Apache-2.0 */
/* progress: how far the work is, for the person who watches.
 *
 *   struct progress *p = progress_open(&(struct progress_options){.fd = STDERR_FILENO});
 *   … now and then:  progress_update(p, rows, count);
 *   progress_close(p, rows, count);
 *
 *   access  45% ████████▍░░░░░░░░░░    1.2 GiB/2.6 GiB    310.4 MiB/s ETA 0:04
 *
 * On a terminal: one bar a row and one for their sum, redrawn in place. Log lines go above the bars and never tear them
 * (while it is open, the log writes through it). The cursor stays visible and on a line of its own between two
 * redraws, so that there is nothing to put right if the process is killed; the width is asked anew at each redraw.
 * UTF-8 or ASCII by the locale; colours unless NO_COLOR is set; TERM unset or dumb is no terminal.
 * No terminal: a log line "progress" with the sums, every PROGRESS_PLAIN_MS and at the end.
 *
 * Memory: about 50 KiB. Threads: any; calls may come as often as they like, what comes too early to be seen costs
 * nothing. Limits: PROGRESS_ROWS_MAX rows and what the screen has lines for are shown, the sum counts all. Fails:
 * never; a terminal that takes no output (stopped by ^S) is not waited for. */
#ifndef SLUICE_PROGRESS_H
#define SLUICE_PROGRESS_H

#include "str.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PROGRESS_ROWS_MAX = 64,
    PROGRESS_REDRAW_MS = 100,  /* what an eye takes as smooth */
    PROGRESS_PLAIN_MS = 10000, /* few enough for a log that is kept */
    PROGRESS_BYTES_TEXT = 16
};
#define PROGRESS_UNKNOWN UINT64_MAX /* as a total */

/* The label is borrowed during the call; the rate of a row is kept by its label. */
struct progress_row {
    struct str label;
    uint64_t done, total; /* bytes */
};

struct progress_options {
    int fd;
    bool never_live;            /* log lines even on a terminal */
    uint64_t (*clock_ms)(void); /* for tests: a clock that never goes back; NULL: the real one */
};

struct progress;
/* At most one is open at a time. */
struct progress *progress_open(const struct progress_options *options);
void progress_update(struct progress *progress, const struct progress_row *rows, size_t count);
/* Shows the last state, which stays on the screen (with count = 0 the bars go away), and gives the terminal and the log
 * back. NULL is fine. */
void progress_close(struct progress *progress, const struct progress_row *rows, size_t count);
/* Is it drawing bars? */
bool progress_is_live(const struct progress *progress);

/* "1.5 GiB"; gives `out` back. */
const char *progress_bytes(uint64_t bytes, char out[PROGRESS_BYTES_TEXT]);

#endif
