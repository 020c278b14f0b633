/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every answer of a server becomes the outcome that it stands for, with words that name the place and what to
 * do and no secret; what may be repeated is, as the server asks; what is wrong, short, endless or somebody else's is
 * never taken for a success. The servers here say what each test makes them say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock_fake.h"
#include "fake_http.h"
#include "num.h"
#include "own.h"
#include "store_s3.h"

#include <stdatomic.h>
#include <stdio.h>

#define SECRET "s3cr3t-that-nobody-may-read"

struct said {
    int status;
    const char *fields, *body;
};

struct fixture {
    struct said said;  /* to every request */
    struct said later; /* from the second on, when its status is set */
    atomic_int requests;
    struct clock_fake clock;
    struct fake_http *http;
    struct store store;
};

static void say(void *context, const struct fake_request *request, struct buf *out) {
    struct fixture *f = context;
    (void)request;
    bool first = atomic_fetch_add(&f->requests, 1) == 0;
    const struct said *said = first || !f->later.status ? &f->said : &f->later;
    if (said->status)
        fake_http_say(out, said->status, said->fields ? said->fields : "", str_of(said->body ? said->body : ""));
}

static const char *no_env(const char *name) {
    (void)name;
    return NULL;
}

static void begin_with(struct fixture *f, fake_answer answer, void *context) {
    f->clock = (struct clock_fake){.wall_ns = 1700000000000000000};
    f->http = fake_http_start(answer, context);
    struct store_s3_settings settings = {
        .url = "s3://the-bucket/pre/fix",
        .endpoint = fake_http_url(f->http),
        .credentials = {.access = "AKID", .secret = SECRET, .env = no_env},
        .tries = 3,
        .clock = clock_fake(&f->clock),
    };
    struct why why = {0};
    if (store_s3_open(&settings, &f->store, &why) != RC_OK) fail_msg("%s", why.text);
}

static void end(struct fixture *f) {
    store_free(f->store);
    fake_http_stop(f->http);
}

/* ---- the table ---- */

static void every_answer_becomes_its_outcome(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *code;
        enum rc rc;
        int requests; /* of at most 3 */
        const char *words;
    } rows[] = {
        {404, "NoSuchKey", RC_ABSENT, 1, "the-bucket/pre/fix/k"},
        {404, "NoSuchBucket", RC_DENIED, 1, "no such bucket"},
        {403, "AccessDenied", RC_DENIED, 1, "credentials from the configuration"},
        {403, "SignatureDoesNotMatch", RC_DENIED, 1, "credentials from the configuration"},
        {403, "InvalidAccessKeyId", RC_DENIED, 1, "does not know the access key"},
        {403, "RequestTimeTooSkewed", RC_DENIED, 1, "here it is 2023-11-14T22:13:20Z, there it is Tue, 14"},
        {400, "ExpiredToken", RC_DENIED, 2, "has ended"},
        {301, "PermanentRedirect", RC_DENIED, 1, "the region to set is eu-north-1, not us-east-1"},
        {400, "AuthorizationHeaderMalformed", RC_DENIED, 1, "the region to set is eu-north-1"},
        {307, "", RC_DENIED, 1, "elsewhere"},
        {503, "SlowDown", RC_BUSY, 3, "too many requests"},
        {503, "", RC_BUSY, 3, "too busy"},
        {500, "InternalError", RC_BUSY, 3, "the server failed"},
        {502, "", RC_BUSY, 3, "the server failed"},
        {504, "", RC_BUSY, 3, "the server failed"},
        {429, "", RC_BUSY, 3, "too many requests"},
        {408, "", RC_BUSY, 3, ""},
        {400, "RequestTimeout", RC_BUSY, 3, ""},
        {400, "XAmzContentSHA256Mismatch", RC_BUSY, 3, "damaged"},
        {501, "NotImplemented", RC_DENIED, 1, "does not know this kind"},
        {507, "XMinioStorageFull", RC_LIMIT, 1, "full"},
        {400, "KeyTooLongError", RC_LIMIT, 1, ""},
        {400, "SomethingNew", RC_DENIED, 1, "SomethingNew"},
        {409, "OperationAborted", RC_BUSY, 3, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char body[512];
        struct fixture f = {0};
        (void)snprintf(body, sizeof body,
                       "<Error><Code>%s</Code><Message>m</Message><Region>eu-north-1</Region></Error>", rows[i].code);
        f.said =
            (struct said){rows[i].status, "Date: Tue, 14 Nov 2023 23:59:59 GMT\r\n", rows[i].code[0] ? body : "<html>"};
        begin_with(&f, say, &f);
        AUTO(buf_done) struct buf got = BUF_INIT(100);
        struct why why = {0};
        enum rc rc = store_get(f.store, STR("k"), 0, 10, &got, &why);
        if (rc != rows[i].rc || !strstr(why.text, rows[i].words) || strstr(why.text, SECRET) ||
            !strstr(why.text, fake_http_url(f.http)))
            fail_msg("%d %s: %s: %s", rows[i].status, rows[i].code, rc_name(rc), why.text);
        assert_int_equal(atomic_load(&f.requests), rows[i].requests);
        assert_int_equal(got.len, 0);
        end(&f);
    }
}

