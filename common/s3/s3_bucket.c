/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a bucket: what is given, what the environment says, what is usual. */
#include "s3_bucket.h"

#include "alloc.h"
#include "num.h"
#include "own.h"
#include "utf8.h"

#include <stdlib.h>

enum { CONNECTIONS_MAX = 256, BUCKET_MIN = 3, BUCKET_MAX = 63, CONNECT_MS = 10 * 1000 };
enum { STALL_MS = 30 * 1000, REQUEST_MS = 60 * 1000 };

static char *own_str(struct str text) { return alloc_text(text.at, text.len); }

static bool bucket_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           (c >= 'A' && c <= 'Z');
}

static RC read_name(struct str name, struct s3_bucket *out, struct why *why) {
    bool good = name.len >= BUCKET_MIN && name.len <= BUCKET_MAX;
    for (size_t i = 0; i < name.len; i++) good = good && bucket_char(name.at[i]);
    if (!good)
        return why_set(why, RC_BAD, "'s3://%.*s': the bucket's name has 3 to 63 letters, digits, '-' and '.'",
                       STR_ARG(str_sub(name, 0, MIN(name.len, (size_t)200))));
    out->name = own_str(name);
    return RC_OK;
}

static const char *first_env(const struct s3_settings *settings, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const char *value = settings->credentials.env ? settings->credentials.env(names[i]) : getenv(names[i]);
        if (value && value[0]) return value;
    }
    return NULL;
}

/* https://host[:port], without a path or anybody's name. */
static RC check_endpoint(struct str endpoint, struct str *out_scheme, struct str *out_host, struct why *why) {
    while (endpoint.len && endpoint.at[endpoint.len - 1] == '/') endpoint.len--;
    size_t scheme = str_starts(endpoint, STR("https://")) ? 8 : str_starts(endpoint, STR("http://")) ? 7 : 0;
    struct str host = str_sub(endpoint, scheme, endpoint.len);
    bool good = scheme && host.len > 0 && host.len < 256;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.at[i];
        good = good && (bucket_char(c) || c == ':' || c == '[' || c == ']');
    }
    if (memchr(endpoint.at, '@', endpoint.len)) /* what stands before it may be a password: not shown */
        return why_set(why, RC_BAD, "the endpoint holds a '@'; needed is http(s)://host or http(s)://host:port");
    if (!good)
        return why_set(why, RC_BAD, "the endpoint '%.*s' is no http(s)://host or http(s)://host:port",
                       STR_ARG(str_sub(endpoint, 0, MIN(endpoint.len, (size_t)200))));
    *out_scheme = str_sub(endpoint, 0, scheme);
    *out_host = host;
    return RC_OK;
}

static RC read_endpoint(const struct s3_settings *settings, struct s3_bucket *out, struct why *why) {
    static const char *const names[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"};
    const char *given = settings->endpoint ? settings->endpoint : first_env(settings, names, COUNT_OF(names));
    AUTO(buf_done) struct buf usual = BUF_INIT(512), base = BUF_INIT(1024), host_text = BUF_INIT(1024);
    buf_add_format(&usual, "https://s3.%s.amazonaws.com", out->region);
    struct str scheme, host;
    TRY(check_endpoint(given ? str_of(given) : buf_str(&usual), &scheme, &host, why));
    out->path_style =
        settings->style == S3_STYLE_PATH || (settings->style == S3_STYLE_AUTO && (given || strchr(out->name, '.')));
    if (!out->path_style) buf_add_format(&host_text, "%s.", out->name);
    buf_add(&host_text, host);
    buf_add(&base, scheme);
    buf_add(&base, buf_str(&host_text));
    out->host = own_str(buf_str(&host_text));
    out->base = own_str(buf_str(&base));
    buf_reset(&base);
    buf_add(&base, scheme);
    buf_add(&base, host);
    out->endpoint = own_str(buf_str(&base));
    return RC_OK;
}

static RC read_region(const struct s3_settings *settings, struct s3_bucket *out, struct why *why) {
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    const char *region = settings->region ? settings->region : first_env(settings, names, COUNT_OF(names));
    if (!region) region = "us-east-1";
    struct str text = str_of(region);
    bool good = text.len > 0 && text.len <= 64;
    for (size_t i = 0; i < text.len; i++) good = good && bucket_char(text.at[i]);
    if (!good) return why_set(why, RC_BAD, "'%.100s' is no name of a region", region);
    out->region = own_str(text);
    return RC_OK;
}

static RC open_parts(const struct s3_settings *s, struct s3_bucket *out, struct why *why) {
    out->connections = s->connections ? s->connections : S3_CONNECTIONS_DEFAULT;
    out->tries = s->tries ? s->tries : S3_TRIES_DEFAULT;
    if (out->connections > CONNECTIONS_MAX)
        return why_set(why, RC_BAD, "%u connections: allowed are at most 256", out->connections);
    struct s3_http_settings http = {
        .connections = out->connections,
        .connect_ms = s->connect_ms ? s->connect_ms : CONNECT_MS,
        .stall_ms = s->stall_ms ? s->stall_ms : STALL_MS,
        .request_ms = s->request_ms ? s->request_ms : REQUEST_MS,
        .ca_file = s->ca_file,
    };
    TRY(s3_http_new(&http, &out->http, why));
    struct s3_credentials_settings credentials = s->credentials;
    credentials.region = out->region;
    credentials.clock = out->clock;
    out->credentials = s3_credentials_new(&credentials, out->http);
    return RC_OK;
}

RC s3_bucket_open(const struct s3_settings *settings, struct str name, struct s3_bucket *out, struct why *why) {
    out->clock = settings->clock.ops ? settings->clock : clock_real();
    TRY(read_name(name, out, why));
    TRY(read_region(settings, out, why));
    TRY(read_endpoint(settings, out, why));
    return open_parts(settings, out, why);
}

void s3_bucket_done(struct s3_bucket *bucket) {
    s3_credentials_free(bucket->credentials);
    s3_http_free(bucket->http);
    char *texts[] = {bucket->name, bucket->region, bucket->base, bucket->host, bucket->endpoint};
    for (size_t i = 0; i < COUNT_OF(texts); i++) free(texts[i]);
    *bucket = (struct s3_bucket){0};
}

/* What XML cannot say does not come back from a listing as it was put. */
static bool is_text(struct str key) {
    for (size_t i = 0; i < key.len; i++) {
        unsigned char c = (unsigned char)key.at[i];
        if (c < ' ' && c != '\t' && c != '\n' && c != '\r') return false;
        if (c == 0xef && i + 2 < key.len && (unsigned char)key.at[i + 1] == 0xbf &&
            (unsigned char)key.at[i + 2] >= 0xbe)
            return false; /* U+FFFE, U+FFFF */
    }
    return utf8_valid(key);
}

RC s3_key_check(struct str key, struct why *why) {
    struct str shown = str_sub(key, 0, MIN(key.len, (size_t)200));
    if (!is_text(key))
        return why_set(why, RC_BAD, "key '%.*s': S3 takes UTF-8 without control characters only", STR_ARG(shown));
    if (key.len > S3_OBJECT_KEY_MAX)
        return why_set(why, RC_LIMIT, "key '%.*s': longer than 1024 bytes", STR_ARG(shown));
    return RC_OK;
}
