/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_http_easy.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <stdio.h>
#include <strings.h>

enum {
    HEADER_LINE_MAX = 16 * 1024, /* a session token is the longest */
    SLOW_ANSWER = 4,             /* times stall_ms */
};

static size_t send_body(char *to, size_t size, size_t count, void *context) {
    struct s3_exchange *e = context;
    size_t n = MIN(size * count, e->body.len - e->sent);
    if (n) memcpy(to, e->body.at + e->sent, n);
    e->sent += n;
    return n;
}

/* libcurl begins again where a kept connection turned out to be dead. */
static int seek_body(void *context, curl_off_t offset, int origin) {
    struct s3_exchange *e = context;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > e->body.len) return CURL_SEEKFUNC_FAIL;
    e->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool goes_into(const struct s3_exchange *e) {
    return e->into && (e->reply.status == 200 || e->reply.status == 206);
}

/* Less than it was given ends the transfer. */
static size_t take_body(char *from, size_t size, size_t count, void *context) {
    struct s3_exchange *e = context;
    struct str bytes = {from, size * count};
    if (!goes_into(e)) {
        buf_add(&e->reply.body, bytes);
        if (buf_rc(&e->reply.body) == RC_OK) return bytes.len;
        e->reply.failure = S3_OVER;
        return 0;
    }
    uint64_t skip = e->reply.status == 200 ? e->skip : 0, before = e->passed;
    e->passed += bytes.len;
    size_t from_at = before < skip ? (size_t)MIN(skip - before, bytes.len) : 0;
    uint64_t have = before > skip ? before - skip : 0;
    size_t n = (size_t)MIN(bytes.len - from_at, e->want - MIN(have, e->want));
    if (n) buf_add(e->into, str_sub(bytes, from_at, from_at + n));
    if (e->into->over) {
        e->reply.failure = S3_OVER;
        return 0;
    }
    return from_at + n == bytes.len ? bytes.len : 0; /* the rest was not asked for */
}

static void copy(char *out, size_t room, struct str value) {
    (void)snprintf(out, room, "%.*s", (int)MIN(value.len, room - 1), value.at);
}

/* "bytes 3-6/10"; the total may be '*'. */
static void read_range(struct s3_reply *reply, struct str value) {
    struct str unit, from, to;
    if (!str_cut(&value, ' ', &unit) || !str_cut(&value, '-', &from) || !str_cut(&value, '/', &to)) return;
    uint64_t all = UINT64_MAX;
    if (str_parse_u64(from, &reply->range_from) == RC_OK && str_parse_u64(value, &all) == RC_OK) reply->range_all = all;
}

static void read_field(struct s3_reply *reply, const char *name, struct str value) {
    uint64_t number = 0;
    if (strcasecmp(name, "etag") == 0) copy(reply->etag, sizeof reply->etag, value);
    if (strcasecmp(name, "date") == 0) copy(reply->date, sizeof reply->date, value);
    if (strcasecmp(name, "last-modified") == 0) copy(reply->modified, sizeof reply->modified, value);
    if (strcasecmp(name, "x-amz-version-id") == 0) copy(reply->version, sizeof reply->version, value);
    if (strcasecmp(name, "x-sluice-stat") == 0) copy(reply->stat, sizeof reply->stat, value);
    if (strcasecmp(name, "server") == 0) copy(reply->server, sizeof reply->server, value);
    if (strcasecmp(name, "x-amz-bucket-region") == 0) copy(reply->region, sizeof reply->region, value);
    if (strcasecmp(name, "content-range") == 0) read_range(reply, value);
    if (str_parse_u64(value, &number) != RC_OK) return;
    if (strcasecmp(name, "content-length") == 0 && number <= INT64_MAX) reply->length = (int64_t)number;
    if (strcasecmp(name, "retry-after") == 0) reply->retry_after_s = number;
}

static size_t take_header(char *line, size_t size, size_t count, void *context) {
    struct s3_exchange *e = context;
    struct str rest = {line, size * count}, name;
    if (str_starts(rest, STR("HTTP/"))) { /* of several answers (100 Continue) the last counts */
        (void)curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &e->reply.status);
        e->reply.length = -1;
        e->head_whole = false;
        return rest.len;
    }
    if (str_equal(rest, STR("\r\n")) || str_equal(rest, STR("\n"))) e->head_whole = true;
    char text[64];
    if (!str_cut(&rest, ':', &name) || name.len >= sizeof text) return size * count;
    (void)snprintf(text, sizeof text, "%.*s", STR_ARG(name));
    while (rest.len && (rest.at[rest.len - 1] == '\n' || rest.at[rest.len - 1] == '\r')) rest.len--;
    read_field(&e->reply, text, str_trim(rest));
    return size * count;
}

