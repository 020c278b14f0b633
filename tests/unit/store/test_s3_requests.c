/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: requests are encoded and signed as S3 wants them, an upload ends as what is there, whatever became of the
 * answer, and settings that cannot be are refused with words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "s3_said.h"
#include "store_s3_private.h"

#include <stdio.h>
#include <stdlib.h>

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
        struct s3_said f = {0};
        s3_said_begin(&f, answer_upload, &server);
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
        s3_said_end(&f);
    }
}

/* What came as parts, by number. */
struct growing {
    size_t bytes[32];
    atomic_int parts;
    int completed;
};

static void keep_parts(void *context, const struct fake_request *request, struct buf *out) {
    struct growing *g = context;
    struct str target = request->target;
    const char *number = memmem(target.at, target.len, "partNumber=", 11);
    if (str_equal(request->method, STR("PUT")) && number) {
        size_t index = (size_t)strtoul(number + 11, NULL, 10);
        assert_in_range(index, 1, COUNT_OF(g->bytes) - 1);
        g->bytes[index] = request->body.len;
        g->parts++;
    } else if (memmem(request->body.at, request->body.len, "<PartNumber>", 12)) {
        g->completed++;
    }
    fake_http_say(out, 200, "ETag: \"p\"\r\n", STR("<R><UploadId>u1</UploadId></R>"));
}

static void parts_grow_so_that_the_largest_objects_fit(void **state) {
    (void)state;
    struct growing growing = {.completed = 0};
    struct s3_said f = {0};
    s3_said_begin(&f, keep_parts, &growing);
    struct store_s3 *s3 = s3_of(f.store);
    s3->part_bytes = 1000, s3->parts_step = 3, s3->parts_max = 12;
    struct store_upload upload = {0};
    char piece[700] = {0};
    assert_int_equal(store_upload_begin(f.store, STR("k"), &upload, NULL), RC_OK);
    for (int i = 0; i < 63; i++) /* 44,100 bytes: 3 * (1000 + 2000 + 4000 + 8000) is the most */
        assert_int_equal(store_upload_part(&upload, (struct str){piece, sizeof piece}, NULL), RC_OK);
    assert_int_equal(store_upload_finish_absent(&upload, NULL), RC_OK);
    for (size_t i = 0; i < 11; i++) assert_int_equal(growing.bytes[i + 1], 1000 << i / 3);
    assert_int_equal(growing.bytes[12], 44100 - 3 * 7000 - 2 * 8000);
    assert_int_equal(growing.parts, 12);
    assert_int_equal(growing.completed, 1);
    struct why why = {0};
    enum rc rc = RC_OK;
    assert_int_equal(store_upload_begin(f.store, STR("k"), &upload, NULL), RC_OK);
    for (int i = 0; i < 80 && rc == RC_OK; i++)
        rc = store_upload_part(&upload, (struct str){piece, sizeof piece}, &why);
    if (rc == RC_OK) rc = store_upload_finish_absent(&upload, &why);
    assert_int_equal(rc, RC_LIMIT);
    assert_non_null(strstr(why.text, "more than 12 parts"));
    store_upload_abort(&upload);
    s3_said_end(&f);
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
    struct s3_said f = {0};
    s3_said_begin(&f, remember, &seen);
    assert_int_equal(store_put_absent(f.store, STR("g1/dt=2026-01-01/a b"), STR("x"), NULL), RC_OK);
    assert_string_equal(seen.target, "/the-bucket/pre/fix/g1/dt%3D2026-01-01/a%20b");
    assert_string_equal(seen.condition, "*");
    assert_string_equal(seen.token, "");
    AUTO(buf_done) struct buf got = BUF_INIT(100);
    assert_int_equal(store_get(f.store, STR("k"), 2, 3, &got, NULL), RC_OK);
    assert_string_equal(seen.range, "bytes=2-4");
    assert_int_equal(store_get(f.store, STR("k"), 2, UINT64_MAX, &got, NULL), RC_OK);
    assert_string_equal(seen.range, "bytes=2-");
    s3_said_end(&f);
}

static void a_session_token_is_sent_and_signed(void **state) {
    (void)state;
    struct seen seen = {0};
    struct fake_http *http = fake_http_start(remember, &seen);
    struct store_s3_settings settings = {
        .url = "s3://the-bucket",
        .s3.endpoint = fake_http_url(http),
        .s3.credentials = {.access = "A", .secret = "B", .token = "tok", .env = s3_said_no_env}};
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
        {{.url = "s3://bucket", .s3.endpoint = "127.0.0.1:9000"}, "http(s)://host"},
        {{.url = "s3://bucket", .s3.endpoint = "http://user:pass@host"}, "http(s)://host"},
        {{.url = "s3://bucket", .s3.endpoint = "http://host/path"}, "http(s)://host"},
        {{.url = "s3://bucket", .s3.region = "eu west"}, "region"},
        {{.url = "s3://bucket", .part_bytes = 1 << 20}, "5 MiB"},
        {{.url = "s3://bucket", .s3.connections = 1000}, "256"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct store_s3_settings settings = rows[i].settings;
        settings.s3.credentials.env = s3_said_no_env;
        struct store store = {0};
        struct why why = {0};
        if (store_s3_open(&settings, &store, &why) != RC_BAD || !strstr(why.text, rows[i].words))
            fail_msg("row %zu: %s", i, why.text);
        assert_null(store.ops);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_an_upload_is_what_is_there),
        cmocka_unit_test(parts_grow_so_that_the_largest_objects_fit),
        cmocka_unit_test(requests_are_encoded_and_carry_what_they_should),
        cmocka_unit_test(a_session_token_is_sent_and_signed),
        cmocka_unit_test(settings_that_cannot_be_are_refused_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
