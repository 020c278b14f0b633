/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_cache.h"

#include "alloc.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    SEGMENTS_WANTED = 64, /* of the whole space: what is given up at once is small beside what is kept */
    SEGMENT_BYTES_MIN = 64 * 1024,
    SEGMENT_BYTES_MAX = 64 * 1024 * 1024,
    SEGMENT_MESSAGES_MAX = 16384
};
static const uint32_t HOLE = UINT32_MAX;

struct entry {
    uint32_t at, len;
    uint64_t hash;
};

/* `entries`, `count` and `bytes` change under the cache's lock; a reader holds `refs`. */
struct kafka_segment {
    int fd;
    atomic_uint refs;
    uint64_t base;
    size_t count, room;
    uint32_t bytes;
    struct entry *entries;
};

/* ---- segments ---- */

static int nameless_file(const char *dir) {
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    char *path = NULL; /* a file system without such files */
    MUST(asprintf(&path, "%s/blocks.XXXXXX", dir) > 0);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) (void)unlink(path);
    free(path);
    return fd;
}

static void segment_release(struct kafka_segment *segment) {
    if (atomic_fetch_sub(&segment->refs, 1) > 1) return;
    (void)close(segment->fd);
    free(segment->entries);
    free(segment);
}

/* Takes the oldest segment out; under the cache's lock. */
static void drop_oldest(struct kafka_cache *cache) {
    struct kafka_segment *segment = cache->segments[0];
    cache->segments_len--;
    memmove(cache->segments, cache->segments + 1, cache->segments_len * sizeof(struct kafka_segment *));
    cache->base = segment->base + segment->count;
    (void)atomic_fetch_sub(&cache->bytes, segment->bytes);
    (void)atomic_fetch_sub(&cache->space->bytes, segment->bytes);
    metric_move(METRIC_BROKER_CACHE, -(int64_t)segment->bytes);
    segment_release(segment);
}

static RC cannot(int error, const char *dir, struct why *why) {
    enum rc rc = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMFILE || error == ENFILE ? RC_LIMIT
                 : error == EIO                                                                             ? RC_BROKEN
                                                                                                            : RC_DENIED;
    return why_errno(why, rc, error, "broker: the cache of blocks in %s", dir);
}

static RC begin_segment(struct kafka_cache *cache, struct why *why) {
    int fd = nameless_file(cache->space->dir);
    if (fd < 0) return cannot(errno, cache->space->dir, why);
    struct kafka_segment *segment = ALLOC(struct kafka_segment);
    segment->fd = fd;
    atomic_init(&segment->refs, 1);
    LOCKED(&cache->lock);
    segment->base = cache->next;
    alloc_grow(&cache->segments, &cache->segments_room, cache->segments_len + 1, sizeof segment);
    cache->segments[cache->segments_len++] = segment;
    return RC_OK;
}

/* ---- space ---- */

enum rc kafka_cache_space_init(struct kafka_cache_space *space, const char *dir, uint64_t bytes_max, struct why *why) {
    uint64_t segment = bytes_max / SEGMENTS_WANTED;
    segment = MIN(MAX(segment, (uint64_t)SEGMENT_BYTES_MIN), (uint64_t)SEGMENT_BYTES_MAX);
    int fd = nameless_file(dir);
    if (fd < 0) return why_errno(why, RC_DENIED, errno, "broker: the folder for cached blocks, %s", dir);
    (void)close(fd);
    *space = (struct kafka_cache_space){
        .dir = alloc_text(dir, strlen(dir)), .bytes_max = bytes_max, .segment_bytes = (size_t)segment};
    (void)pthread_mutex_init(&space->lock, NULL);
    return RC_OK;
}

void kafka_cache_space_done(struct kafka_cache_space *space) {
    if (!space->dir) return;
    MUST(!space->first && atomic_load(&space->bytes) == 0);
    (void)pthread_mutex_destroy(&space->lock);
    free(TAKE(space->dir));
}

/* The largest cache gives up its oldest segment; false when none has more than the one that it writes to. The caller
 * holds the space's lock and no cache's. */
static bool give_up_one(struct kafka_cache_space *space) {
    struct kafka_cache *largest = NULL;
    for (struct kafka_cache *cache = space->first; cache; cache = cache->sibling) {
        if (largest && atomic_load(&cache->bytes) <= atomic_load(&largest->bytes)) continue;
        LOCKED(&cache->lock);
        if (cache->segments_len > 1) largest = cache;
    }
    if (!largest) return false;
    LOCKED(&largest->lock);
    if (largest->segments_len > 1) drop_oldest(largest);
    return true;
}

static void keep_bound(struct kafka_cache_space *space) {
    if (atomic_load(&space->bytes) <= space->bytes_max) return;
    LOCKED(&space->lock);
    while (atomic_load(&space->bytes) > space->bytes_max && give_up_one(space)) {
    }
}

/* ---- one log's cache ---- */

void kafka_cache_init(struct kafka_cache *cache, struct kafka_cache_space *space) {
    *cache = (struct kafka_cache){.space = space};
    (void)pthread_mutex_init(&cache->lock, NULL);
    LOCKED(&space->lock);
    cache->sibling = space->first;
    space->first = cache;
}

void kafka_cache_done(struct kafka_cache *cache) {
    if (!cache->space) return;
    kafka_cache_reset(cache, 0);
    {
        LOCKED(&cache->space->lock);
        struct kafka_cache **link = &cache->space->first;
        while (*link != cache) link = &(*link)->sibling;
        *link = cache->sibling;
    }
    free(cache->segments);
    (void)pthread_mutex_destroy(&cache->lock);
    cache->space = NULL;
}

