/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_list.h"

#include "own.h"
#include "utf8.h"

#include <stdio.h>

enum { IDLE_PAGES_MAX = 100 }; /* some servers give pages of what is not there any more */

struct listing {
    struct s3_bucket *bucket;
    struct str prefix, after; /* as the caller gave them */
    struct str asked;         /* the prefix that the server is asked for */
    char last[S3_OBJECT_KEY_MAX + 1];
    size_t last_len; /* of the last key told */
    size_t told;     /* keys that came in order */
    struct s3_page page;
};

static void listing_done(struct listing *l) { s3_page_done(&l->page); }

static struct str text_at(const struct s3_page *page, size_t at, size_t len) {
    return (struct str){page->texts.at + at, len};
}

struct str s3_list_askable(struct str text) {
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

RC s3_list_page(struct s3_bucket *bucket, struct s3_call *call, struct s3_page *page, struct why *why) {
    TRY(s3_call(bucket, call, why));
    s3_page_done(page);
    enum rc rc = s3_page_read(buf_str(&call->exchange.reply.body), page, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "listing s3://%s at %s", bucket->name, bucket->endpoint);
}

/* `from` is where the server shall start; a token goes before it. */
static RC next_page(struct listing *l, struct str from, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("GET", STR(""));
    char token[sizeof l->page.token], most[16];
    (void)snprintf(token, sizeof token, "%s", l->page.token);
    (void)snprintf(most, sizeof most, "%d", S3_LIST_PAGE);
    from = s3_list_askable(from);
    if (token[0]) s3_query_add(&call.query, "continuation-token", str_of(token));
    s3_query_add(&call.query, "encoding-type", STR("url"));
    s3_query_add(&call.query, "list-type", STR("2"));
    s3_query_add(&call.query, "max-keys", str_of(most));
    s3_query_add(&call.query, "prefix", l->asked);
    if (!token[0] && from.len && s3_key_check(from, NULL) == RC_OK) s3_query_add(&call.query, "start-after", from);
    return s3_list_page(l->bucket, &call, &l->page, why);
}

static RC tell(struct listing *l, size_t i, s3_object_visit visit, void *context, struct why *why) {
    const struct s3_entry *entry = &l->page.entries[i];
    struct s3_object object = {text_at(&l->page, entry->key_at, entry->key_len),
                               text_at(&l->page, entry->etag_at, entry->etag_len), entry->bytes, entry->modified_ns};
    struct str key = object.key, last = {l->last, l->last_len};
    if (key.len == 0 || key.len > S3_OBJECT_KEY_MAX || key.at[key.len - 1] == '/') return RC_OK;
    if (!str_starts(key, l->asked)) return RC_OK;
    if (last.len && str_compare(key, last) <= 0)
        return why_set(why, RC_BROKEN,
                       "listing s3://%s at %s: %.*s comes behind %.*s; sluice needs a bucket that lists in order",
                       l->bucket->name, l->bucket->endpoint, STR_ARG(key), STR_ARG(last));
    memcpy(l->last, key.at, key.len);
    l->last_len = key.len;
    l->told++;
    if (!str_starts(key, l->prefix) || str_compare(key, l->after) <= 0) return RC_OK;
    return visit(context, &object);
}

static RC run(struct listing *l, s3_object_visit visit, void *context, struct why *why) {
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
                           l->bucket->name, l->bucket->endpoint);
        from = (struct str){l->last, l->last_len};
    } while (l->page.more);
    return RC_OK;
}

RC s3_list_objects(struct s3_bucket *bucket, struct str prefix, struct str after, s3_object_visit visit, void *context,
                   struct why *why) {
    AUTO(listing_done)
    struct listing l = {.bucket = bucket, .prefix = prefix, .after = after, .asked = s3_list_askable(prefix)};
    TRY(s3_key_check(l.asked, why));
    return run(&l, visit, context, why);
}
