/* SPDX-License-Identifier: Apache-2.0 */
/* Listings, page by page. The visitor runs between two requests and may use the store. What the server gives is looked
 * at: each key has to have the prefix and to come behind the one before it. */
#include "store_s3_private.h"

#include "num.h"
#include "own.h"
#include "utf8.h"

#include <stdio.h>

enum { IDLE_PAGES_MAX = 100 }; /* some servers give pages of what is not there any more */

struct listing {
    struct store_s3 *s3;
    struct str prefix, after; /* as the caller gave them */
    char full[STORE_KEY_MAX + 1];
    struct str asked; /* the prefix in the bucket that the server is asked for */
    char last[STORE_KEY_MAX + 1];
    size_t last_len; /* of the last key told, without our prefix */
    size_t told;     /* keys that came in order */
    struct s3_page page;
};

static void listing_done(struct listing *l) { s3_page_done(&l->page); }

static struct str key_of(const struct s3_page *page, size_t i) {
    return (struct str){page->texts.at + page->entries[i].key_at, page->entries[i].key_len};
}

/* As much of the start of a key as every server takes: they want text, and some refuse components "." and "..", be they
 * cut or not. What comes too much for it is not told. */
static struct str askable(struct str text) {
    text.len = utf8_valid_prefix(text);
    for (size_t from = 0; from < text.len;) {
        const char *slash = memchr(text.at + from, '/', text.len - from);
        size_t to = slash ? (size_t)(slash - text.at) : text.len;
        struct str name = str_sub(text, from, to);
        if (str_equal(name, STR(".")) || str_equal(name, STR(".."))) return str_sub(text, 0, from);
        from = to + 1;
    }
    return text;
}

static RC begin(struct listing *l, struct why *why) {
    return s3_full_key(l->s3, askable(l->prefix), l->full, &l->asked, why);
}

/* The key without our own prefix, or nothing where it has not. */
static struct str own_key(const struct listing *l, struct str key) {
    size_t prefix = strlen(l->s3->prefix), before = prefix ? prefix + 1 : 0;
    if (key.len <= before || memcmp(key.at, l->full, before) != 0) return (struct str){0};
    return str_sub(key, before, key.len);
}

static RC ask_page(struct store_s3 *s3, struct s3_call *call, struct s3_page *page, struct why *why) {
    TRY(s3_call(s3, call, why));
    s3_page_done(page);
    enum rc rc = s3_page_read(buf_str(&call->exchange.reply.body), page, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "listing s3://%s at %s", s3->bucket, s3->endpoint);
}

/* `from` is where the server shall start; a token goes before it. */
static RC next_page(struct listing *l, struct str from, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("GET", STR(""));
    char token[sizeof l->page.token], start[STORE_KEY_MAX + 1], most[16];
    (void)snprintf(token, sizeof token, "%s", l->page.token);
    (void)snprintf(most, sizeof most, "%d", S3_LIST_PAGE);
    struct str full = {0};
    if (token[0]) s3_query_add(&call.query, "continuation-token", str_of(token));
    s3_query_add(&call.query, "encoding-type", STR("url"));
    s3_query_add(&call.query, "list-type", STR("2"));
    s3_query_add(&call.query, "max-keys", str_of(most));
    s3_query_add(&call.query, "prefix", l->asked);
    if (!token[0] && from.len && s3_full_key(l->s3, askable(from), start, &full, NULL) == RC_OK)
        s3_query_add(&call.query, "start-after", full);
    return ask_page(l->s3, &call, &l->page, why);
}

static RC tell(struct listing *l, size_t i, store_visit visit, void *context, struct why *why) {
    struct str key = own_key(l, key_of(&l->page, i)), last = {l->last, l->last_len};
    if (key.len == 0 || key.len > STORE_KEY_MAX || key.at[key.len - 1] == '/') return RC_OK; /* "folders" of others */
    if (last.len && str_compare(key, last) <= 0)
        return why_set(why, RC_BROKEN,
                       "listing s3://%s at %s: %.*s comes behind %.*s; sluice needs a bucket that lists in order",
                       l->s3->bucket, l->s3->endpoint, STR_ARG(key), STR_ARG(last));
    memcpy(l->last, key.at, key.len);
    l->last_len = key.len;
    l->told++;
    if (!str_starts(key, l->prefix) || str_compare(key, l->after) <= 0) return RC_OK;
    if (store_key_check(key, NULL) != RC_OK) return RC_OK; /* not of our making */
    return visit(context, key, l->page.entries[i].bytes);
}

static RC run(struct listing *l, store_visit visit, void *context, struct why *why) {
    /* servers differ on a start that is not below the prefix: before it means nothing, behind it is the end */
    bool inside = str_starts(l->after, l->prefix);
    if (!inside && str_compare(l->after, l->prefix) > 0) return RC_OK;
    struct str from = inside ? l->after : STR("");
    int idle = 0; /* pages in a row that told nothing new */
    do {
        size_t before = l->told;
        TRY(next_page(l, from, why));
        for (size_t i = 0; i < l->page.len; i++) TRY(tell(l, i, visit, context, why));
        idle = l->told == before ? idle + 1 : 0;
        if (idle > IDLE_PAGES_MAX || (l->page.more && idle && !l->page.token[0]))
            return why_set(why, RC_BROKEN, "listing s3://%s at %s: there is more, it says, but nothing comes",
                           l->s3->bucket, l->s3->endpoint);
        from = (struct str){l->last, l->last_len};
    } while (l->page.more);
    return RC_OK;
}

enum rc s3_list(void *self, struct str prefix, struct str after, store_visit visit, void *context, struct why *why) {
    AUTO(listing_done) struct listing l = {.s3 = self, .prefix = prefix, .after = after};
    TRY(begin(&l, why));
    return run(&l, visit, context, why);
}

/* ---- unfinished uploads ---- */

static RC next_uploads(struct listing *l, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("GET", STR(""));
    AUTO(buf_done) struct buf key = BUF_INIT(sizeof l->page.next_key), upload = BUF_INIT(sizeof l->page.next_upload);
    buf_add(&key, str_of(l->page.next_key));
    buf_add(&upload, str_of(l->page.next_upload));
    s3_query_add(&call.query, "encoding-type", STR("url"));
    if (key.len) s3_query_add(&call.query, "key-marker", buf_str(&key));
    s3_query_add(&call.query, "prefix", l->asked);
    if (key.len) s3_query_add(&call.query, "upload-id-marker", buf_str(&upload));
    s3_query_add(&call.query, "uploads", STR(""));
    TRY(ask_page(l->s3, &call, &l->page, why));
    if (l->page.more && str_equal(str_of(l->page.next_key), buf_str(&key)) &&
        str_equal(str_of(l->page.next_upload), buf_str(&upload)))
        return why_set(why, RC_BROKEN, "listing uploads of s3://%s at %s: the same page again", l->s3->bucket,
                       l->s3->endpoint);
    return RC_OK;
}

enum rc s3_uploads(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why) {
    AUTO(listing_done) struct listing l = {.s3 = self, .prefix = prefix};
    TRY(begin(&l, why));
    do {
        TRY(next_uploads(&l, why));
        for (size_t i = 0; i < l.page.len; i++) {
            const struct s3_entry *entry = &l.page.entries[i];
            struct str key = own_key(&l, key_of(&l.page, i)),
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
    enum rc rc = s3_call(self, &call, why);
    return rc == RC_ABSENT ? RC_OK : rc;
}
