/* SPDX-License-Identifier: Apache-2.0 */
#include "path_hash.h"

#include "must.h"

#define XXH_INLINE_ALL /* keys are short: a call through the library costs more than the hash */
#include <xxhash.h>

uint64_t path_hash(struct str bytes) { return XXH3_64bits(bytes.at, bytes.len); }

struct path_hash_state *path_hash_begin(void) {
    XXH3_state_t *state = XXH3_createState();
    MUST(state && XXH3_64bits_reset(state) == XXH_OK);
    return (struct path_hash_state *)state;
}

void path_hash_add(struct path_hash_state *state, struct str bytes) {
    (void)XXH3_64bits_update((XXH3_state_t *)state, bytes.at, bytes.len);
}

uint64_t path_hash_end(struct path_hash_state *state) {
    uint64_t hash = XXH3_64bits_digest((XXH3_state_t *)state);
    (void)XXH3_freeState((XXH3_state_t *)state);
    return hash;
}
