/* SPDX-License-Identifier: Apache-2.0 */
/* lines_before: how many lines of a file are before a stripe, from the ledger's counts: what turns a line of a stripe
 * into the number that an editor shows. Known when all stripes before are converted to their ends.
 *
 * Memory: 16 bytes a stripe, of the LINES_FILES_KEPT files that were asked for last. Threads: one at a time. Fails:
 * with what the ledger fails with. */
#ifndef SLUICE_LINES_BEFORE_H
#define SLUICE_LINES_BEFORE_H

#include "report.h"

enum { LINES_FILES_KEPT = 16 };

struct lines_file {
    struct id file;
    uint64_t used;    /* when */
    uint64_t *before; /* [i]: lines before stripe i; as far as they are known */
    size_t known;
};

struct lines_before {
    const struct report *report;
    uint64_t uses;
    struct lines_file files[LINES_FILES_KEPT];
};

void lines_before_done(struct lines_before *lines);
/* *out_known is false while a stripe before `stripe` is not converted to its end, or for an unknown file. */
RC lines_before_stripe(struct lines_before *lines, struct id file, uint64_t stripe, bool *out_known,
                       uint64_t *out_lines, struct why *why);

#endif
