/* SPDX-License-Identifier: Apache-2.0 */
/* reject_source: a source (source.h) in which objects of rejects are files too, by their names of reject_uri.h; all
 * else is the source around which it is made.
 *
 * Such a file is the object's raw bytes: it never changes, and its incarnation is made of its key. A pattern whose
 * paths are such names lists just these. The manifest and the object are looked at when the first byte is read.
 *
 * Memory: an opened file that is read holds one manifest's entry, the object's footer and one frame (stored.h).
 * Threads: the handle by any; an opened file by one at a time. Fails: as source.h says; RC_ABSENT for an object that no
 * manifest lists. */
#ifndef SLUICE_REJECT_SOURCE_H
#define SLUICE_REJECT_SOURCE_H

#include "id.h"
#include "source.h"
#include "store.h"

/* Takes `inner` over; borrows the store. */
struct source reject_source_around(struct source inner, struct store store, struct id queue, uint64_t generation);
/* What source_stat() says of such a file. */
RC reject_source_stat(struct str uri, struct source_stat *out);

#endif
