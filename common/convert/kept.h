/* SPDX-License-Identifier: Apache-2.0 */
/* kept: which records that are kept once a slice keeps. A slice asks of each such record, in order; the answer is no
 * where the key is somebody else's, or where the slice keeps one of that key already.
 *
 * "Somebody else's" are the keys that the ledger gave to another place, and those of the slices before in the same run
 * of attempts: each is the predecessor of the next, so if the later one wins all before it have won, and their claims
 * with them.
 *
 *   kept_forget(k);                              a run begins at a checkpoint
 *     kept_begin(k); slice_add(...)              a slice: kept_claims(k) are its claims
 *     kept_other(k, key); kept_begin(k); ...     and again where the ledger knows better
 *     kept_settle(k);                            it is published: its keys are somebody else's for the next one
 *
 * Memory: 48 bytes a key since kept_forget(), 24 a claim of the slice. Threads: one at a time. Fails: never. */
#ifndef SLUICE_KEPT_H
#define SLUICE_KEPT_H

#include "claim.h"

enum {
    KEPT_SLICE = 12 * 1024, /* claims at which a slice is full; one line may go over */
    KEPT_RUN = 256 * 1024   /* keys at which a lane waits until its attempts are decided, and forgets */
};

struct kept;

struct kept *kept_new(void);
void kept_free(struct kept *kept);
void kept_forget(struct kept *kept);
void kept_begin(struct kept *kept);
/* True: the record is to be kept, and its claim was noted. Offsets ascend. */
bool kept_take(struct kept *kept, struct id key, uint64_t offset);
void kept_other(struct kept *kept, struct id key);
/* The ledger gave the key to this place of the stripe: that record is kept, and no other. (Its attempt fell in a
 * recovery, and what lies before it may be converted in one slice with it now.) */
void kept_only(struct kept *kept, struct id key, uint64_t offset);
void kept_settle(struct kept *kept);
/* As a trailer holds them (claim.h); good until the next call. */
struct str kept_claims(const struct kept *kept);
bool kept_full(const struct kept *kept);
/* Keys since kept_forget(). */
size_t kept_keys(const struct kept *kept);

#endif
