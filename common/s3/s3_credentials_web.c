/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that a service gives for some hours: STS for a web identity, a container's service, an instance's. */
#include "s3_credentials_private.h"

#include "backoff.h"
#include "json.h"
#include "num.h"
#include "own.h"
#include "s3_xml.h"
#include "time_parse.h"

#include <stdio.h>

enum {
    ANSWER_ROOM = 64 * 1024,
    PADDED_ROOM = ANSWER_ROOM + JSON_PADDING,
    FORM_ROOM = 4 * ANSWER_ROOM, /* a token, encoded */
    URL_ROOM = 4096,
    TRIES = 3,
    INSTANCE_MS = 2000, /* the metadata service is next door, or not there at all */
    FIRST_MS = 100,
    CAP_MS = 1000,
};

struct question {
    const char *method, *url;
    struct str body;
    struct s3_header headers[2];
    size_t headers_len;
    uint64_t ms;
    bool near; /* on this machine or its network: no proxy */
};

static RC ask_once(struct s3_credentials *c, const struct question *q, struct buf *out, long *out_status,
                   struct why *why) {
    AUTO(s3_exchange_done)
    struct s3_exchange e = {
        .method = q->method,
        .url = q->url,
        .body = q->body,
        .sends_body = q->body.len > 0 || strcmp(q->method, "PUT") == 0,
        .headers_len = q->headers_len,
        .request_ms = q->ms,
        .no_proxy = q->near,
    };
    memcpy(e.headers, q->headers, sizeof q->headers);
    s3_http_start(c->http, &e);
    s3_http_wait(c->http, &e);
    if (e.reply.failure != S3_ANSWERED) return why_set(why, RC_BUSY, "%s: %s", q->url, e.reply.words);
    *out_status = e.reply.status;
    buf_reset(out);
    buf_add(out, buf_str(&e.reply.body));
    if (buf_rc(out) != RC_OK) return why_set(why, RC_DENIED, "%s: the answer is too long", q->url);
    if (e.reply.status == 429 || e.reply.status >= 500)
        return why_set(why, RC_BUSY, "%s: answered %ld", q->url, e.reply.status);
    return RC_OK;
}

/* The answer of a service that may be busy; any status below 500 but 429. */
static RC ask(struct s3_credentials *c, const struct question *q, struct buf *out, long *out_status, struct why *why) {
    struct backoff backoff = backoff_make(FIRST_MS, CAP_MS, rng_from_kernel());
    for (int i = 1;; i++) {
        enum rc rc = ask_once(c, q, out, out_status, why);
        if (rc != RC_BUSY || i == TRIES) return rc;
        clock_sleep_ms(c->settings.clock, backoff_next_ms(&backoff));
    }
}

static RC refused(const char *place, const char *url, long status, struct why *why) {
    return why_set(why, RC_DENIED, "%s: %s answered %ld", place, url, status);
}

static RC take_text(struct json_node root, const char *name, char *out, size_t room, struct why *why) {
    struct json_node node;
    struct str text;
    if (json_get(root, str_of(name), &node) != RC_OK || json_get_str(node, &text) != RC_OK)
        return why_set(why, RC_DENIED, "the answer has no %s", name);
    return credentials_copy(text, out, room, name, why);
}

/* {"AccessKeyId": …, "SecretAccessKey": …, "Token": …, "Expiration": "…"} */
static RC read_json(struct buf *answer, struct s3_keys *out, struct why *why) {
    size_t len = answer->len;
    for (int i = 0; i < JSON_PADDING; i++) buf_add_char(answer, ' ');
    if (buf_rc(answer) != RC_OK) return why_set(why, RC_DENIED, "the answer is too long");
    AUTO(json_parser_done)
    struct json_parser *parser = json_parser_new((struct json_parser_limits){.bytes_max = ANSWER_ROOM});
    struct json_node root;
    char ends[64];
    if (json_parse(parser, (struct str){answer->at, len}, &root, NULL) != RC_OK)
        return why_set(why, RC_DENIED, "the answer is no JSON");
    TRY(take_text(root, "AccessKeyId", out->access, sizeof out->access, why));
    TRY(take_text(root, "SecretAccessKey", out->secret, sizeof out->secret, why));
    TRY(take_text(root, "Token", out->token, sizeof out->token, why));
    TRY(take_text(root, "Expiration", ends, sizeof ends, why));
    if (time_parse_rfc3339(str_of(ends), &out->ends_ns) != RC_OK)
        return why_set(why, RC_DENIED, "the answer's Expiration is no time");
    return RC_OK;
}

