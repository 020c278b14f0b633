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
    /* ---- what the port leaves to the store ---- */
    bool takes_directories; /* a key may be a directory of another (a store that may take or refuse it says true) */
    bool text_keys;         /* keys are UTF-8 without control characters */
    bool upload_keys;       /* store_uploads() knows keys */
    bool uploads_by_key;    /* it finds them by their whole key only */
    size_t upload_begins;   /* an upload is known to the store behind so many bytes; 0: at once */
};

/* Runs all tests of the suite on the world as a cmocka group; gives the number of failures back. */
int store_contract_run(const struct store_world *world);

#endif
