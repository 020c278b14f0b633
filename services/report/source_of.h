/* SPDX-License-Identifier: Apache-2.0 */
/* source_of: from the file that a part of an object is of to its source, by the ledger; the last answer is kept, as
 * parts of one file stand together.
 *
 * Memory: one name. Threads: one at a time. Fails: with what the ledger fails with. */
#ifndef SLUICE_SOURCE_OF_H
#define SLUICE_SOURCE_OF_H

#include "buf.h"
#include "report.h"

struct source_of {
    const struct report *report;
    struct id file;
    struct buf name;
};

#define SOURCE_OF_INIT(a_report) ((struct source_of){.report = (a_report), .name = BUF_INIT(LEDGER_TEXT_MAX)})

void source_of_done(struct source_of *of);
/* "" where the ledger does not know the file. Good until the next call. */
RC source_of_file(struct source_of *of, struct id file, struct str *out, struct why *why);

#endif
