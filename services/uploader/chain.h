/* SPDX-License-Identifier: Apache-2.0 */
/* chain: the seals of one queue partition in one generation, in the store. Seal i begins where seal i-1 ends; that is
 * the only thing that tells where. Reads and puts one key a call. Threads: one at a time. Fails: what the store fails
 * with; RC_BROKEN for seals or manifests that do not fit together. */
#ifndef SLUICE_CHAIN_H
#define SLUICE_CHAIN_H

#include "manifest.h"
#include "seal.h"
#include "store.h"

struct chain {
    struct store store;
    struct id queue;
    uint64_t generation;
    uint32_t partition;
};

/* RC_ABSENT: there is none. */
RC chain_get_seal(const struct chain *chain, uint64_t index, struct arena *arena, struct seal *out, struct why *why);
RC chain_get_manifest(const struct chain *chain, uint64_t index, struct arena *arena, struct manifest *out,
                      struct why *why);
RC chain_has_manifest(const struct chain *chain, uint64_t index, bool *out, struct why *why);
/* RC_DENIED: the generation was removed; nothing of it is to be made any more. */
RC chain_check_removed(const struct chain *chain, struct why *why);
/* RC_STALE: somebody put this index before us. */
RC chain_put_seal(const struct chain *chain, const struct seal *seal, struct why *why);
RC chain_put_manifest(const struct chain *chain, const struct manifest *manifest, struct why *why);

#endif
