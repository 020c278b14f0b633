/* SPDX-License-Identifier: Apache-2.0 */
#include "source_http.h"

#include "alloc.h"
#include "num.h"
#include "own.h"
#include "s3_http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_MS = 2000, STALL_MS = 10000, REQUEST_MS = 20000, RANGE_ROOM = 64, FACTS = 8, SHOWN = 200 };

struct source_http {
    struct s3_http *http;
    char *bearer; /* "Bearer <token>" */
};

struct source_file {
    char *url;
    struct source_stat expected;
};

void source_http_stat_format(const struct source_stat *stat, char out[SOURCE_HTTP_TEXT]) {
    (void)snprintf(out, SOURCE_HTTP_TEXT,
                   "%" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %d %" PRIu32, stat->inode,
                   stat->birth_ns, stat->volume, stat->size, stat->mtime_ns, stat->changed_ns, stat->changing,
                   stat->links);
}

RC source_http_stat_parse(struct str text, struct source_stat *out) {
    struct str part[FACTS];
    size_t n = 0;
    while (n < FACTS && str_cut(&text, ' ', &part[n])) n++;
    uint64_t changing = 0, links = 0;
    struct source_stat stat = {0};
    if (n < FACTS || text.len) return RC_BAD;
    TRY(str_parse_u64(part[0], &stat.inode));
    TRY(str_parse_i64(part[1], &stat.birth_ns));
    TRY(str_parse_u64(part[2], &stat.volume));
    TRY(str_parse_u64(part[3], &stat.size));
    TRY(str_parse_i64(part[4], &stat.mtime_ns));
    TRY(str_parse_i64(part[5], &stat.changed_ns));
    TRY(str_parse_u64(part[6], &changing));
    TRY(str_parse_u64(part[7], &links));
    if (changing > 1 || links > UINT32_MAX) return RC_BAD;
    stat.changing = changing;
    stat.links = (uint32_t)links;
    *out = stat;
    return RC_OK;
}

/* Nobody answers whole: gone, on its way back, or behind a network that is cut. */
static enum rc no_answer(const char *url, const struct s3_reply *reply, struct why *why) {
    if (reply->failure == S3_NOT_TRUSTED)
        return why_set(why, RC_BUSY, "%s: the certificate is not trusted: %s", url, reply->words);
    return why_set(why, RC_ABSENT, "%s: the emitter does not answer: %s", url, reply->words);
}

static enum rc refused(const char *url, const struct s3_reply *reply, struct why *why) {
    struct str words = str_trim(buf_str(&reply->body));
    if (words.len > SHOWN) words.len = SHOWN;
    if (reply->status == 401 || reply->status == 403)
        return why_set(why, RC_BUSY, "%s: the emitter refuses our token (%ld); serve.token has to be the same for all",
                       url, reply->status);
    if (reply->status == 404 || reply->status == 503)
        return why_set(why, RC_ABSENT, "%s: not served (any more): %.*s", url, STR_ARG(words));
    return why_set(why, RC_BROKEN, "%s: answered %ld: %.*s", url, reply->status, STR_ARG(words));
}

/* One request; `range` is NULL for the facts alone. RC_OK also for a range behind the end, which gives nothing. */
static RC ask(struct source_http *self, const struct source_file *file, const char *range, struct buf *into,
              struct source_stat *out, struct why *why) {
    struct s3_exchange e = {.method = range ? "GET" : "HEAD",
                            .url = file->url,
                            .into = into,
                            .want = into ? into->cap : 0,
                            .expect_bytes = into ? into->cap : 0};
    e.headers[e.headers_len++] = (struct s3_header){STR("authorization"), str_of(self->bearer)};
    if (range) e.headers[e.headers_len++] = (struct s3_header){STR("range"), str_of(range)};
    s3_http_start(self->http, &e);
    s3_http_wait(self->http, &e);
    const struct s3_reply *reply = &e.reply;
    enum rc rc = RC_OK;
    bool fine = reply->status == (range ? 206 : 200) || (range && reply->status == 416);
    if (reply->failure != S3_ANSWERED)
        rc = no_answer(file->url, reply, why);
    else if (!fine)
        rc = refused(file->url, reply, why);
    else if (source_http_stat_parse(str_of(reply->stat), out) != RC_OK)
        rc = why_set(why, RC_BROKEN, "%s: not an answer of an emitter", file->url);
    s3_exchange_done(&e);
    return rc;
}