static struct curl_slist *fields_of(const struct s3_exchange *e) {
    struct curl_slist *list = NULL;
    AUTO(buf_done) struct buf line = BUF_INIT(HEADER_LINE_MAX);
    for (size_t i = 0; i < e->headers_len; i++) {
        buf_reset(&line);
        buf_add(&line, e->headers[i].name);
        buf_add(&line, STR(": "));
        buf_add(&line, e->headers[i].value);
        struct curl_slist *longer = curl_slist_append(list, buf_text(&line));
        MUST(buf_rc(&line) == RC_OK && longer);
        list = longer;
    }
    static const char *const none[] = {"Expect:", "Accept:", "Content-Type:"}; /* nor what libcurl would add */
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        struct curl_slist *longer = curl_slist_append(list, none[i]);
        MUST(longer);
        list = longer;
    }
    return list;
}

#define SET(option, value) MUST(curl_easy_setopt(e->easy, option, value) == CURLE_OK)

static void set_body(struct s3_exchange *e) {
    if (strcmp(e->method, "HEAD") == 0) SET(CURLOPT_NOBODY, 1L);
    if (e->sends_body) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_READFUNCTION, send_body);
        SET(CURLOPT_READDATA, e);
        SET(CURLOPT_SEEKFUNCTION, seek_body);
        SET(CURLOPT_SEEKDATA, e);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)e->body.len);
    }
    if (!(strcmp(e->method, "HEAD") == 0)) SET(CURLOPT_CUSTOMREQUEST, e->method);
}

static void set_limits(struct s3_exchange *e, const struct s3_http_settings *settings) {
    uint64_t stall_ms = settings->stall_ms * (e->slow_answer ? SLOW_ANSWER : 1);
    uint64_t request_ms = MAX(e->request_ms ? e->request_ms : settings->request_ms, e->slow_answer ? stall_ms : 0);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, (long)num_ceil_div(stall_ms, 1000));
    if (e->expect_bytes == UINT64_MAX) return;
    uint64_t bytes_ms = (e->body.len + MIN(e->expect_bytes, UINT32_MAX)) / (S3_SLOWEST / 1000);
    SET(CURLOPT_TIMEOUT_MS, (long)MIN(request_ms + bytes_ms, (uint64_t)INT32_MAX));
}

void easy_make(struct s3_exchange *e, const struct s3_http_settings *settings) {
    e->easy = curl_easy_init();
    MUST(e->easy);
    e->fields = fields_of(e);
    SET(CURLOPT_PRIVATE, (char *)e);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_URL, e->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTPHEADER, (struct curl_slist *)e->fields);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, e);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, e);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    SET(CURLOPT_BUFFERSIZE, 256L * 1024);
    if (settings->ca_file) SET(CURLOPT_CAINFO, settings->ca_file);
    if (e->no_proxy) SET(CURLOPT_NOPROXY, "*");
    set_body(e);
    set_limits(e, settings);
}

static enum s3_failure failure_of(CURLcode code) {
    switch (code) {
    case CURLE_OK: return S3_ANSWERED;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return S3_UNREACHABLE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return S3_NOT_TRUSTED;
    default: return S3_UNKNOWN;
    }
}

/* A transfer that we ended ourselves because the rest was not asked for is a whole answer. */
static bool has_all_it_wants(const struct s3_exchange *e) {
    return goes_into(e) && e->reply.failure == S3_ANSWERED &&
           e->passed > num_add(e->reply.status == 200 ? e->skip : 0, e->want);
}

void easy_read_end(struct s3_exchange *e, CURLcode code) {
    struct s3_reply *reply = &e->reply;
    (void)curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    if (reply->failure != S3_ANSWERED) return; /* a callback or the loop knows better */
    if (code == CURLE_WRITE_ERROR && has_all_it_wants(e)) return;
    reply->failure = code == CURLE_OK && !e->head_whole ? S3_UNKNOWN : failure_of(code);
    long sent = 0; /* nothing sent is nothing done */
    (void)curl_easy_getinfo(e->easy, CURLINFO_REQUEST_SIZE, &sent);
    if (reply->failure == S3_UNKNOWN && sent == 0) reply->failure = S3_UNREACHABLE;
    const char *words = code == CURLE_OK ? "cut in the middle" : curl_easy_strerror(code);
    if (reply->failure != S3_ANSWERED) (void)snprintf(reply->words, sizeof reply->words, "%s", words);
}

void easy_free(struct s3_exchange *e) {
    curl_easy_cleanup(e->easy);
    curl_slist_free_all(e->fields);
    e->easy = e->fields = NULL;
}
