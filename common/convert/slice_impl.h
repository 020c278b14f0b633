/* SPDX-License-Identifier: Apache-2.0 */
/* slice_impl: the slice's inside, shared by slice.c (lines in), slice_output.c (records to outputs), slice_text.c (its
 * own text memory), slice_sums.c (records that are added up) and slice_reject.c (what a reject looks like). */
#ifndef SLUICE_SLICE_IMPL_H
#define SLUICE_SLICE_IMPL_H

#include "arena.h"
#include "buf.h"
#include "route.h"
#include "slice.h"

/* Text that was made or copied: chunks that are kept from slice to slice. */
struct slice_chunk {
    struct slice_chunk *next;
    size_t room, len;
    char at[];
};

struct slice_text {
    struct slice_chunk *first, *now;
    size_t used; /* bytes of all chunks that hold something */
};

/* One of several lines of the file that one record is made of. */
struct slice_span {
    struct str text; /* without its end */
    uint64_t offset;
    uint64_t line; /* in the stripe */
};

struct slice_spans {
    struct slice_span *at;
    size_t len, room;
};

/* What goes to the converter at once. */
struct slice_line {
    struct str text;
    uint64_t offset;
    bool lf_behind;                  /* LF stands directly behind the text */
    const struct slice_spans *spans; /* NULL: it is one line of the file */
};

/* The parts of a stream's line that have come (slice_join.c). */
struct slice_join {
    struct slice_spans spans;
    struct buf text; /* as one line, but for what is behind the message */
    bool docker;
    size_t tag;        /* CRI: where in the text the F or P stands */
    struct str behind; /* Docker: of the first part */
};

struct slice {
    struct slice_limits limits;
    struct converter *converter;
    struct slice_place place;
    struct arena arena; /* pieces, paths, keys */
    struct slice_text text;
    struct route keys;  /* raw values to outputs: spares writing the path for each record */
    struct route paths; /* paths to outputs */
    struct slice_output *outputs;
    size_t output_room;
    int64_t reject_output, overflow_output; /* ROUTE_NONE until there is one */
    bool has_last;                          /* templates without fields: the last record's output */
    bool last_has_time;
    int64_t last_bucket;
    uint32_t last_output;
    struct buf reject;         /* one reject being written */
    struct slice_spans spans;  /* of the record that is put together */
    struct slice_join *joins;  /* one a stream; NULL until a part came */
    uint32_t *ends;            /* of the lines of a batch */
    struct slice_again *again; /* of files of rejects; NULL until there was one */
    bool is_again;             /* the file is one */
    uint64_t again_offset;     /* of the reject whose line is converted */
    struct slice_sums *sums;   /* of a source that is added up; NULL until there was one */
    struct slice_result result;
};

/* `bytes` contiguous bytes at the end of the text; slice_text_take() then keeps the first of them. */
char *slice_text_room(struct slice_text *text, size_t bytes);
void slice_text_take(struct slice_text *text, size_t bytes);
void slice_text_reset(struct slice_text *text);
void slice_text_done(struct slice_text *text);

/* The output of a record with these values. */
uint32_t slice_route(struct slice *slice, const struct partition_values *values);
uint32_t slice_reject_route(struct slice *slice);
/* slice_sums.c: adds a record to its group; writes what was added up; forgets it; at most so many bytes to write. */
void slice_sum(struct slice *slice, uint32_t output, const struct converted *made);
void slice_sums_flush(struct slice *slice);
void slice_sums_reset(struct slice *slice);
size_t slice_sums_pending(const struct slice *slice);
void slice_sums_free(struct slice *slice);
/* slice_again.c: is the slice of a file of rejects? slice_add() of one. */
void slice_again_begin(struct slice *slice);
void slice_add_again(struct slice *slice, struct str bytes, uint64_t offset, size_t *out_taken);
void slice_again_free(struct slice *slice);
/* Adds whole records with their LFs. */
void slice_put(struct slice *slice, uint32_t number, const char *at, size_t bytes);

struct slice_reject {
    uint64_t offset, length;
    struct str head; /* the line, or its first bytes */
    enum converter_reason reason;
    struct str detail; /* .len 0: none */
    bool in_record;    /* it is one of several lines of a record, which begins at record_offset */
    uint64_t record_offset;
};

/* Converts a line, or lines that were put together, and counts them. */
void slice_put_line(struct slice *slice, const struct slice_line *line);
/* slice_join.c: a segment of lines of containers; and the memory for it. */
void slice_add_parts(struct slice *slice, struct str bytes, uint64_t offset);
void slice_joins_free(struct slice *slice);
/* slice_record.c: one more span; the line at `at` of a segment's bytes, with its end; a line on its own. */
void slice_spans_add(struct slice_spans *spans, const struct slice_span *span);
struct str slice_line_at(struct str bytes, size_t at);
struct slice_span slice_span_of(const struct slice *slice, struct str line, uint64_t offset, uint64_t number);
void slice_put_single(struct slice *slice, const struct slice_span *span, bool lf_behind);
/* Makes the reject's record of the present line. */
void slice_reject(struct slice *slice, const struct slice_reject *reject);

#endif
