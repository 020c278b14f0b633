/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: signatures are those of AWS Signature Version 4: the examples that AWS publishes for S3 (GET of an object,
 * PUT, lifecycle, listing) and of its general test suite come out to the last digit; paths and queries are encoded as
 * it says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "s3_sign.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_HOST                                                                                                        \
    { STR("host"), STR("examplebucket.s3.amazonaws.com") }
#define S3_DATE                                                                                                        \
    { STR("x-amz-date"), STR("20130524T000000Z") }
#define S3_EMPTY                                                                                                       \
    { STR("x-amz-content-sha256"), STR(EMPTY_HASH) }

static void signature_is(struct s3_signing *signing, const char *signature) {
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    s3_sign(signing, &out);
    struct str tail = str_of(signature);
    assert_true(out.len > tail.len);
    assert_string_equal(buf_text(&out) + out.len - tail.len, signature);
}

static struct s3_signing of_s3(const char *method, const char *path, const char *query) {
    return (struct s3_signing){.method = str_of(method),
                               .path = str_of(path),
                               .query = str_of(query),
                               .payload_hash = STR(EMPTY_HASH),
                               .region = STR("us-east-1"),
                               .service = STR("s3"),
                               .access = STR("AKIAIOSFODNN7EXAMPLE"),
                               .secret = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                               .stamp = STR("20130524T000000Z")};
}

static void the_examples_of_s3_come_out(void **state) {
    (void)state;
    const struct s3_header get[] = {S3_DATE, S3_HOST, {STR("range"), STR("bytes=0-9")}, S3_EMPTY}; /* in any order */
    struct s3_signing s = of_s3("GET", "/test.txt", "");
    s.headers = get, s.headers_len = COUNT_OF(get);
    signature_is(&s, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
#define PUT_HASH "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    const struct s3_header put[] = {S3_HOST,
                                    {STR("date"), STR("Fri, 24 May 2013 00:00:00 GMT")},
                                    S3_DATE,
                                    {STR("x-amz-storage-class"), STR("REDUCED_REDUNDANCY")},
                                    {STR("x-amz-content-sha256"), STR(PUT_HASH)}};
    s = of_s3("PUT", "/test%24file.text", "");
    s.headers = put, s.headers_len = COUNT_OF(put), s.payload_hash = STR(PUT_HASH);
    signature_is(&s, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    const struct s3_header plain[] = {S3_HOST, S3_EMPTY, S3_DATE};
    s = of_s3("GET", "/", "lifecycle=");
    s.headers = plain, s.headers_len = COUNT_OF(plain);
    signature_is(&s, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    s = of_s3("GET", "/", "max-keys=2&prefix=J");
    s.headers = plain, s.headers_len = COUNT_OF(plain);
    signature_is(&s, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void the_plain_example_of_the_suite_comes_out_whole(void **state) {
    (void)state;
    const struct s3_header headers[] = {{STR("host"), STR("example.amazonaws.com")},
                                        {STR("x-amz-date"), STR("20150830T123600Z")}};
    struct s3_signing s = {.method = STR("GET"),
                           .path = STR("/"),
                           .headers = headers,
                           .headers_len = COUNT_OF(headers),
                           .payload_hash = STR(EMPTY_HASH),
                           .region = STR("us-east-1"),
                           .service = STR("service"),
                           .access = STR("AKIDEXAMPLE"),
                           .secret = STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                           .stamp = STR("20150830T123600Z")};
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    s3_sign(&s, &out);
    assert_string_equal(buf_text(&out),
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                        "SignedHeaders=host;x-amz-date, "
                        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

static void hashes_and_stamps_are_right(void **state) {
    (void)state;
    char hash[S3_SHA256_TEXT], stamp[S3_STAMP_TEXT];
    s3_sha256(STR(""), hash);
    assert_string_equal(hash, EMPTY_HASH);
    s3_sha256(STR("Welcome to Amazon S3."), hash);
    assert_string_equal(hash, PUT_HASH);
    s3_stamp(1369353600000000000, stamp);
    assert_string_equal(stamp, "20130524T000000Z");
}

static void encoding_leaves_only_what_the_rules_leave(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    s3_encode(STR("g1/dt=2026-01-01/a b+c~%\xc3\xa9"), true, &out);
    assert_string_equal(buf_text(&out), "g1/dt%3D2026-01-01/a%20b%2Bc~%25%C3%A9");
    buf_reset(&out);
    s3_encode(STR("a/b*"), false, &out);
    assert_string_equal(buf_text(&out), "a%2Fb%2A");
    buf_reset(&out);
    s3_query_add(&out, "prefix", STR("a/="));
    s3_query_add(&out, "uploads", STR(""));
    assert_string_equal(buf_text(&out), "prefix=a%2F%3D&uploads=");
}

static void decoding_gives_back_every_byte_and_refuses_halves(void **state) {
    (void)state;
    AUTO(buf_done) struct buf code = BUF_INIT(4096), back = BUF_INIT(4096);
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    s3_encode((struct str){all, sizeof all}, false, &code);
    assert_int_equal(s3_decode(buf_str(&code), &back), RC_OK);
    assert_true(str_equal(buf_str(&back), (struct str){all, sizeof all}));
    buf_reset(&back);
    assert_int_equal(s3_decode(STR("a+b"), &back), RC_OK);
    assert_string_equal(buf_text(&back), "a b");
    static const char *const bad[] = {"%", "%2", "a%", "%g0", "%0g", "%-1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) assert_int_equal(s3_decode(str_of(bad[i]), &back), RC_BAD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_s3_come_out),
        cmocka_unit_test(the_plain_example_of_the_suite_comes_out_whole),
        cmocka_unit_test(hashes_and_stamps_are_right),
        cmocka_unit_test(encoding_leaves_only_what_the_rules_leave),
        cmocka_unit_test(decoding_gives_back_every_byte_and_refuses_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
