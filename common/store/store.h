/* SPDX-License-Identifier: Apache-2.0 */
/* store: objects by key. put_absent is what decides seals and names: of two that put the same key, one wins.
 *
 * A key is a slash-separated path (no empty, "." or ".." component), at most 1,024 bytes. An object appears whole or
 * not at all, and is durable when put, put_absent or finish return (the directory adapter syncs the file, then its
 * name).
 *
 * Threads: the handle by any; an upload by one at a time. Memory: an upload buffers at most one part.
 * Fails: RC_BUSY (not reachable, throttled), RC_STALE (put_absent: there is one), RC_ABSENT, RC_LIMIT (no space, key
 * too long), RC_DENIED (permission, credentials), RC_BROKEN. */
#ifndef SLUICE_STORE_H
#define SLUICE_STORE_H

#include "buf.h"
#include "rc.h"
#include "str.h"

/* Called for each object in ascending order of key; anything but RC_OK ends the listing and is returned. */
typedef enum rc (*store_visit)(void *context, struct str key, uint64_t bytes);

struct store_upload_ops {
    enum rc (*part)(void *self, struct str bytes, struct why *why);
    enum rc (*finish_absent)(void *self, struct why *why);
    void (*abort)(void *self);
};
struct store_upload {
    const struct store_upload_ops *ops;
    void *self;
};

struct store_ops {
    enum rc (*put)(void *self, struct str key, struct str bytes, struct why *why);
    enum rc (*put_absent)(void *self, struct str key, struct str bytes, struct why *why);
    enum rc (*get)(void *self, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why);
    enum rc (*size)(void *self, struct str key, uint64_t *out_bytes, struct why *why);
    enum rc (*list)(void *self, struct str prefix, struct str after, store_visit visit, void *context, struct why *why);
    enum rc (*remove)(void *self, struct str key, struct why *why);
    enum rc (*upload)(void *self, struct str key, struct store_upload *out, struct why *why);
    void (*free)(void *self);
};
struct store {
    const struct store_ops *ops;
    void *self;
};

/* Puts or replaces. */
RC store_put(struct store store, struct str key, struct str bytes, struct why *why);
/* RC_STALE when the key exists; the object there is untouched. */
RC store_put_absent(struct store store, struct str key, struct str bytes, struct why *why);
/* Appends up to `len` bytes from offset `from` to `out`; fewer at the object's end; none behind it. */
RC store_get(struct store store, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why);
RC store_size(struct store store, struct str key, uint64_t *out_bytes, struct why *why);
/* Objects whose key starts with `prefix` and is above `after` (empty: from the first). Uploads under way are not
 * listed. */
RC store_list(struct store store, struct str prefix, struct str after, store_visit visit, void *context,
              struct why *why);
/* Removing what is not there is RC_OK. */
RC store_remove(struct store store, struct str key, struct why *why);

/* A large object in parts of any size (the adapter joins them to what its backend wants). */
RC store_upload_begin(struct store store, struct str key, struct store_upload *out, struct why *why);
RC store_upload_part(struct store_upload *upload, struct str bytes, struct why *why);
/* Makes it appear, only if absent (RC_STALE: there is one, and the upload is gone); the handle is used up on every
 * outcome. */
RC store_upload_finish_absent(struct store_upload *upload, struct why *why);
/* Nothing appears. NULL and used-up handles are fine. */
void store_upload_abort(struct store_upload *upload);
void store_free(struct store store);

#endif
