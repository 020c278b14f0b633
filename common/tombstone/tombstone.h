/* SPDX-License-Identifier: Apache-2.0 */
/* tombstone: was a generation removed? Everybody who reads or makes objects of a generation asks here first: its
 * manifests and seals are still there, and what they list is gone.
 *
 * A tombstone is put once and never taken away, so "removed" is for ever; "not removed" is a moment.
 *
 * Threads: any. Memory: the document. Fails: what the store fails with; RC_BROKEN: there is one that is not readable.
 */
#ifndef SLUICE_TOMBSTONE_H
#define SLUICE_TOMBSTONE_H

#include "removed.h"
#include "store.h"

/* *out_ns is only set where *out_removed is true. */
RC tombstone_look(struct store store, struct id queue, uint64_t generation, bool *out_removed, int64_t *out_ns,
                  struct why *why);
/* RC_OK, or `removed` (RC_DENIED for who makes, RC_ABSENT for who reads) with words for a person. */
RC tombstone_check(struct store store, struct id queue, uint64_t generation, enum rc removed, struct why *why);
/* RC_STALE: there is one already, which is as good. */
RC tombstone_put(struct store store, const struct removed *removed, struct why *why);

#endif
