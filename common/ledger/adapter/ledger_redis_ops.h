/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_ops: what a store script is told to compare and to write. A command costs Redis more than what it
 * writes, so neighbours are put into one: fields of one hash, members of one set.
 *
 * Why the order may change: ops of one key stay in order, for an op is only put into the last one of its key; and of
 * different keys nobody sees an order, because a script is one step.
 *
 * Memory: the call's arena. Threads: one at a time. Limits: REDIS_OP_ARGS_MAX arguments an op, because a script hands
 * them over on Lua's stack. */
#ifndef SLUICE_LEDGER_REDIS_OPS_H
#define SLUICE_LEDGER_REDIS_OPS_H

#include "arena.h"
#include "ledger_redis_link.h"

enum { REDIS_OP_ARGS_MAX = 2000 };

struct redis_op {
    struct str name, key;
    struct str *args;
    size_t n, room;
    struct redis_op *next, *same; /* in order; in the table */
};

struct redis_ops {
    struct redis_op *first, **last;
    struct redis_op **table; /* the last op of each key */
    size_t table_len, len;
};

struct redis_op_ask {
    struct str name, key;
    const struct str *args;
    size_t n;
};

/* `joins`: an op of the same name may take the arguments of another one of its key. Strings are borrowed. */
void redis_ops_add(struct redis_ops *ops, struct arena *arena, const struct redis_op_ask *ask, bool joins);
/* name key n args…, one behind the other. */
void redis_ops_tell(const struct redis_ops *ops, struct arena *arena, struct redis_args *out);

#endif
