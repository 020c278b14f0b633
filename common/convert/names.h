/* SPDX-License-Identifier: Apache-2.0 */
/* names: the keys of one object that is being written: none stands twice, so that no value is lost to a reader of JSON.
 *
 * Memory: names that had to be made. Threads: one at a time. Limits: NAMES_MAX an object. */
#ifndef SLUICE_NAMES_H
#define SLUICE_NAMES_H

#include "arena.h"

enum { NAMES_MAX = 256, NAMES_EXTRA = 4 /* bytes that a name can grow by */ };

struct names {
    struct str at[NAMES_MAX];
    size_t count;
    uint64_t seen; /* a bit for each name, so that most are known to be new without looking */
    struct arena arena;
};

void names_reset(struct names *names);
void names_done(struct names *names);
/* `key` (not empty), or key_2, key_3, … when it is there; .at NULL when there are NAMES_MAX. It is readable for
 * SCAN_SLACK bytes behind its end where `key` is. */
struct str names_add(struct names *names, struct str key);

#endif