void kafka_cache_window(struct kafka_cache *cache, uint64_t *out_base, uint64_t *out_next) {
    LOCKED(&cache->lock);
    *out_base = cache->base;
    *out_next = cache->next;
}

void kafka_cache_reset(struct kafka_cache *cache, uint64_t offset) {
    LOCKED(&cache->lock);
    while (cache->segments_len > 0) drop_oldest(cache);
    cache->base = cache->next = offset;
}

void kafka_cache_drop(struct kafka_cache *cache, uint64_t offset) {
    LOCKED(&cache->lock);
    while (cache->segments_len > 0 && cache->segments[0]->base + cache->segments[0]->count <= offset)
        drop_oldest(cache);
    if (cache->segments_len == 0) cache->base = cache->next;
}

static bool is_full(const struct kafka_cache *cache, size_t more) {
    const struct kafka_segment *last = cache->segments[cache->segments_len - 1];
    return last->count == SEGMENT_MESSAGES_MAX || (last->count > 0 && last->bytes + more > cache->space->segment_bytes);
}

static RC write_at(const struct kafka_cache *cache, const struct kafka_segment *segment, struct str message,
                   struct why *why) {
    size_t done = 0;
    while (done < message.len) {
        ssize_t n = pwrite(segment->fd, message.at + done, message.len - done, (off_t)(segment->bytes + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return cannot(n < 0 ? errno : ENOSPC, cache->space->dir, why);
        done += (size_t)n;
    }
    return RC_OK;
}

/* The segment to write to: what it is only the one that grows the cache changes, but for drops of older ones. */
static RC writable(struct kafka_cache *cache, size_t more, struct kafka_segment **out, struct why *why) {
    bool need = false;
    {
        LOCKED(&cache->lock);
        need = cache->segments_len == 0 || is_full(cache, more);
    }
    if (need) TRY(begin_segment(cache, why));
    LOCKED(&cache->lock);
    *out = cache->segments[cache->segments_len - 1];
    (void)atomic_fetch_add(&(*out)->refs, 1);
    return RC_OK;
}

static void segment_unref(struct kafka_segment **segment) {
    if (*segment) segment_release(*segment);
}

enum rc kafka_cache_add(struct kafka_cache *cache, struct str message, bool hole, struct why *why) {
    AUTO(segment_unref) struct kafka_segment *segment = NULL;
    MUST(message.len < SEGMENT_BYTES_MAX * 8UL);
    if (hole) message.len = 0;
    TRY(writable(cache, message.len, &segment, why));
    TRY(write_at(cache, segment, message, why));
    struct entry entry = {segment->bytes, hole ? HOLE : (uint32_t)message.len, XXH3_64bits(message.at, message.len)};
    {
        LOCKED(&cache->lock);
        /* A trim may have dropped it meanwhile, for all that was in it was not needed; then this one is not either. */
        bool kept = cache->segments_len > 0 && cache->segments[cache->segments_len - 1] == segment;
        cache->next++;
        if (!kept) {
            cache->base = cache->next;
            return RC_OK;
        }
        alloc_grow(&segment->entries, &segment->room, segment->count + 1, sizeof entry);
        segment->entries[segment->count++] = entry;
        segment->bytes += (uint32_t)message.len;
        (void)atomic_fetch_add(&cache->bytes, message.len);
        (void)atomic_fetch_add(&cache->space->bytes, message.len);
    }
    metric_move(METRIC_BROKER_CACHE, (int64_t)message.len);
    keep_bound(cache->space);
    return RC_OK;
}

/* ---- reading ---- */

/* The last segment whose base is not above `offset`; under the lock, offset in the window. */
static struct kafka_segment *segment_of(const struct kafka_cache *cache, uint64_t offset) {
    size_t low = 0, high = cache->segments_len;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (cache->segments[middle]->base <= offset)
            low = middle;
        else
            high = middle;
    }
    return cache->segments[low];
}

static RC find(struct kafka_cache *cache, uint64_t offset, struct entry *out, struct kafka_segment **out_segment) {
    LOCKED(&cache->lock);
    if (offset < cache->base || offset >= cache->next) return RC_STALE;
    struct kafka_segment *segment = segment_of(cache, offset);
    *out = segment->entries[offset - segment->base];
    if (out->len == HOLE) return RC_ABSENT;
    (void)atomic_fetch_add(&segment->refs, 1);
    *out_segment = segment;
    return RC_OK;
}

static RC read_at(int fd, char *to, size_t len, off_t at, struct why *why) {
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, to + done, len - done, at + (off_t)done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return why_errno(why, RC_BROKEN, errno, "broker: reading the cache of blocks");
        if (n == 0) return why_set(why, RC_BROKEN, "broker: the cache of blocks is shorter than it was written");
        done += (size_t)n;
    }
    return RC_OK;
}

enum rc kafka_cache_read(struct kafka_cache *cache, uint64_t offset, size_t max, struct buf *out, uint64_t *out_len,
                         struct why *why) {
    AUTO(segment_unref) struct kafka_segment *segment = NULL;
    struct entry entry;
    enum rc rc = find(cache, offset, &entry, &segment);
    if (rc != RC_OK) return rc;
    size_t len = MIN(max, (size_t)entry.len);
    if (buf_reserve(out, len) != RC_OK)
        return why_set(why, RC_LIMIT, "broker: no room for %zu bytes of message %llu", len, (unsigned long long)offset);
    if (len > 0) TRY(read_at(segment->fd, out->at + out->len, len, (off_t)entry.at, why));
    if (len == entry.len && XXH3_64bits(len ? out->at + out->len : "", len) != entry.hash)
        return why_set(why, RC_BROKEN,
                       "broker: the cache of blocks does not hold what was written to it (message %llu)",
                       (unsigned long long)offset);
    out->len += len;
    *out_len = entry.len;
    return RC_OK;
}
