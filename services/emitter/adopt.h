/* SPDX-License-Identifier: Apache-2.0 */
/* adopt: a compressed file that the ledger does not know, and that is what a known file became: rotated and compressed.
 * It goes on as that file, with its id, its grid and its checkpoints, so that only what is missing is converted.
 * DESIGN.md says when one is taken for the other.
 *
 * Memory: 4 KiB a candidate, a page of the ledger's list. Threads: one at a time. Fails: as the ledger and the source.
 */
#ifndef SLUICE_ADOPT_H
#define SLUICE_ADOPT_H

#include "emitter_inner.h"

enum adopt_found {
    ADOPT_NONE,  /* a file of its own */
    ADOPT_IS,    /* .known is what it was */
    ADOPT_BEGINS /* it begins like .known, and less of it is there than was read of that: it is being written */
};

struct adopt {
    struct catalog_entry *entry;
    struct source_file *file; /* open */
    uint64_t size;            /* of its text */
    bool whole;               /* the text does not stop in the middle */
    struct str prefix;        /* its first bytes, up to PREFIX_MAX */
    enum adopt_found found;
    struct ledger_file known; /* texts in the emitter's arena */
};

/* Goes over all files that the ledger knows, once for all candidates. */
RC adopt_search(struct emitter *emitter, struct adopt *all, size_t n, struct why *why);

#endif