static RC look(struct source_http *self, const struct source_file *file, struct source_stat *out, struct why *why) {
    struct source_stat stat = {0};
    TRY(ask(self, file, NULL, NULL, &stat, why));
    if (!source_same(&stat, &file->expected)) return why_set(why, RC_STALE, "%s is another file now", file->url);
    *out = stat;
    return RC_OK;
}

static void file_free(struct source_file **file) {
    if (!*file) return;
    free((*file)->url);
    free(*file);
}

static enum rc http_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                         struct why *why) {
    struct source_stat stat = {0};
    if (!expected || (!str_starts(uri, STR("http://")) && !str_starts(uri, STR("https://"))))
        return why_set(why, RC_BAD, "'%.*s' is no URL of a file that is known",
                       STR_ARG(str_sub(uri, 0, MIN(uri.len, (size_t)SHOWN))));
    AUTO(file_free) struct source_file *file = ALLOC(struct source_file);
    *file = (struct source_file){alloc_text(uri.at, uri.len), *expected};
    TRY(look(self, file, &stat, why));
    *out = TAKE(file);
    return RC_OK;
}

static enum rc http_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    return look(self, file, out, why);
}

/* At most SOURCE_HTTP_RANGE bytes. */
static RC read_some(struct source_http *self, const struct source_file *file, uint64_t from, char *out, size_t len,
                    size_t *out_len, struct why *why) {
    char range[RANGE_ROOM];
    struct source_stat stat = {0};
    AUTO(buf_done) struct buf bytes = BUF_INIT(len);
    (void)snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, from, from + len - 1);
    TRY(ask(self, file, range, &bytes, &stat, why));
    if (!source_same(&stat, &file->expected)) return why_set(why, RC_STALE, "%s is another file now", file->url);
    if (bytes.len) memcpy(out, bytes.at, bytes.len);
    *out_len = bytes.len;
    return RC_OK;
}

static enum rc http_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                         struct why *why) {
    size_t done = 0;
    len = from < INT64_MAX ? (size_t)MIN((uint64_t)len, (uint64_t)INT64_MAX - from) : 0;
    while (done < len) {
        size_t want = MIN(len - done, (size_t)SOURCE_HTTP_RANGE), got = 0;
        TRY(read_some(self, file, from + done, (char *)out + done, want, &got, why));
        done += got;
        if (got < want) break; /* the end */
    }
    *out_len = done;
    return RC_OK;
}

static void http_close(void *self, struct source_file *file) {
    (void)self;
    file_free(&file);
}

static enum rc not_here(struct why *why) { return why_set(why, RC_BAD, "files of another machine are only read here"); }

static enum rc http_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                         void *context, struct why *why) {
    (void)self, (void)pattern, (void)visit, (void)problem, (void)context;
    return not_here(why);
}

static enum rc http_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    (void)self, (void)pattern;
    return not_here(why);
}

static enum rc http_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    (void)self, (void)wait_ms, (void)out_changed;
    return not_here(why);
}

static void http_wake(void *self) { (void)self; }

static enum rc http_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    (void)self, (void)uri, (void)expected;
    return not_here(why);
}

static enum rc http_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                         struct why *why) {
    (void)self, (void)uri, (void)expected, (void)to_directory;
    return not_here(why);
}

static enum rc http_mark(void *self, struct str uri, const struct source_stat *expected, struct str key,
                         struct str value, struct why *why) {
    (void)self, (void)uri, (void)expected, (void)key, (void)value;
    return not_here(why);
}

static void http_free(void *self) {
    struct source_http *http = self;
    s3_http_free(http->http);
    free(http->bearer);
    free(http);
}

static const struct source_ops ops = {
    .list = http_list,
    .open = http_open,
    .stat = http_stat,
    .read = http_read,
    .close = http_close,
    .watch = http_watch,
    .wait = http_wait,
    .wake = http_wake,
    .remove = http_remove,
    .move = http_move,
    .mark = http_mark,
    .free = http_free,
};

RC source_http_open(struct str token, unsigned connections, struct source *out, struct why *why) {
    struct s3_http_settings settings = {
        .connections = connections, .connect_ms = CONNECT_MS, .stall_ms = STALL_MS, .request_ms = REQUEST_MS};
    struct s3_http *http = NULL;
    TRY(s3_http_new(&settings, &http, why));
    struct source_http *self = ALLOC(struct source_http);
    AUTO(buf_done) struct buf bearer = BUF_INIT(token.len + sizeof "Bearer ");
    buf_add(&bearer, STR("Bearer "));
    buf_add(&bearer, token);
    *self = (struct source_http){http, alloc_text(bearer.at, bearer.len)};
    *out = (struct source){&ops, self};
    return RC_OK;
}
