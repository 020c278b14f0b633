/* SPDX-License-Identifier: Apache-2.0 */
/* receipt: per file and closed end N: what came of its lines, and in which objects; written only when all of it is
 * durable. JSON on the wire. Threads: pure. Fails: RC_BAD with the place. */
#ifndef SLUICE_RECEIPT_H
#define SLUICE_RECEIPT_H

#include "manifest.h"

enum { RECEIPT_VERSION = 1, RECEIPT_BYTES_MAX = 256 * 1024 * 1024 };

struct receipt_object {
    struct str key;
    bool rejects;
    uint64_t records; /* of this file in it */
};

struct receipt {
    struct id file;
    struct facts facts;
    uint64_t generation;
    uint64_t end; /* N */
    struct counts counts;
    uint64_t stripes;
    struct receipt_object *objects;
    size_t objects_len;
    int64_t written_ns; /* informative */
};

RC receipt_encode(const struct receipt *receipt, struct buf *out);
RC receipt_decode(struct str bytes, struct arena *arena, struct receipt *out, struct why *why);

#endif
