/* SPDX-License-Identifier: Apache-2.0 */
/* slice_impl: the slice's inside, shared by slice.c (lines in), slice_output.c (records to outputs), slice_text.c (its
 * own text memory) and slice_reject.c (what a reject looks like). */
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
    struct buf reject; /* one reject being written */
    uint32_t *ends;    /* of the lines of a batch */
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
/* Adds whole records with their LFs. */
void slice_put(struct slice *slice, uint32_t number, const char *at, size_t bytes);

struct slice_reject {
    uint64_t offset, length;
    struct str head; /* the line, or its first bytes */
    enum converter_reason reason;
    struct str detail; /* .len 0: none */
};

/* Makes the reject's record of the present line. */
void slice_reject(struct slice *slice, const struct slice_reject *reject);

#endif
