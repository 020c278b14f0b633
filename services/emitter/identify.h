/* SPDX-License-Identifier: Apache-2.0 */
/* identify: is what lies here the file that the ledger knows? The pure part of identification.
 *
 * A file is one incarnation of one input. Rename keeps it; truncation, rewriting and reuse of its inode make a new one.
 * The ledger stores hashes with the lengths that were hashed; the caller hashes that much of its own view. Threads:
 * pure. */
#ifndef SLUICE_IDENTIFY_H
#define SLUICE_IDENTIFY_H

#include "ledger.h"

/* A fresh view of the file, hashed as the ledger's answer asks. */
struct identify_view {
    uint64_t size;
    uint64_t prefix_hash; /* of the first known->prefix_len bytes; unused when the view is shorter */
    uint64_t
        tail_hash; /* of the up to TAIL_MAX bytes before known->reach; unused when the view is shorter or reach is 0 */
};

enum identify_answer {
    IDENTIFY_SAME,
    IDENTIFY_NEW,     /* another incarnation under the same key */
    IDENTIFY_SHORTER, /* less than was seen before: truncated, unless this view is stale; look again with a fresh open
                       */
};

enum identify_answer identify_decide(const struct ledger_file *known, const struct identify_view *view);

#endif
