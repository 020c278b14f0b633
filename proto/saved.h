/* SPDX-License-Identifier: Apache-2.0 */
/* saved: a ledger's snapshot in the store: pages of files, and an index that is written last and says that all pages
 * are there. Each is one zstd frame with a checksum around varints; INTERFACES.md has the bytes. A page is cut by its
 * bytes: a file whose stripes do not fit goes on in the next one. Threads: pure. Memory: decoding takes at most six
 * times the page's bytes. Limits: SAVED_BYTES_MAX before compression. Fails: RC_BAD for bytes that no writer made. */
#ifndef SLUICE_SAVED_H
#define SLUICE_SAVED_H

#include "arena.h"
#include "attempt.h"
#include "buf.h"
#include "counts.h"

/* A page ends behind the stripe that takes it past SAVED_PAGE_BYTES: some 80,000 stripes at rest. What comes on top is
 * the ends and batches of one file and the winners of one stripe, which no ledger holds SAVED_BYTES_MAX of. */
enum { SAVED_BYTES_MAX = 64 * 1024 * 1024, SAVED_PAGE_BYTES = 4 * 1024 * 1024 };

struct saved_winner {
    uint64_t from, to;
    struct id attempt;
    struct counts counts;
    uint64_t tail_hash;
    uint32_t messages, durable;
};

struct saved_stripe {
    uint64_t stripe;
    bool pruned;          /* winners before the first of these were durable and are forgotten */
    struct counts counts; /* of all winners, forgotten ones too */
    struct saved_winner *winners;
    size_t winners_len; /* at least 1 */
};

struct saved_batch {
    uint32_t partition;
    uint64_t index;
};

/* What all stripes of a file come to, for whoever takes in a part of them. */
struct saved_whole {
    uint64_t outstanding; /* messages that are not durable */
    uint64_t reach, tail; /* the farthest checkpoint, and the tail hash of the winner that ends there */
};

/* A file in one generation, as it was at one moment. */
struct saved_file {
    struct id id;
    struct facts facts;
    uint64_t *ends; /* closed ends, ascending */
    size_t ends_len;
    bool gone;
    uint64_t receipted; /* the end of the newest receipt + 1; 0: none */
    bool continued;     /* an earlier part has its first stripes, and all its batches */
    struct saved_whole whole;
    struct saved_stripe *stripes;
    size_t stripes_len;
    struct saved_batch *batches; /* that made something of it durable */
    size_t batches_len;
};

struct saved_page {
    struct id queue;
    uint64_t generation;
    struct saved_file *files;
    size_t files_len;
};

/* How far a chain was told durable: `next` before the first page was read, `until` behind the last. */
struct saved_counter {
    uint64_t generation;
    uint32_t partition;
    uint64_t next, until;
};

struct saved_index {
    struct id queue;
    uint64_t pages, files;
    struct saved_counter *counters;
    size_t counters_len;
};

/* Adds up the stripes of a file that is here whole. */
struct saved_whole saved_whole_of(const struct saved_file *file);

/* Where in a list of files the next page begins; {0} at first, file == files_len: all is written. */
struct saved_place {
    size_t file, stripe;
};
/* Writes from `place` on until there are `most` bytes, at least a file or a stripe, and moves `place` behind. */
RC saved_page_encode(const struct saved_page *page, size_t most, struct saved_place *place, struct buf *out);
RC saved_page_decode(struct str bytes, struct arena *arena, struct saved_page *out, struct why *why);
RC saved_index_encode(const struct saved_index *index, struct buf *out);
RC saved_index_decode(struct str bytes, struct arena *arena, struct saved_index *out, struct why *why);

#endif
