/* SPDX-License-Identifier: Apache-2.0 */
/* term: text for a terminal: how wide it is there, and made harmless. File names come from outside; one must neither
 * drive the terminal nor make a line longer than it was counted. Inside of progress.
 *
 * Widths are the C library's (wcwidth) in the locale C.UTF-8, whatever the program's locale is. Characters without
 * width (combining ones) are left out, so that a count is always right. Threads: any. Fails: never. */
#ifndef SLUICE_TERM_H
#define SLUICE_TERM_H

#include "buf.h"

struct term {
    unsigned columns, lines;
    bool utf8, color;
};

/* Does `fd` lead to a terminal that can move its cursor? Then *out tells what it is like now (80 by 24 where it does
 * not say): UTF-8 by LC_ALL, LC_CTYPE or LANG, colour unless NO_COLOR is set and not empty. */
bool term_detect(int fd, struct term *out);
/* The columns that term_add() takes for all of `text`. */
unsigned term_width(const struct term *term, struct str text);
/* Adds `text` in at most `max` columns, the front cut off and marked where it is longer (the end of a path tells more);
 * gives the columns that it took. What is no printable character, or not ASCII where the terminal is not UTF-8, is
 * shown as '?'. */
unsigned term_add(const struct term *term, struct buf *to, struct str text, unsigned max);

#endif
