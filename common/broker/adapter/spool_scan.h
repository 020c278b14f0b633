/* SPDX-License-Identifier: Apache-2.0 */
/* spool_scan: walks the records of a segment file and tells where each message lies and which are damaged.
 *
 * A record whose header is bad hides where the next one begins; the scan then looks for the next valid header behind
 * it. The header's checksum is seeded with the segment's random salt, so bytes inside a message cannot pass for one.
 *
 * Memory: 8 bytes a message, 128 KiB while it runs. Threads: pure. Limits: SPOOL_SCAN_MESSAGES_MAX messages; a header
 * with an offset behind that is bad. Fails: RC_BROKEN when the file cannot be read. */
#ifndef SLUICE_SPOOL_SCAN_H
#define SLUICE_SPOOL_SCAN_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>

/* Bounds the index of a segment to 512 KiB; at 1 KiB a message a segment is full before. */
enum { SPOOL_SCAN_MESSAGES_MAX = 65536 };

/* Where a message's record begins in its file; 0: it is damaged. */
struct spool_place {
    uint32_t at, len; /* len: of the message */
};

struct spool_scan {
    int fd;
    uint64_t salt, base;
    uint64_t limit;    /* offsets are below it; UINT64_MAX when that is not known */
    uint64_t file_end; /* bytes of the file */
    bool messages;     /* check the messages too, not only the headers */
};

struct spool_scanned {
    struct spool_place *places; /* of base, base + 1, ...; the caller frees */
    size_t count;
    uint64_t end_at;       /* the byte behind the last record that has a place */
    uint64_t acknowledged; /* the largest end that a valid header calls acknowledged; 0 when none */
    uint64_t damaged;      /* places that are 0 */
    uint64_t bad_offset;   /* the first damaged offset; behind the last place when only the tail is bad */
    uint64_t bad_at;       /* where it begins; file_end when nothing is bad */
};

RC spool_scan(const struct spool_scan *scan, struct spool_scanned *out, struct why *why);

#endif