static void a_server_that_is_not_there_is_busy_and_asked_again(void **state) {
    (void)state;
    struct fixture f = {0};
    begin_with(&f, say, &f);
    fake_http_stop(f.http); /* its port is free again: refused */
    f.http = NULL;
    uint64_t size = 0;
    struct why why = {0};
    assert_int_equal(store_size(f.store, STR("k"), &size, &why), RC_BUSY);
    assert_non_null(strstr(why.text, "not reachable"));
    assert_int_equal(f.clock.sleeps, 2);
    end(&f);
}

static void a_retry_after_is_waited_for_and_bounded(void **state) {
    (void)state;
    static const struct {
        const char *fields;
        uint64_t least_ms, most_ms;
    } rows[] = {{"Retry-After: 7\r\n", 7000, 8000}, {"Retry-After: 999999\r\n", S3_WAIT_MAX_MS, S3_WAIT_MAX_MS + 1000}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f = {.said = {503, rows[i].fields, ""}, .later = {200, "", "x"}};
        begin_with(&f, say, &f);
        uint64_t size = 0;
        assert_int_equal(store_size(f.store, STR("k"), &size, NULL), RC_OK);
        assert_in_range(f.clock.slept_ms, rows[i].least_ms, rows[i].most_ms);
        assert_int_equal(f.clock.sleeps, 1);
        end(&f);
    }
}

static void what_decides_is_not_repeated_when_it_may_have_been_done(void **state) {
    (void)state;
    static const struct {
        struct said said;
        int requests;
    } rows[] = {{{500, "", ""}, 1}, {{0, NULL, NULL}, 1}, {{503, "", "<Error><Code>SlowDown</Code></Error>"}, 3}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f = {.said = rows[i].said};
        begin_with(&f, say, &f);
        assert_int_equal(store_put_absent(f.store, STR("k"), STR("x"), NULL), RC_BUSY);
        assert_int_equal(atomic_load(&f.requests), rows[i].requests);
        end(&f);
        f = (struct fixture){.said = rows[i].said, .later = {200, "ETag: \"e\"\r\n", ""}};
        begin_with(&f, say, &f);
        assert_int_equal(store_put(f.store, STR("k"), STR("x"), NULL), RC_OK); /* says the same each time */
        assert_int_equal(atomic_load(&f.requests), 2);
        end(&f);
    }
}

/* ---- ranges ---- */

static enum rc get_of(const struct said *said, uint64_t from, uint64_t len, struct buf *out) {
    struct fixture f = {.said = *said};
    begin_with(&f, say, &f);
    enum rc rc = store_get(f.store, STR("k"), from, len, out, NULL);
    end(&f);
    return rc;
}

static void a_range_is_what_was_asked_or_a_failure(void **state) {
    (void)state;
    static const struct {
        struct said said;
        uint64_t from, len;
        enum rc rc;
        const char *got;
    } rows[] = {
        {{206, "Content-Range: bytes 3-6/10\r\n", "3456"}, 3, 4, RC_OK, "3456"},
        {{206, "Content-Range: bytes 3-9/10\r\n", "3456789"}, 3, 100, RC_OK, "3456789"},
        {{206, "", "3456"}, 3, 4, RC_BROKEN, ""}, /* of where? */
        {{206, "Content-Range: bytes 0-3/10\r\n", "0123"}, 3, 4, RC_BROKEN, ""},
        {{206, "Content-Range: bytes 3-4/10\r\n", "34"}, 3, 4, RC_BROKEN, ""},
        {{200, "", "0123456789"}, 3, 4, RC_OK, "3456"}, /* it does not know ranges */
        {{200, "", "0123456789"}, 8, 100, RC_OK, "89"},
        {{200, "", "0123456789"}, 0, UINT64_MAX, RC_OK, "0123456789"},
        {{200, "", "0123456789"}, 20, 4, RC_OK, ""},
        {{416, "", ""}, 20, 4, RC_OK, ""},
        {{204, "", ""}, 0, 4, RC_BROKEN, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_done) struct buf got = BUF_INIT(100);
        buf_add_char(&got, '>');
        enum rc rc = get_of(&rows[i].said, rows[i].from, rows[i].len, &got);
        if (rc != rows[i].rc || strcmp(buf_text(&got) + 1, rows[i].got) != 0)
            fail_msg("row %zu: %s '%s'", i, rc_name(rc), buf_text(&got));
    }
}

