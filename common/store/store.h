/* SPDX-License-Identifier: Apache-2.0 */
/* store: objects by key. put_absent is what decides seals and names: of two that put the same key, one wins.
 *
 * A key is a slash-separated path: no empty, "." or ".." component, no NUL byte, no component above 255 bytes (what a
 * file system takes), at most 1,024 bytes, and its first component is not ".tmp" (where a directory keeps what is not
 * finished). No key may be a directory of another key: a store may refuse the second one with RC_DENIED.
 * An object appears whole or not at all, and is durable when put, put_absent or finish return (the directory adapter
 * syncs the file, then its name). So is the object that an RC_STALE tells of; a power cut may undo a remove. A reader
 * gets the object that was there when its call began, or a newer one, never a mix. Any other failure of put,
 * put_absent, finish or remove leaves it open whether it was done: ask again.
 *
 * An upload that nobody finishes or aborts (its process died) may stay where it is, seen by no listing, until somebody
 * removes it by store_uploads() and store_upload_remove().
 *
 * A store whose keys are text (S3) refuses those that are not UTF-8, or hold control characters,
 * with RC_BAD.
 *
 * Threads: the handle by any; an upload by one at a time. Memory: an upload buffers at most one part.
 * Fails: RC_BAD (no key as above), RC_BUSY (not reachable, throttled), RC_STALE (put_absent: there is one), RC_ABSENT
 * (no such object), RC_LIMIT (no space, key too long, get: more than the buffer's cap), RC_DENIED (permission,
 * credentials, something in the way), RC_BROKEN (I/O error), RC_STOP (store_fault.h). */
#ifndef SLUICE_STORE_H
#define SLUICE_STORE_H

#include "buf.h"
#include "rc.h"
#include "str.h"

enum { STORE_KEY_MAX = 1024, STORE_NAME_MAX = 255 };
#define STORE_RESERVED ".tmp"

/* Called for each object in ascending order of key (bytes as in memcmp; a prefix first); anything but RC_OK ends the
 * listing and is returned. `key` is valid during the call, which may use the store. What is put or removed while the
 * listing runs may or may not be told. */
typedef enum rc (*store_visit)(void *context, struct str key, uint64_t bytes);

/* Called for each unfinished upload, in no particular order; anything but RC_OK ends it and is returned. `key` is empty
 * where the store does not know it (a directory). `upload` is what store_upload_remove() wants. started_ns: since the
 * Unix epoch, by the store's clock, to a second. */
typedef enum rc (*store_upload_visit)(void *context, struct str key, struct str upload, int64_t started_ns);

struct store_upload_ops {
    enum rc (*part)(void *self, struct str bytes, struct why *why);
    enum rc (*finish_absent)(void *self, struct why *why); /* frees self, whatever it returns */
    void (*abort)(void *self);                             /* frees self */
};
struct store_upload {
    const struct store_upload_ops *ops; /* NULL: none, or used up */
    void *self;
};

/* One object of store_put_absent_many. */
struct store_item {
    struct str key, bytes;
};

struct store_ops {
    enum rc (*put)(void *self, struct str key, struct str bytes, struct why *why);
    enum rc (*put_absent)(void *self, struct str key, struct str bytes, struct why *why);
    /* out_rcs[i] holds the outcome of checking items[i].key, and the item is only tried where that is RC_OK. NULL: one
     * put_absent after the other. */
    void (*put_absent_many)(void *self, const struct store_item *items, size_t n, enum rc *out_rcs, struct why *why);
    enum rc (*get)(void *self, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why);
    enum rc (*size)(void *self, struct str key, uint64_t *out_bytes, struct why *why);
    enum rc (*list)(void *self, struct str prefix, struct str after, store_visit visit, void *context, struct why *why);
    enum rc (*remove)(void *self, struct str key, struct why *why);
    enum rc (*upload)(void *self, struct str key, struct store_upload *out, struct why *why);
    enum rc (*uploads)(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why);
    enum rc (*upload_remove)(void *self, struct str key, struct str upload, struct why *why);
    void (*free)(void *self);
};
/* An adapter is called through the functions below only, which have checked keys and prefixes. */
struct store {
    const struct store_ops *ops;
    void *self;
};

/* RC_OK, RC_BAD or RC_LIMIT for a key as described above; `why` names what is wrong, with the key cut to a line. */
RC store_key_check(struct str key, struct why *why);

/* Puts or replaces. */
RC store_put(struct store store, struct str key, struct str bytes, struct why *why);
/* RC_STALE when the key exists; the object there is untouched. */
RC store_put_absent(struct store store, struct str key, struct str bytes, struct why *why);
/* Many small objects, each as by store_put_absent and with its own outcome in out_rcs[i], in no particular order: what
 * ends the process in the middle leaves any of them, each whole. Cheaper than one call for each where an object's
 * durability costs a wait (the directory waits for a group of files, then names them). RC_OK when every outcome is
 * RC_OK or RC_STALE; else the first other outcome, which `why` is about. All are durable on return that say RC_OK or
 * RC_STALE. */
RC store_put_absent_many(struct store store, const struct store_item *items, size_t n, enum rc *out_rcs,
                         struct why *why);
/* Appends up to `len` bytes from offset `from` to `out`; fewer at the object's end; none behind it. On a failure `out`
 * is as it was (but .over is set after an RC_LIMIT). */
RC store_get(struct store store, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why);
RC store_size(struct store store, struct str key, uint64_t *out_bytes, struct why *why);
/* Objects whose key starts with `prefix` and is above `after` (empty: from the first). `prefix` is the start of a key,
 * cut anywhere, or empty. Uploads under way are not listed. */
RC store_list(struct store store, struct str prefix, struct str after, store_visit visit, void *context,
              struct why *why);
/* Removing what is not there is RC_OK. */
RC store_remove(struct store store, struct str key, struct why *why);

/* A large object in parts of any size (the adapter joins them to what its backend wants). */
RC store_upload_begin(struct store store, struct str key, struct store_upload *out, struct why *why);
/* After a failure only abort is left to do. */
RC store_upload_part(struct store_upload *upload, struct str bytes, struct why *why);
/* Makes it appear, only if absent (RC_STALE: there is one, and the upload is gone); the handle is used up on every
 * outcome. */
RC store_upload_finish_absent(struct store_upload *upload, struct why *why);
/* Nothing appears. NULL and used-up handles are fine. Works with AUTO(). */
void store_upload_abort(struct store_upload *upload);
/* What is under way below `prefix`, by any process, and what dead ones left: who removes asks how old it is. Where a
 * store does not know keys, an upload is below the empty prefix only. A small upload may not be known to the store yet.
 */
RC store_uploads(struct store store, struct str prefix, store_upload_visit visit, void *context, struct why *why);
/* Removes what was gathered of it; if it is under way after all, it fails (or, in
 * a bucket, where a part was just arriving, ends whole). What is not there (any more) is RC_OK. `key`
 * as the visitor was told, also the empty one. */
RC store_upload_remove(struct store store, struct str key, struct str upload, struct why *why);
/* All uploads must be over. A handle without ops is fine. */
void store_free(struct store store);

#endif
