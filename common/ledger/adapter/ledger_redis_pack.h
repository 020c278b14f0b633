/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_pack: the rows as bytes; REDIS.md has the layout. Numbers are varints (LEB128), differences where they
 * are small, so that a stripe at rest has about 55 bytes and its hash stays a listpack.
 * Every row begins with a stamp that changes with it: comparing the stamp is comparing the row.
 * Threads: pure. Fails: RC_BROKEN for bytes that no writer made. */
#ifndef SLUICE_LEDGER_REDIS_PACK_H
#define SLUICE_LEDGER_REDIS_PACK_H

#include "arena.h"
#include "buf.h"
#include "ledger_rules.h"

enum { REDIS_FILE_STAMP = 4, REDIS_STRIPE_STAMP = 3, REDIS_PROGRESS_BYTES = 36, REDIS_ROW_MAX = 8 * 1024 * 1024 };

struct redis_file {
    bool found;
    struct id id;
    uint32_t stamp;
    uint64_t version;
    struct facts facts; /* strings in the arena */
    uint64_t *ends;     /* closed ends, ascending; in the arena */
    size_t ends_len;
    bool gone, restored;
};

struct redis_stripe {
    bool found;
    uint32_t stamp;
    struct rules_stripe rules; /* arrays in the arena */
    struct counts counts;
    uint32_t failures;
    bool set_aside, had_rest;
    struct str reason;
};

struct redis_progress {
    bool found;
    uint64_t reach, tail;
    uint64_t outstanding, set_aside;
    int64_t receipted; /* -1: none */
};

void redis_pack_file(struct buf *out, const struct redis_file *file);
RC redis_unpack_file(struct str row, struct id id, struct arena *arena, struct redis_file *out, struct why *why);
/* Into the row and the rest; an empty rest is not stored. */
void redis_pack_stripe(struct buf *row, struct buf *rest, const struct redis_stripe *stripe, uint64_t epoch);
/* Voids of an older epoch than `epoch` are forgotten. */
RC redis_unpack_stripe(struct str row, struct str rest, uint64_t start, uint64_t epoch, struct arena *arena,
                       struct redis_stripe *out, struct why *why);
void redis_pack_progress(struct buf *out, const struct redis_progress *progress);
RC redis_unpack_progress(struct str row, struct redis_progress *out, struct why *why);

void redis_pack_place(struct buf *out, const struct claim_place *place);
RC redis_unpack_place(struct str row, struct claim_place *out, struct why *why);

/* Pieces that other rows are made of. */
void redis_pack_varint(struct buf *out, uint64_t n);
void redis_pack_u64(struct buf *out, uint64_t n); /* big endian */
void redis_pack_counts(struct buf *out, const struct counts *counts);
void redis_pack_text(struct buf *out, struct str text);
struct redis_reader {
    struct str rest;
    bool bad;
};
uint64_t redis_take_varint(struct redis_reader *r);
uint64_t redis_take_u64(struct redis_reader *r);
struct id redis_take_id(struct redis_reader *r);
struct counts redis_take_counts(struct redis_reader *r);
struct str redis_take_text(struct redis_reader *r);

#endif
