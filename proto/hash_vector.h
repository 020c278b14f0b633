/* SPDX-License-Identifier: Apache-2.0 */
/* hash_vector: xxhash.h, its XXH3 by the widest vectors that this processor has where the library brings them (Debian's
 * does on x86-64): two to three times as fast as its plain functions, which stop at SSE2. For files that include
 * xxhash.h otherwise. */
#ifndef SLUICE_HASH_VECTOR_H
#define SLUICE_HASH_VECTOR_H

#ifdef SLUICE_XXH_DISPATCH
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#endif
