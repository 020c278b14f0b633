/* SPDX-License-Identifier: Apache-2.0 */
/* path_hash: XXH3-64, for tables of keys and for names that were cut. Not for secrets: whoever looks a key up compares
 * it too. Threads: pure. */
#ifndef SLUICE_PATH_HASH_H
#define SLUICE_PATH_HASH_H

#include "str.h"

#include <stdint.h>

uint64_t path_hash(struct str bytes);

/* Of text that comes in parts and is never whole in memory. path_hash_end() gives the hash and frees. */
struct path_hash_state;
struct path_hash_state *path_hash_begin(void);
void path_hash_add(struct path_hash_state *state, struct str bytes);
uint64_t path_hash_end(struct path_hash_state *state);

#endif
