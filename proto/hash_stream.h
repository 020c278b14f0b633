/* SPDX-License-Identifier: Apache-2.0 */
/* hash_stream: hash_bytes() of what comes in pieces. Memory: about 600 bytes. Threads: one at a time. Fails: never. */
#ifndef SLUICE_HASH_STREAM_H
#define SLUICE_HASH_STREAM_H

#include "str.h"

struct hash_stream;

struct hash_stream *hash_stream_new(void);
void hash_stream_free(struct hash_stream *stream);
static inline void hash_stream_done(struct hash_stream **stream) { hash_stream_free(*stream); }
void hash_stream_add(struct hash_stream *stream, struct str bytes);
/* Of all that was added so far. */
uint64_t hash_stream_end(const struct hash_stream *stream);

#endif
