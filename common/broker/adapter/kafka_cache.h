/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_cache: messages of logs that were fetched once, kept in files without a name, to be read at random.
 *
 * A log's cache holds the messages [base, next) and grows at `next` only. It is a set of segment files, written once
 * and front to back; the oldest ones go when trimming says so, or when all caches together are over their bound: then
 * the largest cache gives up its oldest segment, and who still wants that has to fetch it again. The files are unlinked
 * before they hold anything, so they end with the process, however it ends.
 *
 * Memory: 16 bytes a message. Descriptors: one a segment, about 64 when full, and one a log. Threads: any, but a cache
 * grows by one at a time; reading does not hold up growing. Fails: RC_LIMIT when the disk is full (nothing was added),
 * RC_BROKEN when it reads back something else than was written. */
#ifndef SLUICE_KAFKA_CACHE_H
#define SLUICE_KAFKA_CACHE_H

#include "buf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct kafka_cache;

/* What the caches share. */
struct kafka_cache_space {
    char *dir;
    uint64_t bytes_max;
    size_t segment_bytes;
    pthread_mutex_t lock;
    struct kafka_cache *first; /* under lock */
    _Atomic uint64_t bytes;
};

struct kafka_segment;

struct kafka_cache {
    struct kafka_cache_space *space;
    struct kafka_cache *sibling;
    pthread_mutex_t lock;
    struct kafka_segment **segments; /* under lock: oldest first */
    size_t segments_len, segments_room;
    uint64_t base, next; /* under lock */
    _Atomic uint64_t bytes;
};

/* RC_DENIED when the folder cannot be written. */
RC kafka_cache_space_init(struct kafka_cache_space *space, const char *dir, uint64_t bytes_max, struct why *why);
void kafka_cache_space_done(struct kafka_cache_space *space);

void kafka_cache_init(struct kafka_cache *cache, struct kafka_cache_space *space);
void kafka_cache_done(struct kafka_cache *cache);
void kafka_cache_window(struct kafka_cache *cache, uint64_t *out_base, uint64_t *out_next);
/* Forgets everything; the next message to add is `offset`. */
void kafka_cache_reset(struct kafka_cache *cache, uint64_t offset);
/* Adds the message at `next`; `hole`: there is none, and it will read as RC_ABSENT. */
RC kafka_cache_add(struct kafka_cache *cache, struct str message, bool hole, struct why *why);
/* Forgets whole segments below `offset`. */
void kafka_cache_drop(struct kafka_cache *cache, uint64_t offset);
/* The first `max` bytes of a message added to `out`, and its length; checked when they are all of it.
 * RC_STALE: not in the window. RC_ABSENT: a hole. RC_LIMIT: over out's cap. */
RC kafka_cache_read(struct kafka_cache *cache, uint64_t offset, size_t max, struct buf *out, uint64_t *out_len,
                    struct why *why);

#endif
