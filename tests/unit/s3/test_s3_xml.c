/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: answers are read whole or refused: what is half, wrong, too deep, too long or built to grow is no answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "s3_xml.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void entry_is(const struct s3_page *page, size_t i, const char *key, uint64_t bytes) {
    assert_true(
        str_equal((struct str){page->texts.at + page->entries[i].key_at, page->entries[i].key_len}, str_of(key)));
    assert_int_equal(page->entries[i].bytes, bytes);
}

static void a_page_is_read_and_its_keys_are_decoded(void **state) {
    (void)state;
    AUTO(s3_page_done) struct s3_page page = {0};
    const struct str plain =
        STR(HEAD "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>x</Prefix>"
                 "<IsTruncated>true</IsTruncated><NextContinuationToken>a+/=</NextContinuationToken>"
                 "<Contents><Key>a&amp;b%41</Key><Size>7</Size><Owner><ID>z</ID></Owner></Contents>"
                 "<Contents><Size>18446744073709551615</Size><Key>c d</Key></Contents></ListBucketResult>");
    assert_int_equal(s3_page_read(plain, &page, NULL), RC_OK);
    assert_int_equal(page.len, 2);
    entry_is(&page, 0, "a&b%41", 7);
    entry_is(&page, 1, "c d", UINT64_MAX);
    assert_true(page.more);
    assert_string_equal(page.token, "a+/=");
    s3_page_done(&page);
    const struct str encoded = STR("<L><EncodingType>url</EncodingType><Contents><Key>a%2Fb+%3D</Key><Size>0</Size>"
                                   "</Contents></L>");
    assert_int_equal(s3_page_read(encoded, &page, NULL), RC_OK);
    entry_is(&page, 0, "a/b =", 0);
    assert_false(page.more);
}

static void a_page_of_uploads_is_read(void **state) {
    (void)state;
    AUTO(s3_page_done) struct s3_page page = {0};
    const struct str text =
        STR("<R><KeyMarker/><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker><IsTruncated>true"
            "</IsTruncated><Upload><Key>k</Key><UploadId>id-1</UploadId><Initiator><ID>x</ID></Initiator>"
            "<Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload></R>");
    assert_int_equal(s3_page_read(text, &page, NULL), RC_OK);
    assert_int_equal(page.len, 1);
    assert_int_equal(page.entries[0].started_ns, 1289422113000000000);
    assert_true(
        str_equal((struct str){page.texts.at + page.entries[0].upload_at, page.entries[0].upload_len}, STR("id-1")));
    assert_string_equal(page.next_key, "k");
    assert_string_equal(page.next_upload, "u");
}

#define FOUR(text) text text text text
static const char too_deep[] = FOUR("<a><b><c><d>") "<e></e>" FOUR("</d></c></b></a>");
static const char grows[] = "<!DOCTYPE l [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
                            "<L><Contents><Key>&b;</Key><Size>1</Size></Contents></L>";

static void what_is_no_page_is_broken(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "x",
        "<L>",
        "<L><Contents><Key>a</Key><Size>1</Size></Contents>",
        "<L><Contents><Key>a</Key></Contents></L>",
        "<L><Contents><Size>1</Size></Contents></L>",
        "<L><Contents><Key>a</Key><Size>-1</Size></Contents></L>",
        "<L><Contents><Key>a</Key><Size>1e3</Size></Contents></L>",
        "<L><Upload><Key>a</Key><UploadId>i</UploadId></Upload></L>",
        "<L><Upload><Key>a</Key><Initiated>2010-11-10T20:48:33Z</Initiated></Upload></L>",
        "<L><Upload><Key>a</Key><UploadId>i</UploadId><Initiated>now</Initiated></Upload></L>",
        "<L><EncodingType>url</EncodingType><Contents><Key>%4</Key><Size>1</Size></Contents></L>",
        too_deep,
        grows,
        "<!DOCTYPE l SYSTEM \"file:///etc/passwd\"><L/>",
        "<L><Contents><Key>\xff</Key><Size>1</Size></Contents></L>",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct s3_page page = {0};
        struct why why = {0};
        if (s3_page_read(str_of(bad[i]), &page, &why) != RC_BROKEN) fail_msg("taken: %s", bad[i]);
        assert_true(why.text[0] != '\0');
        assert_null(page.entries);
    }
}

static void a_text_that_does_not_end_is_refused(void **state) {
    (void)state;
    AUTO(buf_done) struct buf text = BUF_INIT(1u << 20);
    buf_add(&text, STR("<L><Contents><Key>"));
    for (int i = 0; i < 2 * S3_XML_TEXT; i++) buf_add_char(&text, 'a');
    buf_add(&text, STR("</Key><Size>1</Size></Contents></L>"));
    struct s3_page page = {0};
    assert_int_equal(s3_page_read(buf_str(&text), &page, NULL), RC_BROKEN);
}

static void errors_are_read_wherever_they_stand(void **state) {
    (void)state;
    struct s3_error error;
    assert_int_equal(s3_error_read(STR(HEAD "<Error><Code>NoSuchKey</Code><Message>It &lt;is&gt; not</Message>"
                                            "<Region>eu-central-1</Region></Error>"),
                                   &error),
                     RC_OK);
    assert_string_equal(error.code, "NoSuchKey");
    assert_string_equal(error.message, "It <is> not");
    assert_string_equal(error.region, "eu-central-1");
    assert_int_equal(
        s3_error_read(STR("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code></Error></ErrorResponse>"),
                      &error),
        RC_OK);
    assert_string_equal(error.code, "AccessDenied");
    assert_int_equal(
        s3_error_read(STR("<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"), &error),
        RC_ABSENT);
    assert_int_equal(s3_error_read(STR("<html><body>Bad gateway</body></html>"), &error), RC_ABSENT);
    assert_int_equal(s3_error_read(STR(""), &error), RC_ABSENT);
    assert_string_equal(error.code, "AccessDenied");
}

static void one_text_is_found(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(100);
    struct why why = {0};
    const struct str text = STR("<R><Bucket>b</Bucket><UploadId> a-b </UploadId><UploadId>other</UploadId></R>");
    assert_int_equal(s3_xml_find(text, "UploadId", &out, &why), RC_OK);
    assert_string_equal(buf_text(&out), "a-b");
    assert_int_equal(s3_xml_find(text, "Key", &out, &why), RC_ABSENT);
    assert_int_equal(s3_xml_find(STR("<R>"), "Key", &out, &why), RC_BROKEN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read_and_its_keys_are_decoded),
        cmocka_unit_test(a_page_of_uploads_is_read),
        cmocka_unit_test(what_is_no_page_is_broken),
        cmocka_unit_test(a_text_that_does_not_end_is_refused),
        cmocka_unit_test(errors_are_read_wherever_they_stand),
        cmocka_unit_test(one_text_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
