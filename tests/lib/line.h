/* SPDX-License-Identifier: Apache-2.0 */
/* line: one made request, written as a line of an access log.
 *
 * Memory: none of its own. Threads: one struct line each. Limits: a line has at most LINE_BYTES_MAX bytes. */
#ifndef SLUICE_TEST_LINE_H
#define SLUICE_TEST_LINE_H

#include "rng.h"
#include "world.h"

#include <stddef.h>
#include <stdint.h>

enum { LINE_BYTES_MAX = 1024 };

enum line_format { LINE_NDJSON, LINE_COMBINED };

/* line: the state of one log being written. Start with {.world, .rng, .format}. */
struct line {
    const struct world *world;
    struct rng rng;
    enum line_format format;
    int64_t second; /* the one whose texts are below; 0 = none yet */
    char clock[40]; /* that second as the format writes it */
};

/* Writes the next line, its newline included, for a request at `ms` since 1970, to `to`, which has room for
 * LINE_BYTES_MAX; gives its length. */
size_t line_write(struct line *line, int64_t ms, char *to);
/* The same for a line that no converter can take: cut off, no object, a time that is none, bytes that are no UTF-8. */
size_t line_write_bad(struct line *line, int64_t ms, char *to);

#endif
