/* SPDX-License-Identifier: Apache-2.0 */
/* Listings of what lies below our prefix: objects, and uploads that nobody finished. */
#include "store_s3_private.h"

#include "own.h"

struct telling {
    const struct store_s3 *s3;
    store_visit visit;
    void *context;
};

/* The key without our own prefix, or nothing where it has not. */
static struct str own_key(const struct store_s3 *s3, struct str key) {
    size_t prefix = strlen(s3->prefix), before = prefix ? prefix + 1 : 0;
    if (key.len <= before || memcmp(key.at, s3->prefix, prefix) != 0 || (prefix && key.at[prefix] != '/'))
        return (struct str){0};
    return str_sub(key, before, key.len);
}

static enum rc tell(void *context, const struct s3_object *object) {
    const struct telling *t = context;
    struct str key = own_key(t->s3, object->key);
    if (key.len == 0 || store_key_check(key, NULL) != RC_OK) return RC_OK; /* not of our making */
    return t->visit(t->context, key, object->bytes);
}

enum rc s3_list(void *self, struct str prefix, struct str after, store_visit visit, void *context, struct why *why) {
    struct store_s3 *s3 = self;
    struct telling telling = {s3, visit, context};
    char from[STORE_KEY_MAX * 2 + 2];
    AUTO(buf_done) struct buf full = BUF_INIT(sizeof from);
    struct str behind = after;
    if (s3->prefix[0]) buf_add_format(&full, "%s/", s3->prefix);
    size_t own = full.len;
    buf_add(&full, prefix);
    TRY(buf_rc(&full));
    if (after.len && own) {
        int len = snprintf(from, sizeof from, "%s/%.*s", s3->prefix, STR_ARG(after));
        behind = (struct str){from, (size_t)len < sizeof from ? (size_t)len : sizeof from - 1};
    }
    return s3_list_objects(&s3->bucket, buf_str(&full), behind, tell, &telling, why);
}

/* ---- unfinished uploads ---- */

struct uploads {
    struct store_s3 *s3;
    char full[STORE_KEY_MAX + 1];
    struct str asked; /* the prefix in the bucket that the server is asked for */
    struct s3_page page;
};

static void uploads_done(struct uploads *l) { s3_page_done(&l->page); }

static struct str key_of(const struct s3_page *page, size_t i) {
    return (struct str){page->texts.at + page->entries[i].key_at, page->entries[i].key_len};
}

static RC next_uploads(struct uploads *l, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("GET", STR(""));
    AUTO(buf_done) struct buf key = BUF_INIT(sizeof l->page.next_key), upload = BUF_INIT(sizeof l->page.next_upload);
    buf_add(&key, str_of(l->page.next_key));
    buf_add(&upload, str_of(l->page.next_upload));
    s3_query_add(&call.query, "encoding-type", STR("url"));
    if (key.len) s3_query_add(&call.query, "key-marker", buf_str(&key));
    s3_query_add(&call.query, "prefix", l->asked);
    if (key.len) s3_query_add(&call.query, "upload-id-marker", buf_str(&upload));
    s3_query_add(&call.query, "uploads", STR(""));
    TRY(s3_list_page(&l->s3->bucket, &call, &l->page, why));
    if (l->page.more && str_equal(str_of(l->page.next_key), buf_str(&key)) &&
        str_equal(str_of(l->page.next_upload), buf_str(&upload)))
        return why_set(why, RC_BROKEN, "listing uploads of s3://%s at %s: the same page again", l->s3->bucket.name,
                       l->s3->bucket.endpoint);
    return RC_OK;
}

enum rc s3_uploads(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why) {
    AUTO(uploads_done) struct uploads l = {.s3 = self};
    TRY(s3_full_key(self, s3_list_askable(prefix), l.full, &l.asked, why));
    do {
        TRY(next_uploads(&l, why));
        for (size_t i = 0; i < l.page.len; i++) {
            const struct s3_entry *entry = &l.page.entries[i];
            struct str key = own_key(l.s3, key_of(&l.page, i)),
                       id = {l.page.texts.at + entry->upload_at, entry->upload_len};
            if (key.len && str_starts(key, prefix)) TRY(visit(context, key, id, entry->started_ns));
        }
    } while (l.page.more);
    return RC_OK;
}

enum rc s3_upload_remove(void *self, struct str key, struct str upload, struct why *why) {
    char text[STORE_KEY_MAX + 1];
    struct str full;
    TRY(s3_full_key(self, key, text, &full, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("DELETE", full);
    s3_query_add(&call.query, "uploadId", upload);
    enum rc rc = s3_call(&((struct store_s3 *)self)->bucket, &call, why);
    return rc == RC_ABSENT ? RC_OK : rc;
}
