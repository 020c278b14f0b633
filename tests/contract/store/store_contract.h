/* SPDX-License-Identifier: Apache-2.0 */
/* store_contract: the one suite that every store adapter passes. A world is what several handles share: a directory, a
 * bucket. */
#ifndef SLUICE_STORE_CONTRACT_H
#define SLUICE_STORE_CONTRACT_H

#include "store.h"

struct store_world {
    const char *name;
    void *(*begin)(void);                /* a new, empty world */
    struct store (*open)(void *context); /* a handle of it; the suite frees it */
    void (*end)(void *context);
};

/* Runs all tests of the suite on the world as a cmocka group; gives the number of failures back. */
int store_contract_run(const struct store_world *world);

#endif
