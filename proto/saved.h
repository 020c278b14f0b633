/* SPDX-License-Identifier: Apache-2.0 */
/* saved: a ledger's snapshot in the store: pages of files, and an index that is written last and says that all pages
 * are there. Each is one zstd frame with a checksum around varints; INTERFACES.md has the bytes. Threads: pure. Memory:
 * decoding takes a few times the page's bytes. Fails: RC_BAD for bytes that no writer made. */
#ifndef SLUICE_SAVED_H
#define SLUICE_SAVED_H

#include "arena.h"
#include "attempt.h"
#include "buf.h"
#include "counts.h"

enum { SAVED_BYTES_MAX = 64 * 1024 * 1024 };

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

/* A file in one generation, as it was at one moment. */
struct saved_file {
    struct id id;
    struct facts facts;
    uint64_t *ends; /* closed ends, ascending */
    size_t ends_len;
    bool gone;
    uint64_t receipted; /* the end of the newest receipt + 1; 0: none */
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

RC saved_page_encode(const struct saved_page *page, struct buf *out);
RC saved_page_decode(struct str bytes, struct arena *arena, struct saved_page *out, struct why *why);
RC saved_index_encode(const struct saved_index *index, struct buf *out);
RC saved_index_decode(struct str bytes, struct arena *arena, struct saved_index *out, struct why *why);

#endif
