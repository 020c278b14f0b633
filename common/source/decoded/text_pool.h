/* SPDX-License-Identifier: Apache-2.0 */
/* text_pool: texts that nobody reads at the moment, and how long the texts of files are.
 *
 * A text that was read up to some place goes on there for whoever comes next; without it the file is decoded from its
 * start. What was measured is good for as long as the file's size and time of modification are the same.
 *
 * Memory: TEXT_POOL_IDLE texts, 250 bytes a measured file up to TEXT_POOL_MEASURED. Threads: any. Fails: never. */
#ifndef SLUICE_SOURCE_TEXT_POOL_H
#define SLUICE_SOURCE_TEXT_POOL_H

#include "text.h"

enum { TEXT_POOL_IDLE = 8, TEXT_POOL_MEASURED = 16384 };

struct text_pool;

/* Whose text: the file's incarnation, decoded in this way. */
struct text_key {
    uint64_t inode;
    int64_t birth_ns;
    uint64_t volume;
    uint64_t settings; /* a number that stands for them */
};

struct text_pool *text_pool_new(void);
void text_pool_free(struct text_pool *pool);
/* The one that is furthest of those that can be read from `from` on, or NULL. */
struct text *text_pool_take(struct text_pool *pool, const struct text_key *key, uint64_t from);
/* Any one that has the text's first `len` bytes, or NULL. */
struct text *text_pool_take_head(struct text_pool *pool, const struct text_key *key, size_t len);
/* Takes the text over; another one may have to go. */
void text_pool_give(struct text_pool *pool, const struct text_key *key, struct text *text);
/* False: not known of a file of this size and time. */
bool text_pool_find(struct text_pool *pool, const struct text_key *key, const struct source_stat *stat,
                    struct text_end *out);
void text_pool_note(struct text_pool *pool, const struct text_key *key, const struct source_stat *stat,
                    const struct text_end *end);

#endif
