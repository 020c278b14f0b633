/* SPDX-License-Identifier: Apache-2.0 */
/* audit_inner: what the files of the audit share: rows of one window, and one function a check.
 *
 * Every row begins with its spot in [0, 2^64): of a file's rows the first 8 bytes of its id, of an object the hash of
 * its key. Both are even, so half of the spots are half of the rows. Inside services/report only. */
#ifndef SLUICE_AUDIT_INNER_H
#define SLUICE_AUDIT_INNER_H

#include "arena.h"
#include "audit.h"
#include "manifest.h"
#include "redriven.h"
#include "seal.h"

/* Rows of one kind, each `size` bytes. */
struct audit_rows {
    char *at;
    size_t len, room, size;
};

/* A file, as the ledger had it when the pass began. */
struct audit_known {
    uint64_t spot;
    struct id id;
    uint64_t stripe_bytes, closed_end;
    bool closed, receipted;
    bool receipt_seen; /* for closed_end */
    uint64_t findings;
    struct counts manifests;
};

struct audit_stripe {
    uint64_t spot;
    struct id file;
    uint64_t stripe, at, outstanding;
    struct counts counts;
};

/* An attempt, as far as manifests tell of it; rows of the same one are merged. */
struct audit_attempt {
    uint64_t spot;
    struct id file;
    uint64_t stripe, from, to;
    struct id id;
    struct id predecessor; /* from the trailer */
    struct counts said;    /* by the trailer */
    uint32_t trailers;     /* how many were seen: one is right */
    uint64_t blocks_said, blocks_seen;
    uint64_t records_seen, rejects_seen;
};

struct audit_object {
    uint64_t spot;
    uint64_t bytes;
    uint64_t seal; /* index of the manifest */
    uint32_t partition, number;
    bool seen;
};

/* One index of a chain. */
struct audit_link {
    uint64_t index, start, end;
    bool sealed, manifested, readable; /* readable: start and end are the seal's */
};

struct audit_chain {
    uint32_t partition;
    struct audit_rows links; /* struct audit_link, ascending by index */
};

struct audit {
    const struct report *report;
    const struct audit_options *options;
    struct audit_result *result;
    struct id queue;
    size_t rows_max;
    uint64_t low, high; /* the window: spots of this pass, both included */
    bool first;         /* pass: what is of no file or object is checked now */
    struct audit_rows known, stripes, attempts, objects;
    struct audit_rows chains; /* struct audit_chain */
    struct arena arena;       /* of one seal and one manifest */
    struct id told_file;      /* the last file of a finding, and its uri */
    struct buf told_uri;
    struct redriven redriven;
};

/* ---- audit_rows.c ---- */
void audit_rows_done(struct audit_rows *rows);
/* A zeroed row at the end; good until the next. */
void *audit_rows_add(struct audit_rows *rows);
void audit_rows_sort(struct audit_rows *rows, int (*compare)(const void *, const void *));
uint64_t audit_spot(struct id file);
static inline bool audit_in_window(const struct audit *a, uint64_t spot) { return spot >= a->low && spot <= a->high; }
/* Narrows the window until no kind has too many rows. */
void audit_fit(struct audit *a);
/* By file, stripe, from, to, id. */
int audit_attempt_order(const void *one, const void *two);
/* Sorts, and merges the rows of the same attempt. */
void audit_attempts_merge(struct audit_rows *rows);
/* The rows [*out_from, *out_to) are those of the file; rows are sorted. */
void audit_attempts_of(const struct audit *a, struct id file, size_t *out_from, size_t *out_to);
struct audit_known *audit_known_find(const struct audit *a, struct id file);

/* ---- audit_found.c ---- */
/* Tells the finding with these words. */
void audit_found(struct audit *a, struct audit_finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- audit_ledger.c: what the ledger knows, for the window ---- */
RC audit_read_ledger(struct audit *a, struct why *why);
/* The file's stripes as they are now, in `arena`; *out_known is false for a file that it does not know. */
RC audit_stripes_now(struct audit *a, struct id file, struct arena *arena, bool *out_known,
                     struct ledger_stripe_listing **out, size_t *out_n, struct why *why);
/* Does it know the file now? */
RC audit_knows_now(struct audit *a, struct id file, bool *out, struct why *why);

/* ---- audit_chain.c: seals and manifests ---- */
RC audit_read_chains(struct audit *a, struct why *why);
RC audit_check_chains(struct audit *a, struct why *why);
void audit_chains_done(struct audit *a);
struct audit_chain *audit_chain_find(const struct audit *a, uint32_t partition);

/* ---- audit_manifest.c ---- */
/* Loads one; *out_good is false (and told, in the first pass) where it is damaged. */
RC audit_manifest_load(struct audit *a, uint32_t partition, uint64_t index, struct manifest *out, bool *out_good,
                       struct why *why);
/* Reads the manifests of all chains into rows; in the first pass compares them with their seals. */
RC audit_read_manifests(struct audit *a, struct why *why);
/* The rows of a manifest's or seal's attempts, merged. */
void audit_manifest_rows(const struct manifest *manifest, struct audit_rows *out);
void audit_seal_rows(const struct seal *seal, struct audit_rows *out);

/* ---- audit_ranges.c ---- */
RC audit_check_ranges(struct audit *a, struct why *why);

/* ---- audit_objects.c ---- */
void audit_check_parts(struct audit *a, const struct manifest *manifest, const struct manifest_object *object);
RC audit_check_objects(struct audit *a, struct why *why);
/* Behind audit_check_objects(), for a spot in the window: does a manifest list an object of this hash? */
bool audit_object_listed(const struct audit *a, uint64_t spot);

/* ---- audit_receipts.c ---- */
RC audit_check_receipts(struct audit *a, struct why *why);

/* ---- audit_redriven.c ---- */
/* In the first pass: what a manifest says of rejects. */
void audit_note_rejects(struct audit *a, const struct manifest *manifest);
/* Behind all passes. */
RC audit_check_redriven(struct audit *a, struct why *why);

/* ---- audit_deep.c ---- */
RC audit_check_deep(struct audit *a, struct why *why);

#endif
