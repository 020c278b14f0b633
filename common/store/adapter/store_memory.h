/* SPDX-License-Identifier: Apache-2.0 */
/* store_memory: a store in memory, for tests and the simulation. One world may have many handles: they see the same
 * objects, as processes on one bucket do. The world lives until its last handle is freed, so a simulated crash is
 * freeing one handle and opening another. Refuses a key that is a directory of another, as a directory would.
 * Threads: any. Memory: all objects and uploads; unbounded, for the owner puts them in. Fails: as store.h says, but
 * never RC_BUSY and RC_BROKEN. */
#ifndef SLUICE_STORE_MEMORY_H
#define SLUICE_STORE_MEMORY_H

#include "store.h"

/* A new, empty world's first handle. */
struct store store_memory_new(void);
/* One more handle of the world of `store`, which must be a handle of this adapter. */
struct store store_memory_again(struct store store);

#endif
