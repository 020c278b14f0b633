/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_call.h"

#include "backoff.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <openssl/crypto.h>
#include <stdio.h>

enum { FIRST_WAIT_MS = 50, WAIT_CAP_MS = 4000 };

static void add_header(struct s3_exchange *e, const char *name, struct str value) {
    MUST(e->headers_len < S3_SIGNED_MAX);
    e->headers[e->headers_len++] = (struct s3_header){str_of(name), value};
}

static size_t make_path(const struct s3_bucket *bucket, const struct s3_call *call, struct buf *url) {
    size_t from = url->len;
    buf_add_char(url, '/');
    if (bucket->path_style) {
        s3_encode(str_of(bucket->name), false, url);
        if (call->key.len) buf_add_char(url, '/');
    }
    s3_encode(call->key, true, url);
    return url->len - from;
}

static void sign(const struct s3_bucket *bucket, struct s3_call *call, const struct s3_keys *keys, struct str path) {
    struct s3_exchange *e = &call->exchange;
    struct s3_signing signing = {
        .method = str_of(call->method),
        .path = path,
        .query = buf_str(&call->query),
        .headers = e->headers,
        .headers_len = e->headers_len,
        .payload_hash = str_of(call->hash),
        .region = str_of(bucket->region),
        .service = STR("s3"),
        .access = str_of(keys->access),
        .secret = str_of(keys->secret),
        .stamp = str_of(call->stamp),
    };
    s3_sign(&signing, &call->authorization);
}

/* Each try is signed anew: time has passed, and credentials may be others. */
static void prepare(const struct s3_bucket *bucket, struct s3_call *call, const struct s3_keys *keys) {
    struct s3_exchange *e = &call->exchange;
    *e = (struct s3_exchange){.method = call->method,
                              .body = call->body,
                              .sends_body = call->sends_body,
                              .slow_answer = call->slow_answer,
                              .expect_bytes = call->expect_bytes,
                              .into = call->into,
                              .skip = call->skip,
                              .want = call->want};
    s3_stamp(clock_wall_ns(bucket->clock), call->stamp);
    if (!call->hash[0]) s3_sha256(call->body, call->hash);
    buf_reset(&call->url);
    buf_reset(&call->authorization);
    buf_add(&call->url, str_of(bucket->base));
    size_t base_len = call->url.len, path_len = make_path(bucket, call, &call->url);
    if (call->query.len) buf_add_char(&call->url, '?');
    buf_add(&call->url, buf_str(&call->query));
    MUST(buf_rc(&call->url) == RC_OK && buf_rc(&call->query) == RC_OK);
    add_header(e, "host", str_of(bucket->host));
    add_header(e, "x-amz-content-sha256", str_of(call->hash));
    add_header(e, "x-amz-date", str_of(call->stamp));
    (void)snprintf(call->token, sizeof call->token, "%s", keys->token);
    if (call->token[0]) add_header(e, "x-amz-security-token", str_of(call->token));
    for (size_t i = 0; i < call->extra_len; i++) e->headers[e->headers_len++] = call->extra[i];
    sign(bucket, call, keys, str_sub(buf_str(&call->url), base_len, base_len + path_len));
    MUST(buf_rc(&call->authorization) == RC_OK);
    add_header(e, "authorization", buf_str(&call->authorization));
    e->url = buf_text(&call->url);
}

static RC try_it(struct s3_bucket *bucket, struct s3_call *call, struct why *why) {
    struct s3_keys keys;
    enum rc rc = s3_credentials_get(bucket->credentials, &keys, why);
    if (rc != RC_OK) return why_wrap(why, rc, "s3://%s at %s", bucket->name, bucket->endpoint);
    prepare(bucket, call, &keys);
    OPENSSL_cleanse(&keys, sizeof keys);
    call->tried++;
    s3_http_start(bucket->http, &call->exchange);
    return RC_OK;
}

RC s3_call_start(struct s3_bucket *bucket, struct s3_call *call, struct why *why) {
    call->tried = 0;
    call->into_len = call->into ? call->into->len : 0;
    return try_it(bucket, call, why);
}

static void forget_try(struct s3_call *call) {
    s3_exchange_done(&call->exchange);
    if (!call->into) return;
    call->into->len = call->into_len;
}

static void wait_a_little(const struct s3_bucket *bucket, const struct s3_call *call, struct backoff *backoff) {
    uint64_t asked_ms = MIN(call->exchange.reply.retry_after_s, (uint64_t)S3_WAIT_MAX_MS / 1000) * 1000;
    clock_sleep_ms(bucket->clock, asked_ms + backoff_next_ms(backoff));
}

RC s3_call_end(struct s3_bucket *bucket, struct s3_call *call, struct why *why) {
    struct backoff backoff = backoff_make(FIRST_WAIT_MS, WAIT_CAP_MS, rng_from_kernel());
    for (;;) {
        s3_http_wait(bucket->http, &call->exchange);
        struct s3_verdict verdict = s3_judge(bucket, call, why);
        call->unknown = verdict.unknown;
        if (verdict.rc == RC_OK) return RC_OK;
        bool renew = verdict.renew && !call->renewed;
        if (renew) s3_credentials_expired(bucket->credentials);
        call->renewed = call->renewed || renew;
        bool again = verdict.again && !(verdict.unknown && call->decides) && call->tried < bucket->tries;
        if (!again && !renew) {
            if (call->into) call->into->len = call->into_len;
            return verdict.rc;
        }
        if (again) wait_a_little(bucket, call, &backoff);
        forget_try(call);
        TRY(try_it(bucket, call, why));
    }
}

RC s3_call(struct s3_bucket *bucket, struct s3_call *call, struct why *why) {
    TRY(s3_call_start(bucket, call, why));
    return s3_call_end(bucket, call, why);
}

void s3_call_cancel(struct s3_bucket *bucket, struct s3_call *call) {
    s3_http_cancel(bucket->http, &call->exchange);
    s3_http_wait(bucket->http, &call->exchange);
}

void s3_call_done(struct s3_call *call) {
    s3_exchange_done(&call->exchange);
    buf_done(&call->query);
    buf_done(&call->url);
    buf_done(&call->authorization);
}
