/* SPDX-License-Identifier: Apache-2.0 */
#include "store_s3.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "store_s3_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RANGE_ROOM = 64 };

RC s3_full_key(const struct store_s3 *s3, struct str key, char out[STORE_KEY_MAX + 1], struct str *out_key,
               struct why *why) {
    size_t prefix = strlen(s3->prefix), before = prefix ? prefix + 1 : 0;
    struct str shown = str_sub(key, 0, MIN(key.len, (size_t)200));
    enum rc rc = s3_key_check(key, why);
    if (rc == RC_BAD) return rc;
    if (rc == RC_LIMIT || before + key.len > STORE_KEY_MAX)
        return why_set(why, RC_LIMIT, "key '%.*s': longer than 1024 bytes with the prefix '%s'", STR_ARG(shown),
                       s3->prefix);
    if (prefix) {
        memcpy(out, s3->prefix, prefix);
        out[prefix] = '/';
    }
    if (key.len) memcpy(out + before, key.at, key.len);
    out[before + key.len] = '\0';
    *out_key = (struct str){out, before + key.len};
    return RC_OK;
}

void s3_call_put_absent(struct s3_call *call, struct str bytes) {
    call->body = bytes;
    call->sends_body = true;
    call->decides = true;
    call->extra[0] = (struct s3_header){STR("content-type"), STR("application/octet-stream")};
    call->extra[1] = (struct s3_header){STR("if-none-match"), STR("*")};
    call->extra_len = 2;
}

static enum rc s3_put(void *self, struct str key, struct str bytes, struct why *why) {
    char text[STORE_KEY_MAX + 1];
    struct str full;
    TRY(s3_full_key(self, key, text, &full, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("PUT", full);
    s3_call_put_absent(&call, bytes);
    call.extra_len = 1; /* without the condition it may be repeated */
    call.decides = false;
    return s3_store_call(self, &call, why);
}

enum rc s3_put_absent(void *self, struct str key, struct str bytes, struct why *why) {
    char text[STORE_KEY_MAX + 1];
    struct str full;
    TRY(s3_full_key(self, key, text, &full, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("PUT", full);
    s3_call_put_absent(&call, bytes);
    return s3_store_call(self, &call, why);
}

static enum rc s3_size(void *self, struct str key, uint64_t *out_bytes, struct why *why) {
    char text[STORE_KEY_MAX + 1];
    struct str full;
    TRY(s3_full_key(self, key, text, &full, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("HEAD", full);
    TRY(s3_store_call(self, &call, why));
    if (call.exchange.reply.length < 0)
        return why_set(why, RC_BROKEN, "%.*s: the server did not tell its size", STR_ARG(full));
    *out_bytes = (uint64_t)call.exchange.reply.length;
    return RC_OK;
}

/* What the server says of the range has to be what was asked, and what came has to be all of it. */
static RC check_range(const struct s3_call *call, uint64_t from, uint64_t len, uint64_t got, struct why *why) {
    const struct s3_reply *reply = &call->exchange.reply;
    uint64_t all = reply->status == 206 ? reply->range_all : (uint64_t)MAX(reply->length, (int64_t)-1);
    if (reply->status == 206 && reply->range_from != from)
        return why_set(why, RC_BROKEN, "%.*s: asked from byte %" PRIu64 ", given from %" PRIu64, STR_ARG(call->key),
                       from, reply->range_from);
    if (all == UINT64_MAX) return RC_OK; /* not told; libcurl saw a whole answer */
    uint64_t expected = from < all ? MIN(len, all - from) : 0;
    if (got == expected) return RC_OK;
    return why_set(why, RC_BROKEN, "%.*s: %" PRIu64 " bytes given of %" PRIu64, STR_ARG(call->key), got, expected);
}

static enum rc s3_get(void *self, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    char text[STORE_KEY_MAX + 1], range[RANGE_ROOM];
    struct str full;
    uint64_t bytes = 0;
    /* no object is that long, and servers do not read such numbers */
    if (len == 0 || from > INT64_MAX) return s3_size(self, key, &bytes, why);
    TRY(s3_full_key(self, key, text, &full, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("GET", full);
    call.into = out;
    call.skip = from;
    call.want = len;
    bool to_end = len > INT64_MAX - from;
    call.expect_bytes = to_end ? UINT64_MAX : len;
    if (to_end)
        (void)snprintf(range, sizeof range, "bytes=%" PRIu64 "-", from);
    else
        (void)snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, from, from + len - 1);
    if (from || !to_end) call.extra[call.extra_len++] = (struct s3_header){STR("range"), str_of(range)};
    call.fine = 416; /* from is at the end or behind it */
    size_t before = out->len;
    TRY(s3_store_call(self, &call, why));
    long status = call.exchange.reply.status;
    if (status == 416) return RC_OK;
    if (status != 200 && status != 206)
        return why_set(why, RC_BROKEN, "%.*s: a get was answered %ld", STR_ARG(full), status);
    enum rc rc = check_range(&call, from, len, out->len - before, why);
    if (rc != RC_OK) out->len = before;
    return rc;
}

static enum rc s3_remove(void *self, struct str key, struct why *why) {
    char text[STORE_KEY_MAX + 1];
    struct str full;
    TRY(s3_full_key(self, key, text, &full, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("DELETE", full);
    enum rc rc = s3_store_call(self, &call, why);
    return rc == RC_ABSENT ? RC_OK : rc;
}

static void s3_free(void *self) {
    struct store_s3 *s3 = self;
    s3_settings_done(s3);
    free(s3);
}

static const struct store_ops ops = {
    .put = s3_put,
    .put_absent = s3_put_absent,
    .put_absent_many = s3_put_absent_many,
    .get = s3_get,
    .size = s3_size,
    .list = s3_list,
    .remove = s3_remove,
    .upload = s3_upload,
    .uploads = s3_uploads,
    .upload_remove = s3_upload_remove,
    .free = s3_free,
};

struct store_s3 *s3_of(struct store store) {
    MUST(store.ops == &ops);
    return store.self;
}

RC store_s3_open(const struct store_s3_settings *settings, struct store *out, struct why *why) {
    struct store_s3 *s3 = ALLOC(struct store_s3);
    enum rc rc = s3_read_settings(settings, s3, why);
    if (rc != RC_OK) {
        s3_free(s3);
        return rc;
    }
    *out = (struct store){&ops, s3};
    return RC_OK;
}
