/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt.h"

#include "hash_vector.h"

bool facts_same_key(const struct facts *a, const struct facts *b) {
    return str_equal(a->source, b->source) && a->inode == b->inode && a->birth_ns == b->birth_ns &&
           a->volume == b->volume;
}

uint64_t hash_bytes(struct str bytes) { return XXH3_64bits(bytes.at, bytes.len); }
