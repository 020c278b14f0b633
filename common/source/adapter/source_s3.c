/* SPDX-License-Identifier: Apache-2.0 */
#include "source_s3.h"

#include "alloc.h"
#include "must.h"
#include "own.h"
#include "source_s3_private.h"
#include "source_uri.h"
#include "time_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ID_DIGITS = 16, NS_PER_S = 1000000000 };

/* Digits of a hash as a number that is not 0 and fits into int64. */
static uint64_t number_of(const char *digits) {
    char text[ID_DIGITS + 1] = {0};
    memcpy(text, digits, ID_DIGITS);
    uint64_t number = strtoull(text, NULL, 16) & INT64_MAX;
    return number ? number : 1;
}

RC s3_identify(const struct source_s3 *s3, struct str key, struct str etag, struct source_stat *out, struct why *why) {
    char hash[S3_SHA256_TEXT];
    struct str tag = etag;
    if (tag.len >= 2 && tag.at[0] == '"' && tag.at[tag.len - 1] == '"') tag = str_sub(tag, 1, tag.len - 1);
    if (!tag.len || str_starts(etag, STR("W/")) || etag.len >= S3_ETAG_ROOM - 2)
        return why_set(why, RC_BROKEN,
                       "%s%.*s: the server tells no ETag that stands for its bytes ('%.*s'), so it cannot be read once",
                       s3->prefix, STR_ARG(key), STR_ARG(etag));
    AUTO(buf_done) struct buf text = BUF_INIT(4096);
    buf_add_format(&text, "%s\n%zu\n", s3->bucket.name, key.len);
    buf_add(&text, key);
    buf_add(&text, tag);
    MUST(buf_rc(&text) == RC_OK);
    s3_sha256(buf_str(&text), hash);
    *out = (struct source_stat){
        .inode = number_of(hash), .volume = number_of(hash + ID_DIGITS), .links = 1, .fixed = true};
    return RC_OK;
}

RC s3_key_of(const struct source_s3 *s3, struct str uri, char out[S3_OBJECT_KEY_MAX + 1], struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(S3_OBJECT_KEY_MAX);
    size_t prefix = strlen(s3->prefix);
    bool ours =
        str_starts(uri, str_of(s3->prefix)) && uri.len > prefix && source_uri_decode_piece(uri, prefix, &key) == RC_OK;
    if (!ours)
        return why_set(why, RC_BAD, "'%.*s' is no URI of an object in %s",
                       STR_ARG(str_sub(uri, 0, uri.len < 300 ? uri.len : 300)), s3->prefix);
    TRY(s3_key_check(buf_str(&key), why));
    memcpy(out, buf_text(&key), key.len + 1);
    return RC_OK;
}

enum rc s3_replaced(const struct source_s3 *s3, const char *key, struct why *why) {
    return why_set(why, RC_STALE, "another object lies at %s%s now", s3->prefix, key);
}

static int64_t time_of(const char *modified) {
    struct time_parse format;
    int64_t ns = 0;
    MUST(time_parse_compile(STR("%a, %d %b %Y %H:%M:%S GMT"), &format, NULL) == RC_OK);
    return time_parse_ns(&format, str_of(modified), &ns) == RC_OK ? ns / NS_PER_S * NS_PER_S : 0;
}

RC s3_look(struct source_s3 *s3, struct str uri, const struct source_stat *expected, struct source_file *out,
           struct why *why) {
    TRY(s3_key_of(s3, uri, out->key, why));
    AUTO(s3_call_done) struct s3_call call = S3_CALL("HEAD", str_of(out->key));
    TRY(s3_call(&s3->bucket, &call, why));
    const struct s3_reply *reply = &call.exchange.reply;
    TRY(s3_identify(s3, str_of(out->key), str_of(reply->etag), &out->stat, why));
    if (reply->length < 0)
        return why_set(why, RC_BROKEN, "%s%s: the server did not tell its size", s3->prefix, out->key);
    out->stat.size = (uint64_t)reply->length;
    out->stat.mtime_ns = time_of(reply->modified);
    bool quoted = reply->etag[0] == '"';
    (void)snprintf(out->etag, sizeof out->etag, "%s%.*s%s", quoted ? "" : "\"", S3_ETAG_ROOM - 3, reply->etag,
                   quoted ? "" : "\"");
    bool versions = reply->version[0] && strcmp(reply->version, "null") != 0;
    (void)snprintf(out->version, sizeof out->version, "%s", versions ? reply->version : "");
    if (expected && !source_same(expected, &out->stat)) return s3_replaced(s3, out->key, why);
    return RC_OK;
}

static enum rc s3_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                       struct why *why) {
    AUTO(own_free) struct source_file *file = ALLOC(struct source_file);
    TRY(s3_look(self, uri, expected, file, why));
    (void)pthread_mutex_init(&file->lock, NULL);
    *out = TAKE(file);
    return RC_OK;
}

static enum rc s3_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    (void)self, (void)why;
    *out = file->stat;
    return RC_OK;
}

static void s3_close(void *self, struct source_file *file) {
    s3_ring_free(self, file);
    (void)pthread_mutex_destroy(&file->lock);
    free(file);
}

static enum rc s3_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    (void)why;
    struct source_s3 *s3 = self;
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / NS_PER_S);
    until.tv_nsec = (long)(ns % NS_PER_S);
    LOCKED(&s3->lock);
    *out_changed = false;
    while (!s3->wake)
        if (pthread_cond_timedwait(&s3->woken, &s3->lock, &until) != 0) return RC_OK;
    s3->wake = false;
    return RC_OK;
}

static void s3_wake(void *self) {
    struct source_s3 *s3 = self;
    LOCKED(&s3->lock);
    s3->wake = true;
    (void)pthread_cond_signal(&s3->woken);
}

static void s3_free(void *self) {
    struct source_s3 *s3 = self;
    s3_bucket_done(&s3->bucket);
    (void)pthread_cond_destroy(&s3->woken);
    (void)pthread_mutex_destroy(&s3->lock);
    free(s3->prefix);
    free(s3);
}

static const struct source_ops ops = {
    .list = s3_source_list,
    .open = s3_open,
    .stat = s3_stat,
    .read = s3_read,
    .close = s3_close,
    .watch = s3_source_watch,
    .wait = s3_wait,
    .wake = s3_wake,
    .remove = s3_source_remove,
    .move = s3_source_move,
    .mark = s3_source_mark,
    .free = s3_free,
};

RC source_s3_open(const struct s3_settings *settings, struct str bucket, struct source *out, struct why *why) {
    struct source_s3 *s3 = ALLOC(struct source_s3);
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s3->woken, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&s3->lock, NULL);
    enum rc rc = s3_bucket_open(settings, bucket, &s3->bucket, why);
    if (rc != RC_OK) {
        s3_free(s3);
        return rc;
    }
    AUTO(buf_done) struct buf prefix = BUF_INIT(256);
    buf_add_format(&prefix, "s3://%s/", s3->bucket.name);
    s3->prefix = alloc_text(prefix.at, prefix.len);
    *out = (struct source){&ops, s3};
    return RC_OK;
}
