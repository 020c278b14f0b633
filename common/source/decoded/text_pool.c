/* SPDX-License-Identifier: Apache-2.0 */
#include "text_pool.h"

#include "alloc.h"
#include "own.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 0
#define uthash_fatal(message) abort()
#include <uthash.h>

struct idle {
    struct text_key key;
    struct text *text; /* NULL: a free place */
    uint64_t since;
};

struct measured {
    struct text_key key;
    uint64_t size;
    int64_t mtime_ns;
    struct text_end end;
    UT_hash_handle hh;
};

struct text_pool {
    pthread_mutex_t lock;
    struct idle idle[TEXT_POOL_IDLE];
    uint64_t now;
    struct measured *measured;
};

struct text_pool *text_pool_new(void) {
    struct text_pool *pool = ALLOC(struct text_pool);
    (void)pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

static void forget_measured(struct text_pool *pool) {
    struct measured *m = NULL, *next = NULL;
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): clang does not see that the table goes with its last element */
    HASH_ITER(hh, pool->measured, m, next) {
        HASH_DEL(pool->measured, m);
        free(m);
    }
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
}

void text_pool_free(struct text_pool *pool) {
    if (!pool) return;
    for (size_t i = 0; i < TEXT_POOL_IDLE; i++) text_free(pool->idle[i].text);
    forget_measured(pool);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static bool is_key(const struct text_key *a, const struct text_key *b) {
    return a->inode == b->inode && a->birth_ns == b->birth_ns && a->volume == b->volume && a->settings == b->settings;
}

struct text *text_pool_take(struct text_pool *pool, const struct text_key *key, uint64_t from) {
    LOCKED(&pool->lock);
    struct idle *best = NULL;
    for (size_t i = 0; i < TEXT_POOL_IDLE; i++) {
        struct idle *one = &pool->idle[i];
        if (!one->text || !is_key(&one->key, key) || !text_is_near(one->text, from)) continue;
        if (!best || text_at(one->text) > text_at(best->text)) best = one;
    }
    return best ? TAKE(best->text) : NULL;
}

struct text *text_pool_take_head(struct text_pool *pool, const struct text_key *key, size_t len) {
    LOCKED(&pool->lock);
    for (size_t i = 0; i < TEXT_POOL_IDLE; i++) {
        struct idle *one = &pool->idle[i];
        if (one->text && is_key(&one->key, key) && text_begins_with(one->text, len)) return TAKE(one->text);
    }
    return NULL;
}

void text_pool_give(struct text_pool *pool, const struct text_key *key, struct text *text) {
    struct text *gone = NULL;
    {
        LOCKED(&pool->lock);
        struct idle *place = &pool->idle[0];
        for (size_t i = 0; i < TEXT_POOL_IDLE && place->text; i++)
            if (!pool->idle[i].text || pool->idle[i].since < place->since) place = &pool->idle[i];
        gone = place->text;
        *place = (struct idle){*key, text, ++pool->now};
    }
    text_free(gone);
}

static struct measured *find(const struct text_pool *pool, const struct text_key *key) {
    struct measured *m = NULL;
    HASH_FIND(hh, pool->measured, key, sizeof *key, m);
    return m;
}

bool text_pool_find(struct text_pool *pool, const struct text_key *key, const struct source_stat *stat,
                    struct text_end *out) {
    LOCKED(&pool->lock);
    const struct measured *m = find(pool, key);
    if (!m || m->size != stat->size || m->mtime_ns != stat->mtime_ns) return false;
    *out = m->end;
    return true;
}

void text_pool_note(struct text_pool *pool, const struct text_key *key, const struct source_stat *stat,
                    const struct text_end *end) {
    LOCKED(&pool->lock);
    struct measured *m = find(pool, key);
    if (!m) {
        if (HASH_COUNT(pool->measured) >= TEXT_POOL_MEASURED) forget_measured(pool);
        m = ALLOC(struct measured);
        m->key = *key;
        /* clang does not see that the table is gone with its last element. */
        HASH_ADD(hh, pool->measured, key, sizeof m->key, m); // NOLINT(clang-analyzer-unix.Malloc)
    }
    m->size = stat->size;
    m->mtime_ns = stat->mtime_ns;
    m->end = *end;
}
