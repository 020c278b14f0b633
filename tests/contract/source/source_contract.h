/* SPDX-License-Identifier: Apache-2.0 */
/* source_contract: the one suite that every source adapter passes. A world is what several handles share, and what
 * others do to its files. Paths are below root(). */
#ifndef SLUICE_SOURCE_CONTRACT_H
#define SLUICE_SOURCE_CONTRACT_H

#include "source.h"

struct source_world {
    const char *name;
    void *(*begin)(void);                 /* a new, empty world */
    struct source (*open)(void *context); /* a handle of it; the suite frees it */
    const char *(*root)(void *context);   /* absolute path */
    void (*end)(void *context);
    /* what others do; directories come with their files */
    void (*write)(void *context, const char *path, struct str bytes); /* makes, or cuts to nothing and writes */
    void (*append)(void *context, const char *path, struct str bytes);
    void (*truncate)(void *context, const char *path, uint64_t size);
    void (*rename)(void *context, const char *from, const char *to);
    void (*unlink)(void *context, const char *path);
    bool (*exists)(void *context, const char *path);
    /* Its files are fixed: objects of a bucket, whose paths and URIs begin with s3://. What is written or appended to
     * is another file, none can be moved, an open one does not survive its removal, and nothing is watched. */
    bool objects;
};

/* Runs all tests of the suite on the world as a cmocka group; gives the number of failures back. */
int source_contract_run(const struct source_world *world);

#endif
