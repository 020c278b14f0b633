/* SPDX-License-Identifier: Apache-2.0 */
/* counts: what came of the lines of a range. The law that every audit checks: lines = converted + rejects + filtered +
 * blank. `records` stands apart: a converter may make several of one line; a reject's record is not counted in it.
 * Threads: pure. */
#ifndef SLUICE_COUNTS_H
#define SLUICE_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

struct counts {
    uint64_t lines, converted, rejects, filtered, blank, records;
};

static inline void counts_add(struct counts *to, const struct counts *more) {
    to->lines += more->lines;
    to->converted += more->converted;
    to->rejects += more->rejects;
    to->filtered += more->filtered;
    to->blank += more->blank;
    to->records += more->records;
}

static inline bool counts_hold(const struct counts *c) {
    return c->lines == c->converted + c->rejects + c->filtered + c->blank;
}

#endif
