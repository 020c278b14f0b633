/* SPDX-License-Identifier: Apache-2.0 */
/* audit: does the store hold every line that the ledger says is converted, once?
 *
 * Compared are four accounts that were written by different hands at different times: the ledger (checkpoints and
 * counts), the seals (what a batch is), the manifests (what became of it) and the objects. DESIGN.md lists the checks.
 * Deep: every object is read back too.
 *
 * What is converted and not durable yet is in progress and no finding; how much that may be is what the ledger says is
 * outstanding, so a loss hides behind work in progress only while there is some, and never from an audit at rest.
 *
 * Memory: bounded. Ranges, stripes, files and objects are held for a window of the files' ids; where they are more than
 * AUDIT_ROWS_MAX of a kind the window is halved, and the manifests are read again for the next one. A file of one
 * attempt takes 368 bytes: 200,000 of them 75 MB, and as much again while arrays grow and are sorted. On top comes the
 * largest seal or manifest, decoded. Threads: one at a time. Fails: with what the ports fail with; damage is never a
 * failure but a finding. */
#ifndef SLUICE_AUDIT_H
#define SLUICE_AUDIT_H

#include "counts.h"
#include "report.h"

enum { AUDIT_ROWS_MAX = 512 * 1024, AUDIT_WORDS_MAX = 512 };

/* Each with a stable name (audit_kind_name) for machines. */
enum audit_kind {
    /* the ledger */
    AUDIT_COUNTS_LAW,    /* counts_law: lines != converted + rejects + filtered + blank */
    AUDIT_LEDGER_COUNTS, /* ledger_counts: a file's counts are not the sum of its stripes' */
    AUDIT_COUNTS,        /* counts: the ledger's counts of a stripe are not those of its attempts in manifests */
    /* ranges of a stripe */
    AUDIT_FILE_UNKNOWN,    /* file_unknown: a manifest or a receipt is of a file that the ledger does not know */
    AUDIT_GAP,             /* gap: converted, nothing outstanding, and in no manifest */
    AUDIT_OVERLAP,         /* overlap: two attempts hold the same bytes */
    AUDIT_PREDECESSOR,     /* predecessor: an attempt does not follow the one that ends where it begins */
    AUDIT_NOT_WON,         /* not_won: behind the checkpoint: no attempt there has won */
    AUDIT_BLOCKS_MISSING,  /* blocks_missing: fewer blocks in manifests than the trailer says */
    AUDIT_BLOCKS_EXTRA,    /* blocks_extra: more */
    AUDIT_TRAILER_MISSING, /* trailer_missing: blocks of an attempt whose trailer is nowhere */
    AUDIT_TRAILER_TWICE,   /* trailer_twice */
    AUDIT_RECORDS,         /* records: an attempt's records or rejects in objects are not those of its counts */
    /* the chain */
    AUDIT_SEAL_MISSING,     /* seal_missing: an index below a later seal or manifest, or below what is durable */
    AUDIT_SEAL_CHAIN,       /* seal_chain: a seal does not begin where the one before ends */
    AUDIT_SEAL_BAD,         /* seal_bad: not readable, or of another place */
    AUDIT_MANIFEST_MISSING, /* manifest_missing: of a seal that has a later manifest, or was told durable */
    AUDIT_MANIFEST_BAD,     /* manifest_bad: not readable, or of another place */
    AUDIT_MANIFEST_SEAL,    /* manifest_seal: not what its seal says */
    /* objects */
    AUDIT_OBJECT_MISSING,  /* object_missing */
    AUDIT_OBJECT_SIZE,     /* object_size: another one than in the manifest */
    AUDIT_OBJECT_UNLISTED, /* object_unlisted: an object of this queue that no manifest lists, of no batch in progress
                            */
    AUDIT_OBJECT_NAME,     /* object_name: its key does not say what the manifest says, or it is listed twice */
    AUDIT_OBJECT_PARTS,    /* object_parts: the parts do not add up to the object */
    AUDIT_OBJECT_BAD, /* object_bad: (deep) not readable, a checksum is wrong, or it is not what the manifest says */
    /* receipts */
    AUDIT_RECEIPT_MISSING, /* receipt_missing: the ledger noted it */
    AUDIT_RECEIPT_BAD,     /* receipt_bad: not readable, or of another file or end */
    AUDIT_RECEIPT_EARLY,   /* receipt_early: the file is not converted up to its end */
    AUDIT_RECEIPT_COUNTS,  /* receipt_counts: not those of the attempts up to its end */
    AUDIT_RECEIPT_OBJECTS, /* receipt_objects: an object that no manifest lists, or other numbers of records */
    /* rejects */
    AUDIT_REDRIVEN, /* redriven: more or fewer rejects of an object were converted again than it has */
    AUDIT_KINDS
};

/* One thing that is wrong, and its place, as far as it has one. Texts are good during the call. */
struct audit_finding {
    enum audit_kind kind;
    bool has_file; /* .file; .uri where the ledger knows it */
    struct id file;
    struct str uri;
    bool has_range; /* .stripe, .from, .to: bytes of the file */
    uint64_t stripe, from, to;
    struct id attempt; /* none: no single one */
    struct str key;    /* of the object, seal, manifest or receipt; "" for none */
    struct str words;  /* what exactly, for a person */
};

/* One file's account; RC_OK to go on. */
struct audit_file {
    struct ledger_listing listing; /* as read first */
    struct counts manifests;       /* summed over the attempts that manifests list */
    uint64_t findings;
};

struct audit_options {
    bool deep;
    size_t rows_max; /* 0: AUDIT_ROWS_MAX */
    void (*found)(void *context, const struct audit_finding *finding);
    enum rc (*file)(void *context, const struct audit_file *file); /* NULL: not told */
    /* Deep: bytes of objects read of all bytes, now and then; RC_STOP ends the audit. NULL: not told. */
    enum rc (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};

struct audit_result {
    uint64_t findings;
    uint64_t files, stripes, attempts, seals, manifests, objects, object_bytes, receipts;
    uint64_t deep_objects, deep_bytes, deep_records;
    struct counts ledger, manifests_counts;  /* sums over all files */
    uint64_t in_progress;                    /* messages that are won and were in no manifest yet */
    uint64_t seals_in_progress;              /* sealed batches without their manifest */
    uint64_t objects_in_progress;            /* objects of such batches, or of ones after them */
    uint64_t rejects_live, rejects_redriven; /* rejects in objects: that are ones, that were converted again */
    uint64_t objects_foreign;                /* in the same folders, of another queue: left alone */
    uint64_t lost_attempts;                  /* that a repair gave up, by --accept-loss: won, and in no object */
    uint64_t lost_lines,
        lost_bytes;  /* of their ranges, the ledger has these lines too; a line over a stripe's end is in two ranges */
    uint64_t passes; /* windows */
    bool removed;    /* the generation was removed: there is nothing to compare, and nothing was */
};

/* "gap" */
const char *audit_kind_name(enum audit_kind kind);
/* RC_OK with findings or without. */
RC audit_run(const struct report *report, const struct audit_options *options, struct audit_result *out,
             struct why *why);

#endif
