/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_staged: what a recoverer was given and has not united yet: a hash a file, below the recoverer's target,
 * so that a later recoverer never meets it. Threads: one at a time. Memory: the call's arena. */
#ifndef SLUICE_LEDGER_REDIS_STAGED_H
#define SLUICE_LEDGER_REDIS_STAGED_H

#include "ledger_redis_parts.h"

struct redis_given {
    uint64_t generation, stripe;
    struct rules_given given;
};

enum { REDIS_STAGED_FIELD = 40 };
/* Where it lies: generation, stripe, from, attempt. */
struct str redis_staged_field(struct redis_call *call, const struct redis_given *given);
struct str redis_staged_key(struct redis_call *call, uint64_t target, struct id file);
struct str redis_staged_files(struct redis_call *call, uint64_t target);
struct str redis_staged_pack(struct redis_call *call, const struct redis_given *given);
RC redis_staged_unpack(struct str field, struct str value, struct redis_given *out, struct why *why);
/* What is staged already counts when it has counts and the new has not. */
void redis_staged_merge(struct redis_given *fresh, const struct redis_given *old);
/* Files that have something staged, behind `after`. */
RC redis_staged_page(struct redis_call *call, uint64_t target, struct id after, size_t max, struct id *out,
                     size_t *out_n, struct why *why);
/* All of each file, by generation, stripe, from. */
struct redis_staged {
    struct redis_given *given;
    size_t len;
};
RC redis_staged_load(struct redis_call *call, uint64_t target, const struct id *files, size_t n,
                     struct redis_staged *out, struct why *why);

#endif
