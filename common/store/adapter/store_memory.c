/* SPDX-License-Identifier: Apache-2.0 */
#include "store_memory.h"

#include "alloc.h"
#include "clock.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct object {
    char *key;
    size_t key_len;
    char *bytes;
    size_t len;
};

static struct str key_of(const struct object *object) { return (struct str){object->key, object->key_len}; }

/* The world; a handle is a counted pointer to it. Objects are sorted by key. */
struct memory {
    pthread_mutex_t lock;
    unsigned handles;
    struct object *objects;
    size_t len, room;
    struct upload *uploads;
    uint64_t next_upload;
};

struct upload {
    struct memory *memory;
    struct buf bytes;
    char *key;
    size_t key_len;
    uint64_t number;
    int64_t started_ns;
    bool removed;        /* by somebody, while it was under way */
    struct upload *next; /* in the world's list, newest first */
};

/* The first object whose key is not below `key`. */
static size_t place_of(const struct memory *memory, struct str key) {
    size_t from = 0, to = memory->len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_compare(key_of(&memory->objects[middle]), key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct object *find(const struct memory *memory, struct str key) {
    size_t at = place_of(memory, key);
    return at < memory->len && str_equal(key_of(&memory->objects[at]), key) ? &memory->objects[at] : NULL;
}

/* Is `key` a directory of another object, or another object a directory of it? */
static RC check_way(const struct memory *memory, struct str key, struct why *why) {
    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] == '/' && find(memory, str_sub(key, 0, i)))
            return why_set(why, RC_DENIED, "%.*s: the object %.*s is in the way", STR_ARG(key), (int)i, key.at);
    char below[STORE_KEY_MAX + 1];
    memcpy(below, key.at, key.len);
    below[key.len] = '/';
    struct str directory = {below, key.len + 1};
    size_t at = place_of(memory, directory);
    if (at < memory->len && str_starts(key_of(&memory->objects[at]), directory))
        return why_set(why, RC_DENIED, "%.*s: a directory of this name is in the way", STR_ARG(key));
    return RC_OK;
}

static RC place(struct memory *memory, struct str key, struct str bytes, bool absent, struct why *why) {
    LOCKED(&memory->lock);
    struct object *object = find(memory, key);
    if (object && absent) return why_set(why, RC_STALE, "%.*s is there already", STR_ARG(key));
    if (!object) {
        TRY(check_way(memory, key, why));
        size_t at = place_of(memory, key);
        alloc_grow(&memory->objects, &memory->room, memory->len + 1, sizeof *object);
        object = &memory->objects[at];
        memmove(object + 1, object, (memory->len - at) * sizeof *object);
        memory->len++;
        *object = (struct object){.key = alloc_text(key.at, key.len), .key_len = key.len};
    }
    free(object->bytes);
    object->bytes = alloc_text(bytes.at, bytes.len);
    object->len = bytes.len;
    return RC_OK;
}

static enum rc memory_put(void *self, struct str key, struct str bytes, struct why *why) {
    return place(self, key, bytes, false, why);
}

static enum rc memory_put_absent(void *self, struct str key, struct str bytes, struct why *why) {
    return place(self, key, bytes, true, why);
}

static enum rc absent(struct str key, struct why *why) {
    return why_set(why, RC_ABSENT, "%.*s: no such object", STR_ARG(key));
}

static enum rc memory_get(void *self, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    struct memory *memory = self;
    LOCKED(&memory->lock);
    const struct object *object = find(memory, key);
    if (!object) return absent(key, why);
    if (from >= object->len) return RC_OK;
    size_t n = (size_t)MIN(len, object->len - from);
    if (buf_reserve(out, n) != RC_OK)
        return why_set(why, RC_LIMIT, "%.*s: %zu bytes are more than the buffer takes", STR_ARG(key), n);
    buf_add(out, (struct str){object->bytes + from, n});
    return RC_OK;
}

static enum rc memory_size(void *self, struct str key, uint64_t *out_bytes, struct why *why) {
    struct memory *memory = self;
    LOCKED(&memory->lock);
    const struct object *object = find(memory, key);
    if (!object) return absent(key, why);
    *out_bytes = object->len;
    return RC_OK;
}

/* Copies key and size of the first object at or above `low`, or above it, so that the visitor runs without the lock. */
static bool next_object(struct memory *memory, struct str low, bool above, struct buf *key, uint64_t *bytes) {
    LOCKED(&memory->lock);
    size_t at = place_of(memory, low);
    if (above && at < memory->len && str_equal(key_of(&memory->objects[at]), low)) at++;
    if (at == memory->len) return false;
    buf_reset(key);
    buf_add(key, key_of(&memory->objects[at]));
    *bytes = memory->objects[at].len;
    return true;
}

static enum rc memory_list(void *self, struct str prefix, struct str after, store_visit visit, void *context,
                           struct why *why) {
    (void)why;
    AUTO(buf_done) struct buf key = BUF_INIT(STORE_KEY_MAX), last = BUF_INIT(STORE_KEY_MAX);
    bool above = str_compare(after, prefix) >= 0;
    struct str low = above ? after : prefix;
    uint64_t bytes = 0;
    while (next_object(self, low, above, &key, &bytes) && str_starts(buf_str(&key), prefix)) {
        TRY(visit(context, buf_str(&key), bytes));
        buf_reset(&last);
        buf_add(&last, buf_str(&key));
        low = buf_str(&last);
        above = true;
    }
    return RC_OK;
}

