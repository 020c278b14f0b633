/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: store_s3_check() says yes to a bucket that keeps the contract and leaves nothing there, and to everything
 * else no, with the reason; and a real server's refusals are told as what they are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_http.h"
#include "num.h"
#include "own.h"
#include "s3_bed.h"

#include <stdio.h>

static const char *const servers[] = {"SLUICE_TEST_VERSITYGW", "SLUICE_TEST_MINIO"};

static enum rc check(const struct store_s3_settings *settings, struct why *why) {
    struct store store = {0};
    TRY(store_s3_open(settings, &store, why));
    enum rc rc = store_s3_check(store, why);
    store_free(store);
    return rc;
}

static void denied(const struct store_s3_settings *settings, const char *words) {
    struct why why = {0};
    enum rc rc = check(settings, &why);
    if (rc != RC_DENIED || !strstr(why.text, words) || !strstr(why.text, settings->s3.endpoint) ||
        strstr(why.text, "sluicesecret"))
        fail_msg("%s: %s", rc_name(rc), why.text);
}

static enum rc fail_on_key(void *context, struct str key, uint64_t bytes) {
    (void)context, (void)bytes;
    fail_msg("left there: %.*s", STR_ARG(key));
    return RC_OK;
}

static enum rc fail_on_upload(void *context, struct str key, struct str upload, int64_t started_ns) {
    (void)started_ns, (void)upload;
    return fail_on_key(context, key, 0);
}

static void a_good_bucket_passes_and_stays_empty(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        struct s3_bed bed;
        struct why why = {0};
        s3_bed_begin(servers[i], S3_STYLE_AUTO, &bed);
        struct store_s3_settings settings = s3_bed_settings(&bed);
        if (check(&settings, &why) != RC_OK) fail_msg("%s", why.text);
        struct store store = s3_bed_open(&bed);
        assert_int_equal(store_list(store, STR(""), STR(""), fail_on_key, NULL, NULL), RC_OK);
        assert_int_equal(store_uploads(store, STR(""), fail_on_upload, NULL, NULL), RC_OK);
        store_free(store);
        s3_bed_end(&bed);
    }
}

static void wrong_keys_and_buckets_are_denied_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(servers); i++) {
        struct s3_bed bed;
        s3_bed_begin(servers[i], S3_STYLE_AUTO, &bed);
        struct store_s3_settings settings = s3_bed_settings(&bed);
        settings.s3.credentials.secret = "sluicesecretnot";
        denied(&settings, "credentials from the configuration");
        settings = s3_bed_settings(&bed);
        settings.s3.credentials.access = "somebody";
        denied(&settings, bed.url);
        settings = s3_bed_settings(&bed);
        settings.url = "s3://there-is-no-such-bucket";
        denied(&settings, "no such bucket");
        settings = s3_bed_settings(&bed);
        settings.s3.region = "eu-north-1";
        denied(&settings, "us-east-1");
        s3_bed_end(&bed);
    }
}

struct forgetful {
    const char *upstream;
    bool objects, uploads; /* where the condition is forgotten */
};

/* Between us and a real server: the condition gets lost, as with a server that does not know it. The request's
 * signature would not fit any more, so what the server says about the condition is replaced by a success. */
static void forget_condition(void *context, const struct fake_request *request, struct buf *out) {
    const struct forgetful *f = context;
    fake_http_forward(f->upstream, request, out);
    bool put = str_equal(request->method, STR("PUT"));
    if (!str_starts(buf_str(out), STR("HTTP/1.1 412")) || (put ? !f->objects : !f->uploads)) return;
    buf_reset(out);
    fake_http_say(out, 200, "ETag: \"x\"\r\n", put ? STR("") : STR("<R><ETag>x</ETag></R>"));
}

static void a_server_that_ignores_conditions_is_found_out(void **state) {
    (void)state;
    for (int uploads = 0; uploads < 2; uploads++) {
        struct s3_bed bed;
        s3_bed_begin(servers[0], S3_STYLE_AUTO, &bed);
        struct forgetful forgetful = {.upstream = bed.endpoint, .objects = !uploads, .uploads = uploads};
        struct fake_http *proxy = fake_http_start(forget_condition, &forgetful);
        struct store_s3_settings settings = s3_bed_settings(&bed);
        settings.s3.endpoint = fake_http_url(proxy);
        denied(&settings, uploads ? "completes an upload although" : "puts an object although");
        fake_http_stop(proxy);
        s3_bed_end(&bed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_bucket_passes_and_stays_empty),
        cmocka_unit_test(wrong_keys_and_buckets_are_denied_by_name),
        cmocka_unit_test(a_server_that_ignores_conditions_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
