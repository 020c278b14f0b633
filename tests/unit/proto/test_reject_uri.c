/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the name of an object of rejects as a file reads back as what it was written from; what is none is refused.
 */
#include "num.h"
#include "own.h"
#include "reject_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define KEY "_rejects/g7/source=a/00-p2-00000000000000000040.jsonl.zst"

static void expect(const struct reject_uri *uri, const char *text) {
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    struct reject_uri back = {0};
    reject_uri_format(uri, &out);
    assert_string_equal(buf_text(&out), text);
    assert_int_equal(reject_uri_parse(str_of(text), &back), RC_OK);
    assert_true(str_equal(back.key, uri->key) && str_equal(back.reason, uri->reason) &&
                str_equal(back.file, uri->file));
    assert_true(back.partition == uri->partition && back.index == uri->index && back.bytes == uri->bytes);
    assert_true(str_equal(reject_uri_key(str_of(text)), uri->key));
}

static void a_name_reads_back(void **state) {
    (void)state;
    struct reject_uri uri = {.key = STR(KEY), .partition = 2, .index = 3, .bytes = 99};
    expect(&uri, "rejects:" KEY "?manifest=p2/3&bytes=99");
    uri.reason = STR("no match");
    expect(&uri, "rejects:" KEY "?manifest=p2/3&bytes=99&reason=no match");
    uri.file = STR("/a&reason=b?");
    expect(&uri, "rejects:" KEY "?manifest=p2/3&bytes=99&reason=no match&file=/a&reason=b?");
    uri.reason = STR("");
    uri.partition = UINT32_MAX;
    uri.index = uri.bytes = UINT64_MAX;
    expect(&uri,
           "rejects:" KEY "?manifest=p4294967295/18446744073709551615&bytes=18446744073709551615&file=/a&reason=b?");
}

static void a_name_tells_its_generation(void **state) {
    (void)state;
    struct str name = STR("rejects:" KEY "?manifest=p2/3&bytes=99");
    assert_true(reject_uri_of(name, 7));
    assert_false(reject_uri_of(name, 70));
    assert_false(reject_uri_of(STR("file:///_rejects/g7/x?"), 7));
}

static void what_is_no_such_name_is_refused(void **state) {
    (void)state;
    static const char *const names[] = {"",
                                        "file:///a",
                                        "rejects:",
                                        "rejects:?manifest=p1/1&bytes=1",
                                        "rejects:k",
                                        "rejects:k?",
                                        "rejects:k?manifest=p1/1",
                                        "rejects:k?manifest=p/1&bytes=1",
                                        "rejects:k?manifest=p1/&bytes=1",
                                        "rejects:k?manifest=p1/1&bytes=",
                                        "rejects:k?manifest=p4294967296/1&bytes=1",
                                        "rejects:k?manifest=p1/1&bytes=18446744073709551616",
                                        "rejects:k?manifest=p1/1&bytes=1&",
                                        "rejects:k?manifest=p1/1&bytes=1&what=x",
                                        "rejects:k?manifest=p1/1&bytes=1x"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct reject_uri uri;
        if (reject_uri_parse(str_of(names[i]), &uri) == RC_OK) fail_msg("%s is taken", names[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_reads_back),
        cmocka_unit_test(a_name_tells_its_generation),
        cmocka_unit_test(what_is_no_such_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
