/* SPDX-License-Identifier: Apache-2.0 */
/* uploader_inner: the state that the files of one uploader share. Not for others. */
#ifndef SLUICE_UPLOADER_INNER_H
#define SLUICE_UPLOADER_INNER_H

#include "arena.h"
#include "batch.h"
#include "chain.h"
#include "objects.h"
#include "plan.h"
#include "uploader.h"

enum phase { FIND, CHECK, FOLLOW, READ, JUDGE, SEAL, BUILD, MANIFEST, DURABLE, TRIM };

struct uploader {
    struct uploader_settings settings;
    struct uploader_ports ports;
    struct chain chain;
    struct objects objects;
    enum phase phase;
    bool found;
    uint64_t index;    /* of the seal to put or to redo */
    uint64_t log_end;  /* as last seen */
    uint64_t flush_to; /* seal without waiting for age while start < flush_to */
    bool flush;        /* asked for; flush_to is set when the log's end is known */
    struct batch batch;
    struct arena arena; /* of the sealed batch: seal, plan, manifest */
    struct seal seal;   /* valid from SEAL or FOLLOW on */
    struct plan plan;
    size_t built;
    struct manifest manifest;
    struct buf head;
    struct uploader_keep *keeps; /* uploader_trim.c */
    size_t keeps_len, keeps_room;
    bool checking;        /* uploader_check.c: the batch that is followed has objects missing */
    uint64_t check_index; /* the batch that was looked at last */
    size_t check_object;  /* the next of its objects; SIZE_MAX: go on with the batch before */
};

/* uploader.c */
/* All verdicts go: the next step begins at the chain. */
void uploader_start_again(struct uploader *uploader);
/* RC_BROKEN, with the place of the batch in front of the words. */
RC uploader_broken(const struct uploader *uploader, struct why *why, const char *what);
bool uploader_batch_is_full(const struct uploader *uploader);
/* The steps, one effect each. uploader_find.c: the first seal without a manifest, or the end of the chain */
RC uploader_find(struct uploader *uploader, uint64_t now_ms, struct why *why);
/* Which messages of each won attempt a batch made durable, from its manifest's provenance, to the ledger. */
RC uploader_tell_durable(struct uploader *uploader, const struct manifest *manifest, struct why *why);
/* uploader_check.c: are the objects of batches that were finished before still there? */
RC uploader_check(struct uploader *uploader, struct why *why);
/* What is missing cannot be made again: its blocks are gone. Tells it and goes on with the batch before. */
void uploader_check_give_up(struct uploader *uploader);
/* uploader_read.c: heads of messages into the batch, up to the end of the seal that is followed or of the log */
RC uploader_follow(struct uploader *uploader, uint64_t now_ms, struct why *why);
RC uploader_read(struct uploader *uploader, uint64_t now_ms, struct why *why);
/* uploader_judge.c: what the ledger says of the attempts, and whether the batch is to be sealed */
RC uploader_judge(struct uploader *uploader, uint64_t now_ms, uint64_t *out_wait_ms, struct why *why);
/* uploader_seal.c: from the seal to the ledger */
RC uploader_put_seal(struct uploader *uploader, struct why *why);
RC uploader_build(struct uploader *uploader, struct why *why);
RC uploader_put_manifest(struct uploader *uploader, struct why *why);
RC uploader_durable(struct uploader *uploader, struct why *why);
/* uploader_trim.c: what the log need not hold any more */
RC uploader_trim(struct uploader *uploader, uint64_t now_ms, struct why *why);
/* Everything below `end` is durable as of now: trims it, or remembers to. */
RC uploader_trim_to(struct uploader *uploader, uint64_t end, uint64_t now_ms, struct why *why);
RC uploader_trim_due(struct uploader *uploader, uint64_t now_ms, struct why *why);
void uploader_trim_done(struct uploader *uploader);

#endif
