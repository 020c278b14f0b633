/* SPDX-License-Identifier: Apache-2.0 */
/* remover: takes keys one by one and removes them REMOVER_BATCH at a time, so that whoever has threads can use them.
 *
 * Memory: the keys of one batch. Threads: one at a time. Fails: with what the store fails with; what was added and not
 * flushed is then there or not. */
#ifndef SLUICE_REMOVER_H
#define SLUICE_REMOVER_H

#include "arena.h"
#include "store.h"

enum { REMOVER_BATCH = 256 };

/* Removes all these keys, in any order, several at a time; RC_OK when all are gone. */
struct remover_many {
    enum rc (*remove)(void *context, struct store store, const struct str *keys, size_t n, struct why *why);
    void *context;
};

struct remover {
    struct store store;
    struct remover_many many; /* .remove NULL: one after the other */
    struct arena arena;
    struct str keys[REMOVER_BATCH];
    size_t len;
};

void remover_done(struct remover *remover);
RC remover_add(struct remover *remover, struct str key, struct why *why);
RC remover_flush(struct remover *remover, struct why *why);

#endif