static void half_body(void *context, const struct fake_request *request, struct buf *out) {
    (void)request;
    ++*(atomic_int *)context;
    buf_add(out, STR("HTTP/1.1 206 X\r\nContent-Length: 4\r\nContent-Range: bytes 3-6/10\r\n\r\n34"));
}

static void a_body_that_was_cut_is_no_success(void **state) {
    (void)state;
    struct fixture f = {0};
    atomic_int requests = 0;
    begin_with(&f, half_body, &requests);
    AUTO(buf_done) struct buf got = BUF_INIT(100);
    struct why why = {0};
    assert_int_equal(store_get(f.store, STR("k"), 3, 4, &got, &why), RC_BUSY);
    assert_int_equal(got.len, 0);
    assert_int_equal(requests, 3);
    end(&f);
}

static void half_head(void *context, const struct fake_request *request, struct buf *out) {
    (void)request;
    ++*(atomic_int *)context;
    buf_add(out, STR("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nConte"));
}

static void a_head_that_was_cut_is_no_success(void **state) {
    (void)state;
    struct fixture f = {0};
    atomic_int requests = 0;
    begin_with(&f, half_head, &requests);
    assert_int_equal(store_put_absent(f.store, STR("k"), STR("x"), NULL), RC_BUSY);
    assert_int_equal(requests, 1);
    end(&f);
}

/* ---- listings ---- */

static enum rc count_keys(void *context, struct str key, uint64_t bytes) {
    (void)key, (void)bytes;
    ++*(int *)context;
    return RC_OK;
}

static enum rc list_of(const char *body, int *out_keys, struct why *why) {
    struct fixture f = {.said = {200, "", body}};
    begin_with(&f, say, &f);
    *out_keys = 0;
    enum rc rc = store_list(f.store, STR(""), STR(""), count_keys, out_keys, why);
    end(&f);
    return rc;
}

#define KEY(name) "<Contents><Key>pre/fix/" name "</Key><Size>1</Size></Contents>"

