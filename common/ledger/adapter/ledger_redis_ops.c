/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis_ops.h"

#include "num.h"

#include <stdio.h>

enum { TABLE = 64 };

static struct redis_op **slot(const struct redis_ops *ops, struct str key) {
    struct redis_op **at = &ops->table[hash_bytes(key) % ops->table_len];
    while (*at && !str_equal((*at)->key, key)) at = &(*at)->same;
    return at;
}

/* An older op of a key stays in the list and leaves the table. */
static void put_in_table(struct redis_ops *ops, struct redis_op *op) {
    struct redis_op **at = slot(ops, op->key);
    op->same = *at ? (*at)->same : NULL;
    *at = op;
}

static void grow_table(struct redis_ops *ops, struct arena *arena) {
    if (ops->table_len && ops->len < 2 * ops->table_len) return;
    ops->table_len = ops->table_len ? 8 * ops->table_len : TABLE;
    ops->table = ARENA_ARRAY(arena, struct redis_op *, ops->table_len);
    for (struct redis_op *op = ops->first; op; op = op->next) put_in_table(ops, op);
}

static void add_args(struct redis_op *op, struct arena *arena, const struct str *args, size_t n) {
    if (op->n + n > op->room) {
        op->room = MAX(2 * op->room, op->n + n);
        struct str *more = ARENA_ARRAY(arena, struct str, op->room);
        if (op->n) memcpy(more, op->args, op->n * sizeof *more);
        op->args = more;
    }
    if (n) memcpy(op->args + op->n, args, n * sizeof *args);
    op->n += n;
}

void redis_ops_add(struct redis_ops *ops, struct arena *arena, const struct redis_op_ask *ask, bool joins) {
    grow_table(ops, arena);
    struct redis_op *last = *slot(ops, ask->key);
    if (joins && last && str_equal(last->name, ask->name) && last->n + ask->n <= REDIS_OP_ARGS_MAX) {
        add_args(last, arena, ask->args, ask->n);
        return;
    }
    struct redis_op *made = ARENA_NEW(arena, struct redis_op);
    *made = (struct redis_op){.name = ask->name, .key = ask->key};
    add_args(made, arena, ask->args, ask->n);
    if (!ops->first) ops->last = &ops->first;
    *ops->last = made;
    ops->last = &made->next;
    ops->len++;
    put_in_table(ops, made);
}

void redis_ops_tell(const struct redis_ops *ops, struct arena *arena, struct redis_args *out) {
    for (const struct redis_op *op = ops->first; op; op = op->next) {
        char text[24];
        int len = snprintf(text, sizeof text, "%zu", op->n);
        redis_args_add(out, op->name);
        redis_args_add(out, op->key);
        redis_args_add(out, arena_str(arena, (struct str){text, (size_t)len}));
        for (size_t i = 0; i < op->n; i++) redis_args_add(out, op->args[i]);
    }
}
