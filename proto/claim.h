/* SPDX-License-Identifier: Apache-2.0 */
/* claim: "the record with this key that is kept is the one of the line at this offset": what an attempt says of each
 * record of a source with `dedupe` that it kept, and what the ledger holds it to. The key is a hash of 128 bits over
 * the source, the window and the key's values (common/convert/once.h); two keys of one hash would be one key, at 2^64
 * keys with a chance of a half.
 *
 * Claims travel as they are stored in a trailer: CLAIM_BYTES each, the key and the offset (u64, little-endian), ordered
 * by offset. Threads: pure. */
#ifndef SLUICE_CLAIM_H
#define SLUICE_CLAIM_H

#include "id.h"
#include "str.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum {
    CLAIM_BYTES = ID_BYTES + 8,
    CLAIMS_MAX = 20000 /* of one attempt: half a MiB of its trailer */
};

struct claim {
    struct id key;
    uint64_t offset; /* of the line in the file */
};

/* Where a kept record is: the line at `offset` of the stripe. */
struct claim_place {
    struct id file;
    uint64_t stripe, offset;
};

static inline size_t claims_count(struct str claims) { return claims.len / CLAIM_BYTES; }

static inline struct claim claims_at(struct str claims, size_t i) {
    struct claim claim;
    uint64_t little;
    memcpy(claim.key.bytes, claims.at + i * CLAIM_BYTES, ID_BYTES);
    memcpy(&little, claims.at + i * CLAIM_BYTES + ID_BYTES, sizeof little);
    claim.offset = le64toh(little);
    return claim;
}

static inline void claim_pack(const struct claim *claim, char out[CLAIM_BYTES]) {
    uint64_t little = htole64(claim->offset);
    memcpy(out, claim->key.bytes, ID_BYTES);
    memcpy(out + ID_BYTES, &little, sizeof little);
}

static inline bool claim_place_equal(const struct claim_place *a, const struct claim_place *b) {
    return id_equal(a->file, b->file) && a->stripe == b->stripe && a->offset == b->offset;
}

#endif