static void a_listing_that_is_none_or_never_ends_is_broken(void **state) {
    (void)state;
    static const struct {
        const char *body;
        enum rc rc;
        int keys;
    } rows[] = {
        {"<L>" KEY("a") KEY("b") "</L>", RC_OK, 2},
        {"<L>" KEY("a") "<Contents><Key>elsewhere</Key><Size>1</Size></Contents></L>", RC_OK, 1},
        {"<L>" KEY("folder/") KEY("g") "</L>", RC_OK, 1},
        {"<L>" KEY("b") KEY("a") "</L>", RC_BROKEN, 1},
        {"<L>" KEY("a") KEY("a") "</L>", RC_BROKEN, 1},
        {"<L>" KEY("a") "<IsTruncated>true</IsTruncated></L>", RC_BROKEN, 1}, /* the same page for ever */
        {"<L><IsTruncated>true</IsTruncated></L>", RC_BROKEN, 0},
        {"<L><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></L>", RC_BROKEN, 0},
        {"<L>" KEY("a"), RC_BROKEN, 0},
        {"<html>hello</html>", RC_OK, 0},
        {"not xml", RC_BROKEN, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int keys = 0;
        struct why why = {0};
        enum rc rc = list_of(rows[i].body, &keys, &why);
        if (rc != rows[i].rc || keys != rows[i].keys)
            fail_msg("row %zu: %s, %d keys: %s", i, rc_name(rc), keys, why.text);
    }
}

static enum rc ignore_upload(void *context, struct str key, struct str upload, int64_t started_ns) {
    (void)context, (void)key, (void)upload, (void)started_ns;
    return RC_OK;
}

static void a_listing_of_uploads_never_turns_in_a_circle(void **state) {
    (void)state;
    struct fixture f = {.said = {200, "",
                                 "<L><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
                                 "<NextUploadIdMarker>u</NextUploadIdMarker></L>"}};
    begin_with(&f, say, &f);
    assert_int_equal(store_uploads(f.store, STR(""), ignore_upload, NULL, NULL), RC_BROKEN);
    assert_int_equal(atomic_load(&f.requests), 2);
    end(&f);
}

/* ---- the end of an upload ---- */

struct upload_server {
    const char *completes[4];       /* what completing is answered, in turn: "200", "lost", "404", "412", "error" */
    bool there_before, there_after; /* what HEAD finds before and behind the first completing */
    atomic_int completed, aborted;
};

static void answer_upload(void *context, const struct fake_request *request, struct buf *out) {
    struct upload_server *s = context;
    bool post = str_equal(request->method, STR("POST"));
    if (post && memmem(request->target.at, request->target.len, "?uploads=", 9))
        return fake_http_say(out, 200, "", STR("<R><UploadId>u1</UploadId></R>"));
    if (str_equal(request->method, STR("PUT"))) return fake_http_say(out, 200, "ETag: \"p\"\r\n", STR(""));
    if (str_equal(request->method, STR("DELETE"))) {
        s->aborted++;
        return fake_http_say(out, 204, "", STR(""));
    }
    if (str_equal(request->method, STR("HEAD")))
        return fake_http_say(out, (s->completed ? s->there_after : s->there_before) ? 200 : 404, "", STR(""));
    const char *said = s->completes[atomic_fetch_add(&s->completed, 1)];
    assert_non_null(said);
    if (strcmp(said, "200") == 0) fake_http_say(out, 200, "", STR("<R><ETag>x</ETag></R>"));
    if (strcmp(said, "404") == 0) fake_http_say(out, 404, "", STR("<Error><Code>NoSuchUpload</Code></Error>"));
    if (strcmp(said, "412") == 0) fake_http_say(out, 412, "", STR("<Error><Code>PreconditionFailed</Code></Error>"));
    if (strcmp(said, "error") == 0) fake_http_say(out, 200, "", STR("<Error><Code>InternalError</Code></Error>"));
}

static void the_end_of_an_upload_is_what_is_there(void **state) {
    (void)state;
    static const struct {
        const char *completes[4];
        bool there_after;
        enum rc rc;
        int completed, aborted;
    } rows[] = {
        {{"200"}, true, RC_OK, 1, 0},
        {{"412"}, true, RC_STALE, 1, 1},
        {{"lost"}, true, RC_STALE, 1, 1},        /* done, by us or another */
        {{"lost", "200"}, false, RC_OK, 2, 0},   /* not done: done now */
        {{"error", "200"}, false, RC_OK, 2, 0},  /* an error within a 200 */
        {{"lost", "404"}, false, RC_BUSY, 2, 1}, /* neither there nor known any more: begin again */
        {{"404"}, true, RC_STALE, 1, 1},
        {{"lost", "412"}, false, RC_STALE, 2, 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct upload_server server = {.there_after = rows[i].there_after};
        memcpy(server.completes, rows[i].completes, sizeof server.completes);
        struct fixture f = {0};
        begin_with(&f, answer_upload, &server);
        struct store_upload upload = {0};
        struct why why = {0};
        AUTO(buf_done) struct buf part = BUF_INIT(STORE_S3_PART_DEFAULT);
        assert_int_equal(buf_reserve(&part, STORE_S3_PART_DEFAULT), RC_OK);
        memset(part.at, 'p', STORE_S3_PART_DEFAULT);
        part.len = STORE_S3_PART_DEFAULT;
        assert_int_equal(store_upload_begin(f.store, STR("k"), &upload, &why), RC_OK);
        assert_int_equal(store_upload_part(&upload, buf_str(&part), &why), RC_OK);
        enum rc rc = store_upload_finish_absent(&upload, &why);
        if (rc != rows[i].rc || server.completed != rows[i].completed || server.aborted != rows[i].aborted)
            fail_msg("row %zu: %s, %d completed, %d aborted: %s", i, rc_name(rc), server.completed, server.aborted,
                     why.text);
        end(&f);
    }
}

/* ---- requests ---- */

struct seen {
    char target[256], token[64], condition[16], range[64];
    bool token_signed;
};

static void remember(void *context, const struct fake_request *request, struct buf *out) {
    struct seen *seen = context;
    struct str signature = fake_http_field(request, "authorization");
    (void)snprintf(seen->target, sizeof seen->target, "%.*s", STR_ARG(request->target));
    (void)snprintf(seen->token, sizeof seen->token, "%.*s", STR_ARG(fake_http_field(request, "x-amz-security-token")));
    (void)snprintf(seen->condition, sizeof seen->condition, "%.*s", STR_ARG(fake_http_field(request, "if-none-match")));
    (void)snprintf(seen->range, sizeof seen->range, "%.*s", STR_ARG(fake_http_field(request, "range")));
    seen->token_signed = signature.len && memmem(signature.at, signature.len, ";x-amz-security-token", 21);
    fake_http_say(out, 200, "", STR("0123456789"));
}

static void requests_are_encoded_and_carry_what_they_should(void **state) {
    (void)state;
    struct seen seen = {0};
    struct fixture f = {0};
    begin_with(&f, remember, &seen);
    assert_int_equal(store_put_absent(f.store, STR("g1/dt=2026-01-01/a b"), STR("x"), NULL), RC_OK);
    assert_string_equal(seen.target, "/the-bucket/pre/fix/g1/dt%3D2026-01-01/a%20b");
    assert_string_equal(seen.condition, "*");
    assert_string_equal(seen.token, "");
    AUTO(buf_done) struct buf got = BUF_INIT(100);
    assert_int_equal(store_get(f.store, STR("k"), 2, 3, &got, NULL), RC_OK);
    assert_string_equal(seen.range, "bytes=2-4");
    assert_int_equal(store_get(f.store, STR("k"), 2, UINT64_MAX, &got, NULL), RC_OK);
    assert_string_equal(seen.range, "bytes=2-");
    end(&f);
}

static void a_session_token_is_sent_and_signed(void **state) {
    (void)state;
    struct seen seen = {0};
    struct fake_http *http = fake_http_start(remember, &seen);
    struct store_s3_settings settings = {.url = "s3://the-bucket",
                                         .endpoint = fake_http_url(http),
                                         .credentials = {.access = "A", .secret = "B", .token = "tok", .env = no_env}};
    struct store store = {0};
    uint64_t size = 0;
    assert_int_equal(store_s3_open(&settings, &store, NULL), RC_OK);
    assert_int_equal(store_size(store, STR("k"), &size, NULL), RC_OK);
    assert_string_equal(seen.target, "/the-bucket/k");
    assert_string_equal(seen.token, "tok");
    assert_true(seen.token_signed);
    store_free(store);
    fake_http_stop(http);
}

static void settings_that_cannot_be_are_refused_with_words(void **state) {
    (void)state;
    static const struct {
        struct store_s3_settings settings;
        const char *words;
    } rows[] = {
        {{.url = "file:///x"}, "s3://bucket"},
        {{.url = NULL}, "s3://bucket"},
        {{.url = "s3://"}, "3 to 63"},
        {{.url = "s3://a b"}, "3 to 63"},
        {{.url = "s3://bucket/a//b"}, "empty"},
        {{.url = "s3://bucket/../b"}, ".."},
        {{.url = "s3://bucket", .endpoint = "127.0.0.1:9000"}, "http(s)://host"},
        {{.url = "s3://bucket", .endpoint = "http://user:pass@host"}, "http(s)://host"},
        {{.url = "s3://bucket", .endpoint = "http://host/path"}, "http(s)://host"},
        {{.url = "s3://bucket", .region = "eu west"}, "region"},
        {{.url = "s3://bucket", .part_bytes = 1 << 20}, "5 MiB"},
        {{.url = "s3://bucket", .connections = 1000}, "256"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_s3_settings settings = rows[i].settings;
        settings.credentials.env = no_env;
        struct store store = {0};
        struct why why = {0};
        if (store_s3_open(&settings, &store, &why) != RC_BAD || !strstr(why.text, rows[i].words))
            fail_msg("row %zu: %s", i, why.text);
        assert_null(store.ops);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_becomes_its_outcome),
        cmocka_unit_test(a_server_that_is_not_there_is_busy_and_asked_again),
        cmocka_unit_test(a_retry_after_is_waited_for_and_bounded),
        cmocka_unit_test(what_decides_is_not_repeated_when_it_may_have_been_done),
        cmocka_unit_test(a_range_is_what_was_asked_or_a_failure),
        cmocka_unit_test(a_body_that_was_cut_is_no_success),
        cmocka_unit_test(a_head_that_was_cut_is_no_success),
        cmocka_unit_test(a_listing_that_is_none_or_never_ends_is_broken),
        cmocka_unit_test(a_listing_of_uploads_never_turns_in_a_circle),
        cmocka_unit_test(the_end_of_an_upload_is_what_is_there),
        cmocka_unit_test(requests_are_encoded_and_carry_what_they_should),
        cmocka_unit_test(a_session_token_is_sent_and_signed),
        cmocka_unit_test(settings_that_cannot_be_are_refused_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