/* ---- web identity ---- */

static void form_add(struct buf *form, const char *name, struct str value) { s3_query_add(form, name, value); }

static RC take_element(struct str document, const char *name, char *out, size_t room, struct why *why) {
    AUTO(buf_done) struct buf text = BUF_INIT(S3_TOKEN_ROOM);
    if (s3_xml_find(document, name, &text, why) != RC_OK) return why_set(why, RC_DENIED, "STS gave no %s", name);
    return credentials_copy(buf_str(&text), out, room, name, why);
}

static RC read_sts(struct str document, struct s3_keys *out, struct why *why) {
    char ends[64];
    TRY(take_element(document, "AccessKeyId", out->access, sizeof out->access, why));
    TRY(take_element(document, "SecretAccessKey", out->secret, sizeof out->secret, why));
    TRY(take_element(document, "SessionToken", out->token, sizeof out->token, why));
    TRY(take_element(document, "Expiration", ends, sizeof ends, why));
    if (time_parse_rfc3339(str_of(ends), &out->ends_ns) != RC_OK)
        return why_set(why, RC_DENIED, "the Expiration that STS gave is no time");
    return RC_OK;
}

static RC sts_refused(struct str document, const char *url, long status, struct why *why) {
    struct s3_error error;
    if (s3_error_read(document, &error) != RC_OK) return refused("STS", url, status, why);
    return why_set(why, RC_DENIED, "STS at %s refused the web identity: %s: %s", url, error.code, error.message);
}

enum rc load_web_identity(struct s3_credentials *c, struct s3_keys *out, struct why *why) {
    const char *path = credentials_env(c, "AWS_WEB_IDENTITY_TOKEN_FILE"), *role = credentials_env(c, "AWS_ROLE_ARN");
    const char *session = credentials_env(c, "AWS_ROLE_SESSION_NAME"), *url = c->settings.sts_url;
    if (!path || !role) return RC_ABSENT;
    if (!url) url = credentials_env(c, "AWS_ENDPOINT_URL_STS");
    char usual[URL_ROOM];
    (void)snprintf(usual, sizeof usual, "https://sts.%s.amazonaws.com/",
                   c->settings.region ? c->settings.region : "us-east-1");
    AUTO(buf_done)
    struct buf token = BUF_INIT(ANSWER_ROOM), form = BUF_INIT(FORM_ROOM), answer = BUF_INIT(ANSWER_ROOM);
    /* read each time: it is replaced now and then */
    enum rc rc = credentials_read_file(path, &token, why);
    if (rc != RC_OK) return why_wrap(why, RC_DENIED, "AWS_WEB_IDENTITY_TOKEN_FILE");
    form_add(&form, "Action", STR("AssumeRoleWithWebIdentity"));
    form_add(&form, "RoleArn", str_of(role));
    form_add(&form, "RoleSessionName", str_of(session ? session : "sluice"));
    form_add(&form, "Version", STR("2011-06-15"));
    form_add(&form, "WebIdentityToken", credentials_trim(buf_str(&token)));
    struct question q = {.method = "POST", .url = url ? url : usual, .body = buf_str(&form), .headers_len = 1};
    q.headers[0] = (struct s3_header){STR("content-type"), STR("application/x-www-form-urlencoded")};
    long status = 0;
    TRY(ask(c, &q, &answer, &status, why));
    if (status != 200) return sts_refused(buf_str(&answer), q.url, status, why);
    return read_sts(buf_str(&answer), out, why);
}

/* ---- container ---- */

/* A token is sent there: over plain HTTP only to this machine and the known addresses of such services. */
static bool may_be_told(const char *url) {
    static const char *const near[] = {"http://127.",          "http://localhost:",     "http://localhost/",
                                       "http://[::1]",         "http://169.254.170.2/", "http://169.254.170.23/",
                                       "http://[fd00:ec2::23]"};
    for (size_t i = 0; i < COUNT_OF(near); i++)
        if (str_starts(str_of(url), str_of(near[i]))) return true;
    return str_starts(str_of(url), STR("https://"));
}

