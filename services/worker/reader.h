/* SPDX-License-Identifier: Apache-2.0 */
/* reader: one opened file as a lane sees it: is it still the file that the ledger means, where do its lines start, and
 * windows of it. Everything is pread, never a mapping: a truncation must not end us.
 *
 * Memory: the window, given by the lane. Threads: one at a time. Fails: RC_STALE: not the file any more (truncated,
 * rewritten, replaced), RC_ABSENT, RC_DENIED, what the source fails with. */
#ifndef SLUICE_READER_H
#define SLUICE_READER_H

#include "job.h"
#include "ledger.h"
#include "source.h"

struct reader {
    struct source source;
    struct source_file *file;
    struct str uri;      /* for messages; borrowed */
    struct noted *noted; /* NULL: what is read is not noted */
};

RC reader_open(struct reader *reader, struct source source, const struct job *job, struct why *why);
void reader_close(struct reader *reader);
/* Is this the file of the job, with these bytes before `at`? Compares the hash of the prefix with the job's, and of the
 * tail with `tail_hash` unless `has_tail` is false. */
RC reader_check(const struct reader *reader, const struct job *job, uint64_t at, bool has_tail, uint64_t tail_hash,
                struct why *why);
/* The hash of the up to TAIL_MAX bytes before `at`. */
RC reader_tail(const struct reader *reader, uint64_t at, uint64_t *out, struct why *why);
/* Exactly [from, from + len), RC_STALE when the file is shorter by now. */
RC reader_read(const struct reader *reader, uint64_t from, char *out, size_t len, struct why *why);
/* Does the text end at `at` because the file is damaged or cut off? */
RC reader_stop(const struct reader *reader, uint64_t at, struct source_stop *out, struct why *why);
/* The first line start in [from, below): behind a LF, or a closed end. `from` itself counts when the byte before it is
 * a LF or it is a closed end or 0. RC_ABSENT: there is none. Reads up to `below` - 1 in pieces, into `work`. */
struct reader_lines {
    uint64_t from, below;
    const uint64_t *ends;
    size_t ends_len;
    char *work;
    size_t work_bytes;
};
RC reader_line_start(const struct reader *reader, const struct reader_lines *ask, uint64_t *out, struct why *why);
/* The end of the line that contains byte from - 1: behind the first LF at or behind `from`, at most `below`. RC_ABSENT:
 * not before `below`. */
RC reader_line_end(const struct reader *reader, const struct reader_lines *ask, uint64_t *out, struct why *why);

#endif
