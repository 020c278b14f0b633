/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every answer of a server becomes the outcome that it stands for, with words that name the place and what to
 * do and no secret; what may be repeated is, as the server asks; what is wrong, short, endless or somebody else's is
 * never taken for a success. The servers here say what each test makes them say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "s3_said.h"

#include <stdio.h>

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
        {404, "", RC_DENIED, 1, "refused"}, /* whoever says so knows nothing of objects */
        {403, "AccessDenied", RC_DENIED, 3, "credentials from the configuration"},
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
        struct s3_said f = {0};
        (void)snprintf(body, sizeof body,
                       "<Error><Code>%s</Code><Message>m</Message><Region>eu-north-1</Region></Error>", rows[i].code);
        f.first = (struct s3_answer){rows[i].status, "Date: Tue, 14 Nov 2023 23:59:59 GMT\r\n",
                                     rows[i].code[0] ? body : "<html>"};
        s3_said_begin(&f, s3_say, &f);
        AUTO(buf_done) struct buf got = BUF_INIT(100);
        struct why why = {0};
        enum rc rc = store_get(f.store, STR("k"), 0, 10, &got, &why);
        if (rc != rows[i].rc || !strstr(why.text, rows[i].words) || strstr(why.text, SECRET) ||
            !strstr(why.text, fake_http_url(f.http)))
            fail_msg("%d %s: %s: %s", rows[i].status, rows[i].code, rc_name(rc), why.text);
        assert_int_equal(atomic_load(&f.requests), rows[i].requests);
        assert_int_equal(got.len, 0);
        s3_said_end(&f);
    }
}

static void a_server_that_is_not_there_is_busy_and_asked_again(void **state) {
    (void)state;
    struct s3_said f = {0};
    s3_said_begin(&f, s3_say, &f);
    fake_http_stop(f.http); /* its port is free again: refused */
    f.http = NULL;
    uint64_t size = 0;
    struct why why = {0};
    assert_int_equal(store_size(f.store, STR("k"), &size, &why), RC_BUSY);
    assert_non_null(strstr(why.text, "not reachable"));
    assert_int_equal(f.clock.sleeps, 2);
    s3_said_end(&f);
}

static void a_retry_after_is_waited_for_and_bounded(void **state) {
    (void)state;
    static const struct {
        const char *fields;
        uint64_t least_ms, most_ms;
    } rows[] = {{"Retry-After: 7\r\n", 7000, 8000}, {"Retry-After: 999999\r\n", S3_WAIT_MAX_MS, S3_WAIT_MAX_MS + 1000}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct s3_said f = {.first = {503, rows[i].fields, ""}, .later = {200, "", "x"}};
        s3_said_begin(&f, s3_say, &f);
        uint64_t size = 0;
        assert_int_equal(store_size(f.store, STR("k"), &size, NULL), RC_OK);
        assert_in_range(f.clock.slept_ms, rows[i].least_ms, rows[i].most_ms);
        assert_int_equal(f.clock.sleeps, 1);
        s3_said_end(&f);
    }
}

static void what_decides_is_not_repeated_when_it_may_have_been_done(void **state) {
    (void)state;
    static const struct {
        struct s3_answer said;
        int requests;
    } rows[] = {{{500, "", ""}, 1}, {{0, NULL, NULL}, 1}, {{503, "", "<Error><Code>SlowDown</Code></Error>"}, 3}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct s3_said f = {.first = rows[i].said};
        s3_said_begin(&f, s3_say, &f);
        assert_int_equal(store_put_absent(f.store, STR("k"), STR("x"), NULL), RC_BUSY);
        assert_int_equal(atomic_load(&f.requests), rows[i].requests);
        s3_said_end(&f);
        f = (struct s3_said){.first = rows[i].said, .later = {200, "ETag: \"e\"\r\n", ""}};
        s3_said_begin(&f, s3_say, &f);
        assert_int_equal(store_put(f.store, STR("k"), STR("x"), NULL), RC_OK); /* says the same each time */
        assert_int_equal(atomic_load(&f.requests), 2);
        s3_said_end(&f);
    }
}

/* ---- ranges ---- */

static enum rc get_of(const struct s3_answer *said, uint64_t from, uint64_t len, struct buf *out) {
    struct s3_said f = {.first = *said};
    s3_said_begin(&f, s3_say, &f);
    enum rc rc = store_get(f.store, STR("k"), from, len, out, NULL);
    s3_said_end(&f);
    return rc;
}

static void a_range_is_what_was_asked_or_a_failure(void **state) {
    (void)state;
    static const struct {
        struct s3_answer said;
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
    struct s3_said f = {0};
    atomic_int requests = 0;
    s3_said_begin(&f, half_body, &requests);
    AUTO(buf_done) struct buf got = BUF_INIT(100);
    struct why why = {0};
    assert_int_equal(store_get(f.store, STR("k"), 3, 4, &got, &why), RC_BUSY);
    assert_int_equal(got.len, 0);
    assert_int_equal(requests, 3);
    s3_said_end(&f);
}

static void half_head(void *context, const struct fake_request *request, struct buf *out) {
    (void)request;
    ++*(atomic_int *)context;
    buf_add(out, STR("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nConte"));
}

static void a_head_that_was_cut_is_no_success(void **state) {
    (void)state;
    struct s3_said f = {0};
    atomic_int requests = 0;
    s3_said_begin(&f, half_head, &requests);
    assert_int_equal(store_put_absent(f.store, STR("k"), STR("x"), NULL), RC_BUSY);
    assert_int_equal(requests, 1);
    s3_said_end(&f);
}

/* ---- listings ---- */

static enum rc count_keys(void *context, struct str key, uint64_t bytes) {
    (void)key, (void)bytes;
    ++*(int *)context;
    return RC_OK;
}

static enum rc list_of(const char *body, int *out_keys, struct why *why) {
    struct s3_said f = {.first = {200, "", body}};
    s3_said_begin(&f, s3_say, &f);
    *out_keys = 0;
    enum rc rc = store_list(f.store, STR(""), STR(""), count_keys, out_keys, why);
    s3_said_end(&f);
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
    struct s3_said f = {.first = {200, "",
                                  "<L><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker>"
                                  "<NextUploadIdMarker>u</NextUploadIdMarker></L>"}};
    s3_said_begin(&f, s3_say, &f);
    assert_int_equal(store_uploads(f.store, STR(""), ignore_upload, NULL, NULL), RC_BROKEN);
    assert_int_equal(atomic_load(&f.requests), 2);
    s3_said_end(&f);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
