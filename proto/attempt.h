/* SPDX-License-Identifier: Apache-2.0 */
/* attempt: one try at converting the lines of [from, to) of one stripe, and the facts that identify its file. Wins or
 * loses as a whole; its id is never used again. Threads: pure. */
#ifndef SLUICE_ATTEMPT_H
#define SLUICE_ATTEMPT_H

#include "id.h"
#include "str.h"

#include <stdint.h>

struct attempt {
    uint64_t generation;
    struct id file;
    uint64_t stripe;
    uint64_t from, to; /* bytes of the file, from < to or an empty cell's from == to never */
    struct id id;
    struct id predecessor; /* the attempt that ends at `from`; none for a stripe's first */
    uint64_t epoch;
};

/* Facts of a file from outside its bytes, and the hash of its first bytes. Strings are borrowed. */
struct facts {
    struct str source; /* the source's name in the configuration */
    struct str uri;    /* file:///… */
    uint64_t inode;
    int64_t birth_ns; /* 0: the file system has none */
    uint64_t volume;  /* file system id where birth_ns is 0, else 0 */
    uint32_t prefix_len;
    uint64_t prefix_hash;
    uint64_t stripe_bytes;
};

/* The same key in the ledger: source, inode, birth, volume. */
bool facts_same_key(const struct facts *a, const struct facts *b);

/* Where stripe `stripe` of the grid begins and ends. */
static inline uint64_t stripe_start(uint64_t stripe, uint64_t stripe_bytes) { return stripe * stripe_bytes; }
static inline uint64_t stripe_end(uint64_t stripe, uint64_t stripe_bytes) { return (stripe + 1) * stripe_bytes; }
/* How many stripes a file of `size` bytes has; 0 for an empty one. */
static inline uint64_t stripe_count(uint64_t size, uint64_t stripe_bytes) {
    return size / stripe_bytes + (size % stripe_bytes != 0);
}

/* XXH3-64, the hash of all checksums in sluice. */
uint64_t hash_bytes(struct str bytes);

enum {
    PREFIX_MAX = 4096, /* hashed at a file's start: files that agree in the first KiB are common, in 4 KiB rare */
    TAIL_MAX = 64      /* hashed before a checkpoint */
};

#endif
