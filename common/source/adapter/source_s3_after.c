/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of an object that is durable: exactly that one, as far as the server lets us say so (SOURCE_S3.md). */
#include "source_s3_private.h"

#include "own.h"
#include "s3_tags.h"

/* Is it still the one? */
static RC look_again(struct source_s3 *s3, struct str uri, const struct source_stat *expected, struct source_file *out,
                     struct why *why) {
    TRY(s3_look(s3, uri, expected, out, why));
    return out->stat.size == expected->size ? RC_OK : s3_replaced(s3, out->key, why);
}

static void of_version(struct s3_call *call, const struct source_file *file) {
    if (file->version[0]) s3_query_add(&call->query, "versionId", str_of(file->version));
}

enum rc s3_source_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    struct source_s3 *s3 = self;
    struct source_file file = {0};
    TRY(look_again(s3, uri, expected, &file, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("DELETE", str_of(file.key));
    of_version(&call, &file);
    if (!file.version[0]) call.extra[call.extra_len++] = (struct s3_header){STR("if-match"), str_of(file.etag)};
    enum rc rc = s3_call(&s3->bucket, &call, why);
    return rc == RC_STALE ? s3_replaced(s3, file.key, why) : rc;
}

enum rc s3_source_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                       struct why *why) {
    (void)expected, (void)to_directory;
    char key[S3_OBJECT_KEY_MAX + 1];
    TRY(s3_key_of(self, uri, key, why));
    return why_set(why, RC_BAD, "%.*s: objects are not moved; delete or tag them", STR_ARG(uri));
}

static RC read_tags(struct source_s3 *s3, const struct source_file *file, struct s3_tags *out, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("GET", str_of(file->key));
    s3_query_add(&call.query, "tagging", STR(""));
    of_version(&call, file);
    TRY(s3_call(&s3->bucket, &call, why));
    enum rc rc = s3_tags_read(buf_str(&call.exchange.reply.body), out, why);
    return rc == RC_OK ? RC_OK : why_wrap(why, rc, "tags of %s%s", s3->prefix, file->key);
}

static RC write_tags(struct source_s3 *s3, const struct source_file *file, const struct s3_tags *tags,
                     struct why *why) {
    AUTO(buf_done) struct buf body = BUF_INIT(6L * S3_TAGS_TEXT);
    char md5[S3_MD5_TEXT];
    TRY(s3_tags_write(tags, &body));
    s3_md5(buf_str(&body), md5);
    AUTO(s3_call_done) struct s3_call call = S3_CALL("PUT", str_of(file->key));
    s3_query_add(&call.query, "tagging", STR(""));
    of_version(&call, file);
    call.extra[0] = (struct s3_header){STR("content-md5"), str_of(md5)};
    call.extra[1] = (struct s3_header){STR("content-type"), STR("application/xml")};
    call.extra_len = 2;
    call.body = buf_str(&body);
    call.sends_body = true;
    return s3_call(&s3->bucket, &call, why);
}

enum rc s3_source_mark(void *self, struct str uri, const struct source_stat *expected, struct str key, struct str value,
                       struct why *why) {
    struct source_s3 *s3 = self;
    struct source_file file = {0};
    AUTO(s3_tags_done) struct s3_tags tags = {.len = 0};
    bool changed = false;
    TRY(look_again(s3, uri, expected, &file, why));
    TRY(read_tags(s3, &file, &tags, why));
    enum rc rc = s3_tags_set(&tags, key, value, &changed, why);
    if (rc != RC_OK) return why_wrap(why, rc, "tags of %s%s", s3->prefix, file.key);
    return changed ? write_tags(s3, &file, &tags, why) : RC_OK;
}
