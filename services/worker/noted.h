/* SPDX-License-Identifier: Apache-2.0 */
/* noted: did a file stay as it was while something was made of its bytes? A program that cuts it and writes on, between
 * two of our reads, leaves us bytes of two contents that never were in a file together, and nothing in the bytes tells
 * so. What tells is the file's time of change, and, where it changed (as a file does that is only appended to), reading
 * the same places once more: DESIGN.md, "A file that changes while it is read".
 *
 *   noted_begin(n, reader, keeps)      before the first read
 *     reader_read(reader, ...)         any number
 *   noted_ask(n, reader, work, &is)    SAME: all that was read was there together
 *
 * Keeping what was read (a hash, and where) costs CPU, so files that do not change go without.
 *
 * Memory: 16 bytes for each read that does not go on where the one before ended. Threads: one at a time. */
#ifndef SLUICE_NOTED_H
#define SLUICE_NOTED_H

#include "source.h"

struct reader;
struct hash_stream;

struct noted_range {
    uint64_t from, to;
};

struct noted {
    bool keeps;
    struct source_stat stat; /* before the first read */
    struct noted_range *ranges;
    size_t len, room;
    struct hash_stream *hash; /* of the ranges, in their order */
};

enum noted_answer {
    NOTED_SAME,
    NOTED_UNKNOWN, /* the file changed, and nothing was kept to compare: do it again, with `keeps` */
    NOTED_OTHER    /* other bytes are there now */
};

void noted_done(struct noted *noted);
/* From now on the reader's reads are noted. Keeps where `keeps`, or the file was changed a moment ago. */
RC noted_begin(struct noted *noted, struct reader *reader, bool keeps, struct why *why);
/* For reader_read(). */
void noted_read(struct noted *noted, uint64_t from, struct str bytes);
/* Ends it. */
RC noted_ask(struct noted *noted, struct reader *reader, struct str work, enum noted_answer *out, struct why *why);

#endif
