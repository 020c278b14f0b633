/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "must.h"

/* As much of a key as a message shows. */
enum { SHOWN_MAX = 200 };

static enum rc bad_key(struct str key, enum rc rc, const char *what, struct why *why) {
    struct str shown = key.len > SHOWN_MAX ? str_sub(key, 0, SHOWN_MAX) : key;
    return why_set(why, rc, "key '%.*s'%s (%zu bytes): %s", STR_ARG(shown), key.len > SHOWN_MAX ? "..." : "", key.len,
                   what);
}

/* What is wrong with one component, or NULL. */
static const char *component_fault(struct str name) {
    if (name.len == 0) return "a component is empty";
    if (str_equal(name, STR(".")) || str_equal(name, STR(".."))) return "a component is '.' or '..'";
    if (name.len > STORE_NAME_MAX) return "a component is longer than 255 bytes";
    return NULL;
}

/* The components of `key`; the last one is not looked at when `open_end` (a prefix may be cut anywhere). */
static enum rc check(struct str key, bool open_end, struct why *why) {
    if (key.len > STORE_KEY_MAX) return bad_key(key, RC_LIMIT, "longer than 1024 bytes", why);
    if (key.len && memchr(key.at, '\0', key.len)) return bad_key(key, RC_BAD, "holds a NUL byte", why);
    for (size_t from = 0;;) {
        const char *slash = from < key.len ? memchr(key.at + from, '/', key.len - from) : NULL;
        if (!slash && open_end) return RC_OK;
        size_t to = slash ? (size_t)(slash - key.at) : key.len;
        struct str name = str_sub(key, from, to);
        const char *fault = component_fault(name);
        if (fault) return bad_key(key, name.len > STORE_NAME_MAX ? RC_LIMIT : RC_BAD, fault, why);
        if (from == 0 && str_equal(name, STR(STORE_RESERVED)))
            return bad_key(key, RC_BAD, "'" STORE_RESERVED "' is reserved", why);
        if (!slash) return RC_OK;
        from = to + 1;
    }
}

RC store_key_check(struct str key, struct why *why) {
    if (key.len == 0) return bad_key(STR(""), RC_BAD, "a component is empty", why);
    return check(key, false, why);
}

RC store_put(struct store store, struct str key, struct str bytes, struct why *why) {
    TRY(store_key_check(key, why));
    return store.ops->put(store.self, key, bytes, why);
}

RC store_put_absent(struct store store, struct str key, struct str bytes, struct why *why) {
    TRY(store_key_check(key, why));
    return store.ops->put_absent(store.self, key, bytes, why);
}

static bool decided(enum rc rc) { return rc == RC_OK || rc == RC_STALE; }

/* For stores that have nothing better than one after the other. */
static void put_absent_each(struct store store, const struct store_item *items, size_t n, enum rc *out_rcs,
                            struct why *why) {
    bool told = false;
    for (size_t i = 0; i < n; i++) {
        if (out_rcs[i] != RC_OK) continue;
        out_rcs[i] = store.ops->put_absent(store.self, items[i].key, items[i].bytes, told ? NULL : why);
        told = told || !decided(out_rcs[i]);
    }
}

RC store_put_absent_many(struct store store, const struct store_item *items, size_t n, enum rc *out_rcs,
                         struct why *why) {
    struct why bad = {0}, failed = {0};
    for (size_t i = 0; i < n; i++) out_rcs[i] = store_key_check(items[i].key, bad.text[0] ? NULL : &bad);
    if (store.ops->put_absent_many)
        store.ops->put_absent_many(store.self, items, n, out_rcs, &failed);
    else
        put_absent_each(store, items, n, out_rcs, &failed);
    for (size_t i = 0; i < n; i++) {
        if (decided(out_rcs[i])) continue;
        if (why) *why = store_key_check(items[i].key, NULL) == RC_OK ? failed : bad;
        return out_rcs[i];
    }
    return RC_OK;
}

RC store_get(struct store store, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    TRY(store_key_check(key, why));
    return store.ops->get(store.self, key, from, len, out, why);
}

RC store_size(struct store store, struct str key, uint64_t *out_bytes, struct why *why) {
    TRY(store_key_check(key, why));
    return store.ops->size(store.self, key, out_bytes, why);
}

RC store_list(struct store store, struct str prefix, struct str after, store_visit visit, void *context,
              struct why *why) {
    TRY(check(prefix, true, why));
    return store.ops->list(store.self, prefix, after, visit, context, why);
}

RC store_remove(struct store store, struct str key, struct why *why) {
    TRY(store_key_check(key, why));
    return store.ops->remove(store.self, key, why);
}

RC store_upload_begin(struct store store, struct str key, struct store_upload *out, struct why *why) {
    TRY(store_key_check(key, why));
    return store.ops->upload(store.self, key, out, why);
}

RC store_upload_part(struct store_upload *upload, struct str bytes, struct why *why) {
    MUST(upload->ops);
    return upload->ops->part(upload->self, bytes, why);
}

RC store_upload_finish_absent(struct store_upload *upload, struct why *why) {
    MUST(upload->ops);
    struct store_upload used = *upload;
    *upload = (struct store_upload){0};
    return used.ops->finish_absent(used.self, why);
}

void store_upload_abort(struct store_upload *upload) {
    if (!upload || !upload->ops) return;
    struct store_upload used = *upload;
    *upload = (struct store_upload){0};
    used.ops->abort(used.self);
}

RC store_uploads(struct store store, struct str prefix, store_upload_visit visit, void *context, struct why *why) {
    TRY(check(prefix, true, why));
    return store.ops->uploads(store.self, prefix, visit, context, why);
}

RC store_upload_remove(struct store store, struct str key, struct str upload, struct why *why) {
    if (key.len) TRY(store_key_check(key, why));
    return store.ops->upload_remove(store.self, key, upload, why);
}

void store_free(struct store store) {
    if (store.ops) store.ops->free(store.self);
}