static enum rc memory_remove(void *self, struct str key, struct why *why) {
    (void)why;
    struct memory *memory = self;
    LOCKED(&memory->lock);
    struct object *object = find(memory, key);
    if (!object) return RC_OK;
    free(object->key);
    free(object->bytes);
    size_t at = (size_t)(object - memory->objects);
    memmove(object, object + 1, (memory->len - at - 1) * sizeof *object);
    memory->len--;
    return RC_OK;
}

static enum rc upload_part(void *self, struct str bytes, struct why *why) {
    (void)why;
    struct upload *upload = self;
    buf_add(&upload->bytes, bytes);
    return RC_OK;
}

static void forget_upload(struct memory *memory, const struct upload *upload) {
    LOCKED(&memory->lock);
    struct upload **at = &memory->uploads;
    while (*at && *at != upload) at = &(*at)->next;
    if (*at) *at = upload->next;
}

static bool was_removed(struct memory *memory, const struct upload *upload) {
    LOCKED(&memory->lock);
    return upload->removed;
}

static void upload_abort(void *self) {
    struct upload *upload = self;
    forget_upload(upload->memory, upload);
    buf_done(&upload->bytes);
    free(upload->key);
    free(upload);
}

static enum rc upload_finish(void *self, struct why *why) {
    struct upload *upload = self;
    struct str key = {upload->key, upload->key_len};
    enum rc rc = was_removed(upload->memory, upload)
                     ? why_set(why, RC_BUSY, "%.*s: somebody removed the upload", STR_ARG(key))
                     : place(upload->memory, key, buf_str(&upload->bytes), true, why);
    upload_abort(upload);
    return rc;
}

static const struct store_upload_ops upload_ops = {
    .part = upload_part, .finish_absent = upload_finish, .abort = upload_abort};

static enum rc memory_upload(void *self, struct str key, struct store_upload *out, struct why *why) {
    (void)why;
    struct upload *upload = ALLOC(struct upload);
    *upload = (struct upload){.memory = self, .bytes = BUF_INIT(SIZE_MAX - 1), .key_len = key.len};
    upload->key = alloc_text(key.at, key.len);
    upload->started_ns = clock_wall_ns(clock_real());
    LOCKED(&upload->memory->lock);
    upload->number = ++upload->memory->next_upload;
    upload->next = upload->memory->uploads;
    upload->memory->uploads = upload;
    *out = (struct store_upload){&upload_ops, upload};
    return RC_OK;
}

/* Copies what is told of the newest upload below `number`, so that the visitor runs without the lock. */
static bool older_upload(struct memory *memory, struct buf *key, uint64_t *number, int64_t *started_ns) {
    LOCKED(&memory->lock);
    const struct upload *upload = memory->uploads;
    while (upload && (upload->number >= *number || upload->removed)) upload = upload->next;
    if (!upload) return false;
    buf_reset(key);
    buf_add(key, (struct str){upload->key, upload->key_len});
    *number = upload->number;
    *started_ns = upload->started_ns;
    return true;
}

static enum rc memory_uploads(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why) {
    (void)why;
    AUTO(buf_done) struct buf key = BUF_INIT(STORE_KEY_MAX);
    uint64_t number = UINT64_MAX;
    int64_t started_ns = 0;
    while (older_upload(self, &key, &number, &started_ns)) {
        char id[32];
        (void)snprintf(id, sizeof id, "%" PRIu64, number);
        if (str_starts(buf_str(&key), prefix)) TRY(visit(context, buf_str(&key), str_of(id), started_ns));
    }
    return RC_OK;
}

static enum rc memory_upload_remove(void *self, struct str key, struct str id, struct why *why) {
    (void)key, (void)why;
    struct memory *memory = self;
    uint64_t number = 0;
    if (str_parse_u64(id, &number) != RC_OK) return RC_OK;
    LOCKED(&memory->lock);
    for (struct upload *upload = memory->uploads; upload; upload = upload->next)
        if (upload->number == number) upload->removed = true;
    return RC_OK;
}

static bool drop_handle(struct memory *memory) {
    LOCKED(&memory->lock);
    return --memory->handles == 0;
}

static void memory_free(void *self) {
    struct memory *memory = self;
    if (!drop_handle(memory)) return;
    for (size_t i = 0; i < memory->len; i++) {
        free(memory->objects[i].key);
        free(memory->objects[i].bytes);
    }
    free(memory->objects);
    (void)pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static const struct store_ops ops = {
    .put = memory_put,
    .put_absent = memory_put_absent,
    .get = memory_get,
    .size = memory_size,
    .list = memory_list,
    .remove = memory_remove,
    .upload = memory_upload,
    .uploads = memory_uploads,
    .upload_remove = memory_upload_remove,
    .free = memory_free,
};

struct store store_memory_new(void) {
    struct memory *memory = ALLOC(struct memory);
    (void)pthread_mutex_init(&memory->lock, NULL);
    memory->handles = 1;
    return (struct store){&ops, memory};
}

struct store store_memory_again(struct store store) {
    MUST(store.ops == &ops);
    struct memory *memory = store.self;
    LOCKED(&memory->lock);
    memory->handles++;
    return store;
}
