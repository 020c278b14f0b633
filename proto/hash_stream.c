/* SPDX-License-Identifier: Apache-2.0 */
#include "hash_stream.h"

#include "hash_vector.h"
#include "must.h"

/* The opaque state of xxHash under our name: XXH3_createState() aligns it as it wants. */
struct hash_stream *hash_stream_new(void) {
    XXH3_state_t *state = XXH3_createState();
    MUST(state != NULL && XXH3_64bits_reset(state) == XXH_OK);
    return (struct hash_stream *)state;
}

void hash_stream_free(struct hash_stream *stream) { (void)XXH3_freeState((XXH3_state_t *)stream); }

void hash_stream_add(struct hash_stream *stream, struct str bytes) {
    MUST(XXH3_64bits_update((XXH3_state_t *)stream, bytes.at, bytes.len) == XXH_OK);
}

uint64_t hash_stream_end(const struct hash_stream *stream) { return XXH3_64bits_digest((const XXH3_state_t *)stream); }