static RC container_token(struct s3_credentials *c, struct buf *out, struct why *why) {
    const char *path = credentials_env(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = credentials_env(c, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (path && credentials_read_file(path, out, why) != RC_OK)
        return why_wrap(why, RC_DENIED, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!path && token) buf_add(out, str_of(token));
    struct str text = credentials_trim(buf_str(out));
    if (text.len && memchr(text.at, '\n', text.len))
        return why_set(why, RC_DENIED, "the container's authorization token has more than one line");
    return RC_OK;
}

enum rc load_container(struct s3_credentials *c, struct s3_keys *out, struct why *why) {
    const char *relative = credentials_env(c, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = credentials_env(c, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) return RC_ABSENT;
    char url[URL_ROOM];
    (void)snprintf(url, sizeof url, "%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full);
    if (!may_be_told(url))
        return why_set(why, RC_DENIED, "AWS_CONTAINER_CREDENTIALS_FULL_URI: plain HTTP only to this machine: %s", url);
    AUTO(buf_done) struct buf token = BUF_INIT(ANSWER_ROOM), answer = BUF_INIT(PADDED_ROOM);
    TRY(container_token(c, &token, why));
    struct question q = {.method = "GET", .url = url, .near = true};
    if (token.len)
        q.headers[q.headers_len++] = (struct s3_header){STR("authorization"), credentials_trim(buf_str(&token))};
    long status = 0;
    TRY(ask(c, &q, &answer, &status, why));
    if (status != 200) return refused("the container's credentials service", url, status, why);
    return read_json(&answer, out, why);
}

/* ---- instance ---- */

#define INSTANCE_PATH "/latest/meta-data/iam/security-credentials/"

static RC instance_get(struct s3_credentials *c, const char *url, struct str token, struct buf *out, struct why *why) {
    struct question q = {.method = "GET", .url = url, .headers_len = 1, .ms = INSTANCE_MS, .near = true};
    q.headers[0] = (struct s3_header){STR("x-aws-ec2-metadata-token"), token};
    long status = 0;
    TRY(ask(c, &q, out, &status, why));
    if (status == 404) return why_set(why, RC_DENIED, "the instance has no role (IAM instance profile)");
    return status == 200 ? RC_OK : refused("the instance's metadata service", url, status, why);
}

enum rc load_instance(struct s3_credentials *c, struct s3_keys *out, struct why *why) {
    const char *off = credentials_env(c, "AWS_EC2_METADATA_DISABLED"), *base = c->settings.instance_url;
    if (off && (strcmp(off, "true") == 0 || strcmp(off, "TRUE") == 0 || strcmp(off, "1") == 0)) return RC_ABSENT;
    if (!base) base = credentials_env(c, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!base) base = "http://169.254.169.254";
    char url[URL_ROOM];
    AUTO(buf_done) struct buf token = BUF_INIT(ANSWER_ROOM), role = BUF_INIT(1024), answer = BUF_INIT(PADDED_ROOM);
    (void)snprintf(url, sizeof url, "%.1000s/latest/api/token", base);
    struct question q = {.method = "PUT", .url = url, .headers_len = 1, .ms = INSTANCE_MS, .near = true};
    q.headers[0] = (struct s3_header){STR("x-aws-ec2-metadata-token-ttl-seconds"), STR("21600")};
    long status = 0;
    /* where there is none, this machine is no instance; once it gave some it only does not answer now */
    enum rc rc = ask(c, &q, &token, &status, why);
    if (rc != RC_OK) return c->source < 0 ? RC_ABSENT : rc;
    if (status != 200) return refused("the instance's metadata service", url, status, why);
    (void)snprintf(url, sizeof url, "%.1000s" INSTANCE_PATH, base);
    TRY(instance_get(c, url, buf_str(&token), &role, why));
    struct str name, rest = buf_str(&role);
    if (!str_cut(&rest, '\n', &name) || credentials_trim(name).len == 0)
        return why_set(why, RC_DENIED, "the instance has no role (IAM instance profile)");
    (void)snprintf(url, sizeof url, "%.1000s" INSTANCE_PATH "%.*s", base, STR_ARG(credentials_trim(name)));
    TRY(instance_get(c, url, buf_str(&token), &answer, why));
    return read_json(&answer, out, why);
}
