/* SPDX-License-Identifier: Apache-2.0 */
/* rejects: the lines that did not become records, with their true line numbers.
 *
 * A reject knows its line within its stripe; the number that an editor shows is that and the lines of the stripes
 * before, by the ledger's counts. While a stripe before is not converted to its end the number is not known yet.
 *
 * What was converted again is no reject any more, and is left out (redriven.h).
 *
 * Memory: one manifest decoded, one frame (stored.h), what redriven.h holds, and line counts (lines_before.h). Threads:
 * one at a time. Fails: with what the ports or the visitor fail with; RC_BROKEN for objects that are not what the
 * manifest says. */
#ifndef SLUICE_REJECTS_H
#define SLUICE_REJECTS_H

#include "reject_uri.h"
#include "report.h"

/* One reject; texts are good during the call. */
struct rejects_line {
    struct str source, uri, reason, detail; /* .detail: more words, or "" */
    struct id file;
    uint64_t stripe, line_in_stripe, offset, length;
    bool line_known;
    uint64_t line;            /* from 1 */
    struct str raw;           /* the bytes of the line, or its first; may hold anything */
    bool is_utf8;             /* so that it is written as `raw`, else as `raw_base64` */
    bool truncated;           /* .raw is less than the line */
    struct str record;        /* the stored JSON object */
    struct reject_uri object; /* where it is stored; without .reason and .file */
};

struct rejects_ask {
    struct str source, reason, file; /* "": any; .file as report_names() takes it */
};

typedef enum rc (*rejects_visit)(void *context, const struct rejects_line *line);
RC rejects_each(const struct report *report, const struct rejects_ask *ask, rejects_visit visit, void *context,
                struct why *why);
/* The stored object with "line" (null while it is not known) behind it, and a newline. Appends. */
void rejects_json(const struct rejects_line *line, struct buf *out);

#endif
