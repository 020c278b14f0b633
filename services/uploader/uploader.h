/* SPDX-License-Identifier: Apache-2.0 */
/* uploader: one queue partition of one generation into objects, exactly once. DESIGN.md beside this file has the
 * invariants.
 *
 * Memory: an index of what waits (about 100 bytes a block, 500 an attempt), while a batch is sealed its seal and
 * manifest (about 450 bytes a block, 1,200 an attempt, given back before the next batch), one message, one frame, one
 * compression context; the data itself stays in the log. Threads: one at a time. Fails: RC_BUSY and RC_STALE
 * mean "call again later" (after RC_STALE with a fresh epoch); RC_DENIED and RC_BROKEN are for people; nothing is lost
 * by any of them. */
#ifndef SLUICE_UPLOADER_H
#define SLUICE_UPLOADER_H

#include "broker.h"
#include "ledger.h"
#include "seal.h"
#include "store.h"

enum {
    /* In one batch, whichever comes first. What bounds them is the manifest: some 300 bytes of JSON for each block of
     * an output of its own and 750 for each attempt, so 20 and 12 MiB, which every reader of it has in memory. 65,536
     * blocks are 64 GiB of input or more; only thousands of outputs or of tiny files come near these bounds. */
    UPLOADER_MESSAGES_MAX = 64 * 1024,
    UPLOADER_ATTEMPTS_MAX = 16 * 1024,
    UPLOADER_CLAIMS_BYTES = 24 * 1024 * 1024, /* the seal holds them, and has SEAL_BYTES_MAX */
    UPLOADER_READ = 256,                      /* messages looked at in one step */
    UPLOADER_VERDICTS = 1024                  /* attempts asked in one call */
};

struct uploader_settings {
    struct id queue;
    uint32_t partition;
    struct settings output; /* for new seals; a redo takes those of its seal */
    uint64_t flush_ms;      /* a batch is sealed at this age */
    uint64_t seal_bytes_max;
    uint64_t void_after_ms;    /* how long an undecided attempt may hold up the batch; doubles with each void */
    uint64_t abandoned_before; /* attempts with a message below this offset are of processes that are known to be dead
                                * (one machine: of a former run): nobody is waited for, they are voided at once */
    uint64_t keep_ms;          /* blocks stay so long in the log after their batch is durable */
    /* Look once more at the batches that end behind check_from, and make objects that are missing again while the log
     * still has their blocks. */
    bool check;
    uint64_t check_from;
    uint64_t messages_max; /* 0: UPLOADER_MESSAGES_MAX */
    uint64_t attempts_max; /* 0: UPLOADER_ATTEMPTS_MAX */
};

struct uploader_ports {
    struct broker broker;
    struct ledger ledger;
    struct store store;
};

struct uploader_view {
    uint64_t next_seal;                /* index of the batch that is being filled or redone */
    uint64_t start;                    /* what is before it is sealed, manifested and told durable */
    uint64_t position, end;            /* looked at up to here; the log's end */
    uint64_t waiting_bytes;            /* expected, in the batch */
    uint64_t objects, objects_planned; /* of the batch that is being built */
    bool found;                        /* the end of the chain is known */
    bool drained;                      /* everything that is in the log is sealed, manifested and durable */
};

struct uploader;

/* Borrows the strings of the settings and the ports for its life. */
struct uploader *uploader_new(const struct uploader_settings *settings, const struct uploader_ports *ports);
/* Stops where it is; see DESIGN.md, crash points. */
void uploader_free(struct uploader *uploader);
/* Does the next thing. *out_wait_ms: nothing to do for so long unless a block comes (broker_wait). */
RC uploader_step(struct uploader *uploader, uint64_t now_ms, uint64_t *out_wait_ms, struct why *why);
/* Seal what is there as soon as it is decided, whatever its age, up to the log's present end. */
void uploader_flush(struct uploader *uploader);
/* The ledger is at another epoch: forget all verdicts and start again. */
void uploader_set_epoch(struct uploader *uploader, uint64_t epoch);
void uploader_look(const struct uploader *uploader, struct uploader_view *out);

#endif
