/* SPDX-License-Identifier: Apache-2.0 */
/* tryout: what a configuration makes of some lines, without a pipeline around it: for `try`, which shows it, and
 * `test`, which compares it.
 *
 * Memory: the lines, one slice. Threads: one at a time. */
#ifndef SLUICE_TRYOUT_H
#define SLUICE_TRYOUT_H

#include "config.h"
#include "slice.h"

enum { TRYOUT_BYTES_MAX = 8 * 1024 * 1024 }; /* of the lines */

struct tryout_line {
    uint64_t number; /* from 1 */
    struct str text;
    const struct slice_result *result; /* of this line alone */
};

struct tryout {
    const struct config *config;
    const struct config_source *source;
    struct str uri;
    struct str bytes; /* from the start of a file, JSON_PADDING readable bytes behind them */
    bool closed;      /* the file ends behind them */
    uint64_t lines_max;
    enum rc (*visit)(void *context, const struct tryout_line *line, struct why *why);
    void *context;
};

RC tryout_lines(const struct tryout *t, struct why *why);
/* Calls `visit` for each record of the outputs, or of the rejects: without its LF, with the output's path. */
enum rc tryout_records(const struct slice_result *result, bool rejects,
                       enum rc (*visit)(void *context, struct str path, struct str record), void *context);
/* The source of this name; of no name the only one, or the first whose globs match `path` (absolute; "": none). */
RC tryout_source(const struct config *config, struct str name, struct str path, const struct config_source **out,
                 struct why *why);

#endif
