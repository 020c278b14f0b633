/* SPDX-License-Identifier: Apache-2.0 */
/* slice: converts a run of lines of one stripe and sorts the records by output; what a lane does with each piece of
 * work between reading and compressing.
 *
 *   struct slice *s = slice_new(limits);
 *   slice_begin(s, converter, &place);            forgets the last slice
 *   slice_add(s, bytes, offset, &taken);          whole lines; again from `taken` on, or stop and compress when full
 *   slice_add_too_long(s, offset, length, head);  a line that the reader did not keep
 *   const struct slice_result *r = slice_result(s);
 *
 * Records stay in the order of the input within an output. They are handed over as pieces: runs of bytes that hold
 * whole records, each with its LF. A piece points into the caller's bytes where the records lie there one after another
 * (ndjson, raw), else into the slice's memory. A piece of several records has at most SLICE_PIECE_MAX bytes, so that a
 * block can be filled piece by piece without looking into them.
 *
 * A reject is a record of its own output (.is_reject, path `source=<name>`): a JSON object with the keys source, uri,
 * file, generation, stripe, line_in_stripe, offset, length, reason, detail (where there are more words), then raw, or
 * raw_base64 when the line is not UTF-8, and "truncated":true when only the first SLICE_RAW_MAX bytes of the line are
 * in it. Where a record is several lines each is a reject of its own, with record_offset: the offset of the record's
 * first line, behind length. offset and length are of the line in the file, without its LF or CRLF; line_in_stripe
 * counts from 0. A BOM is part of the file's first line.
 *
 * Where the source is added up (aggregate.h) its records are not written: their sums are, a record for each group and
 * output, when the result is asked for, in the order of the groups' first records. Before a group over SLICE_GROUPS_MAX
 * all are written and forgotten, so that one group may have several records; adding those up gives the same.
 * counts.converted counts the lines, counts.records the records that were written.
 *
 * Lines of a file of rejects (place.uri is one of reject_uri.h) are rejects themselves, and what slice_add() converts
 * is the lines that these hold (slice_again.c).
 *
 * Beyond `outputs_max` outputs records go to the output of partition_overflow_path(), counted in counts.overflow.
 *
 * Memory: 16 bytes a piece, what has to be copied, and about 300 bytes an output; kept for the next slice. When it
 * passes `bytes_max` slice_add() stops at the end of a line; one line more (and its reject) can go over. Threads: one
 * at a time. Fails: never; lines do. */
#ifndef SLUICE_SLICE_H
#define SLUICE_SLICE_H

#include "converter.h"
#include "id.h"
#include "str.h"

#include <stdint.h>

enum {
    SLICE_OUTPUTS_DEFAULT = 4096,
    SLICE_PIECE_MAX = 64 * 1024,
    SLICE_RAW_MAX = 64 * 1024,
    SLICE_DETAIL_MAX = 1024,
    /* A reject: 64 KiB of raw and an uri of 4 KiB, each byte at most 6 as \u001f, and the other members. */
    SLICE_REJECT_BYTES_MAX = 6 * (SLICE_RAW_MAX + SLICE_DETAIL_MAX + 64 * 1024) + 4096,
    SLICE_BYTES_DEFAULT = 32 * 1024 * 1024,
    SLICE_GROUPS_MAX = 16 * 1024, /* 200 bytes each */
};

struct slice_limits {
    size_t outputs_max; /* 0: SLICE_OUTPUTS_DEFAULT. The overflow and the rejects come on top */
    size_t bytes_max;   /* of the slice's own memory; 0: SLICE_BYTES_DEFAULT */
};

struct kept;

/* Where the lines are from, for rejects. The texts must live until slice_result() was used. */
struct slice_place {
    struct str uri; /* "/var/log/nginx/access.ndjson" */
    struct id file;
    uint64_t generation, stripe;
    uint64_t line_in_stripe; /* of the first line to come, from 0 */
    struct kept *kept;       /* of records that are kept once; NULL: each is kept */
};

struct slice_piece {
    const char *at;
    uint32_t bytes;
    uint32_t records;
};

struct slice_pieces {
    struct slice_pieces *next; /* NULL in the last */
    uint32_t count, room;
    struct slice_piece at[];
};

struct slice_output {
    struct str path; /* of the partition, NUL behind it */
    bool is_reject;
    bool has_time; /* at least one record has a time; time_min and time_max are theirs */
    int64_t time_min, time_max;
    uint64_t records, bytes; /* bytes with the newlines */
    struct slice_pieces *pieces;
    struct slice_pieces *last; /* for slice.c */
};

struct slice_counts {
    uint64_t lines; /* = converted + rejects + filtered + blank */
    uint64_t converted, rejects, filtered, blank;
    uint64_t records;    /* without the rejects' */
    uint64_t duplicates; /* records that were dropped, for another one of their key is kept; a line of which nothing is
                          * left is filtered */
    uint64_t dropped;    /* histograms without a definition (telemetry) */
    uint64_t overflow;   /* of the records: in the overflow's output */
    uint64_t reasons[REASON_COUNT];
};

struct slice_result {
    const struct slice_output *outputs; /* in the order of their first records; none is empty */
    size_t output_count;
    struct slice_counts counts;
};

struct slice;

struct slice *slice_new(struct slice_limits limits);
void slice_free(struct slice *slice);
static inline void slice_done(struct slice **slice) { slice_free(*slice); }

/* Empties the slice. The converter is the lane's own, of the file's source. */
void slice_begin(struct slice *slice, struct converter *converter, const struct slice_place *place);
/* Converts lines. `bytes` begin at the start of a line (`offset` in the file) and end behind a LF, or at the closed end
 * of the file; JSON_PADDING readable bytes behind them. They must stay as they are until the result was used.
 * *out_taken <= bytes.len: less when the slice is full; it is the end of a line, and at least one line was taken. */
void slice_add(struct slice *slice, struct str bytes, uint64_t offset, size_t *out_taken);
/* Where lines go together (converter_segments()): the bytes are one segment of segments.h, whole, with JSON_PADDING
 * behind them; to be used instead of slice_add(). A segment goes over .bytes_max where it has to. The records of a
 * segment:
 *   START  all of it, or as many lines as keep lines_max and bytes_max, from its beginning on
 *   cri    each line; parts of a stream's line are one record, made when its last part comes (or as many as keep the
 *          bounds, or what there is at the segment's end: then "partial":true), with the first part's time
 * Their text has the lines as they are, each line's end between them. A line over line_bytes_max is a reject alone. */
void slice_add_segment(struct slice *slice, struct str bytes, uint64_t offset);
/* Adds the reject of a line over max_line_bytes: `length` bytes at `offset`, of which `head` are the first (at most
 * SLICE_RAW_MAX of them are used). */
void slice_add_too_long(struct slice *slice, uint64_t offset, uint64_t length, struct str head);
/* Adds the reject that says that the text stops here: `rest` is the line that it stops in, from `offset` on, or
 * nothing; `detail` says why. */
void slice_add_stop(struct slice *slice, uint64_t offset, struct str rest, struct str detail);
/* How long a line of the file can be, where lines of its source have at most max_line_bytes. */
size_t slice_line_bytes_max(struct str uri, size_t max_line_bytes);
/* True when slice_add() would stop at once. */
bool slice_full(const struct slice *slice);
/* Good until the next slice_begin(). */
const struct slice_result *slice_result(struct slice *slice);

#endif
