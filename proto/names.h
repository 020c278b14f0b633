/* SPDX-License-Identifier: Apache-2.0 */
/* names: the keys of everything that sluice puts in the store, in one place. Format and parse are inverses. A name is
 * made of what it names, never of a clock or of chance. Threads: pure. Limits: NAME_MAX_BYTES a key. Fails: RC_LIMIT,
 * RC_BAD. */
#ifndef SLUICE_NAMES_H
#define SLUICE_NAMES_H

#include "buf.h"
#include "id.h"

enum {
    NAME_MAX_BYTES = 1024,
    NAME_PART_MAX = 255, /* of what stands between two slashes: file systems have no more */
};

struct name_object {
    uint64_t generation;
    struct str output; /* partition path, may be empty; for rejects "source=<name>" */
    bool rejects;
    struct id queue;
    uint32_t partition;
    uint64_t start;  /* S of the seal */
    uint32_t number; /* 0, 1, … where one output of a seal is split */
    struct str format;
};

/* g1/dt=2026-01-01/<queue>-p0-00000000000000000042.jsonl.zst, a number > 0 as -<n> before the dot; rejects below
 * _rejects/g1/. */
RC name_object(const struct name_object *object, struct buf *out);
RC name_object_parse(struct str key, struct name_object *out);
/* _seals/<queue>/g<gen>/p<k>/<i, 20 digits> */
RC name_seal(struct id queue, uint64_t generation, uint32_t partition, uint64_t index, struct buf *out);
RC name_seal_parse(struct str key, struct id *out_queue, uint64_t *out_generation, uint32_t *out_partition,
                   uint64_t *out_index);
/* _manifests/<queue>/g<gen>/p<k>/<i, 20 digits>.json */
RC name_manifest(struct id queue, uint64_t generation, uint32_t partition, uint64_t index, struct buf *out);
RC name_manifest_parse(struct str key, struct id *out_queue, uint64_t *out_generation, uint32_t *out_partition,
                       uint64_t *out_index);
/* _seals/<queue>/g<gen>/, _manifests/<queue>/g<gen>/ and _receipts/g<gen>/: prefixes for listing */
RC name_seals_prefix(struct id queue, uint64_t generation, struct buf *out);
RC name_manifests_prefix(struct id queue, uint64_t generation, struct buf *out);
RC name_receipts_prefix(uint64_t generation, struct buf *out);
/* _manifests/<queue>/g<gen>/removed.json: the tombstone of a generation, see removed.h */
RC name_removed(struct id queue, uint64_t generation, struct buf *out);
bool name_is_removed(struct str key);
/* _receipts/g<gen>/<file>-<N>.json */
RC name_receipt(uint64_t generation, struct id file, uint64_t end, struct buf *out);
RC name_receipt_parse(struct str key, uint64_t *out_generation, struct id *out_file, uint64_t *out_end);
/* _ledger/losses/g<gen>/<file>-<stripe>-<from>-<to>-<attempt>-<lines>: a won range that a repair gave up */
struct name_loss {
    uint64_t generation;
    struct id file;
    uint64_t stripe, from, to; /* bytes of the file */
    struct id attempt;
    uint64_t lines;
};
RC name_losses_prefix(uint64_t generation, struct buf *out);
RC name_loss(const struct name_loss *loss, struct buf *out);
RC name_loss_parse(struct str key, struct name_loss *out);
/* _ledger/identity.json: which ledger and queue write here */
#define NAME_LEDGER_IDENTITY STR("_ledger/identity.json")

/* _ledger/snapshots/<epoch, 20 digits>-<sum of its counters, 20 digits>-<id>/: `index`, and pages p<8 digits>. The id
 * is chance: two processes may write one at the same time, and their pages must not mix. */
#define NAME_SNAPSHOTS STR("_ledger/snapshots/")
#define NAME_SNAPSHOT_INDEX STR("/index")
RC name_snapshot(uint64_t epoch, uint64_t sum, struct id id, struct buf *out); /* without the last slash */
RC name_snapshot_page(struct str snapshot, uint64_t page, struct buf *out);

#endif
