/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every path has one URI of printable ASCII, and decoding gives the path back, byte for byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "rng.h"
#include "source_uri.h"

static void known_paths_have_known_uris(void **state) {
    (void)state;
    static const struct {
        struct str path;
        const char *uri;
    } rows[] = {
        {STR("/"), "file:///"},
        {STR("/var/log/a-b_c.log~1"), "file:///var/log/a-b_c.log~1"},
        {STR("/a b\n%#?\"<>|\\^`{}[]"), "file:///a%20b%0A%25%23%3F%22%3C%3E%7C%5C%5E%60%7B%7D%5B%5D"},
        {STR("/caf\xc3\xa9/\xff\x01\x7f"), "file:///caf%C3%A9/%FF%01%7F"},
        {STR("/dt=2026-01-01/!$&'()*+,;:@"), "file:///dt=2026-01-01/!$&'()*+,;:@"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX), path = BUF_INIT(SOURCE_PATH_MAX);
        assert_int_equal(source_uri_encode(rows[i].path, &uri), RC_OK);
        assert_string_equal(buf_text(&uri), rows[i].uri);
        assert_int_equal(source_uri_decode(buf_str(&uri), &path, NULL), RC_OK);
        assert_true(str_equal(buf_str(&path), rows[i].path));
    }
}

static void random_paths_come_back(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(5);
    for (int i = 0; i < 3000; i++) {
        AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX), path = BUF_INIT(SOURCE_PATH_MAX);
        char text[SOURCE_PATH_MAX];
        size_t len = 1 + rng_below(&rng, i % 100 ? 60 : sizeof text);
        for (size_t k = 0; k < len; k++) text[k] = (char)(1 + rng_below(&rng, 255));
        text[0] = '/';
        assert_int_equal(source_uri_encode((struct str){text, len}, &uri), RC_OK);
        for (size_t k = 0; k < uri.len; k++) assert_in_range(uri.at[k], '!', '~');
        assert_int_equal(source_uri_decode(buf_str(&uri), &path, NULL), RC_OK);
        assert_true(str_equal(buf_str(&path), (struct str){text, len}));
    }
}

static void other_spellings_are_understood(void **state) {
    (void)state;
    static const char *const same[] = {"file:///a%2fb%7Ec", "file://localhost/a/b~c", "file:///%61/%62~c"};
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        AUTO(buf_done) struct buf path = BUF_INIT(100);
        assert_int_equal(source_uri_decode(str_of(same[i]), &path, NULL), RC_OK);
        assert_string_equal(buf_text(&path), "/a/b~c");
    }
}

static void what_is_no_uri_of_a_file_is_refused(void **state) {
    (void)state;
    static const struct str bad[] = {
        STR(""),           STR("file"),        STR("file:"),         STR("file:/a"),
        STR("file://a"),   STR("http:///a"),   STR("FILE:///a"),     STR("file:///%"),
        STR("file:///%4"), STR("file:///%4x"), STR("file:///%00"),   STR("file:///a\0"),
        STR("file:///?q"), STR("file:///#f"),  STR("file://host/a"),
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO(buf_done) struct buf path = BUF_INIT(100);
        struct why why = {0};
        assert_int_equal(source_uri_decode(bad[i], &path, &why), RC_BAD);
        assert_non_null(strstr(why.text, "no URI"));
        assert_int_equal(path.len, 0);
    }
}

static void limits_are_limits(void **state) {
    (void)state;
    static char text[SOURCE_PATH_MAX + 8];
    memset(text, 'a', sizeof text);
    memcpy(text, "file:///", 8);
    AUTO(buf_done) struct buf path = BUF_INIT(SOURCE_PATH_MAX), uri = BUF_INIT(SOURCE_URI_MAX), small = BUF_INIT(3);
    assert_int_equal(source_uri_decode((struct str){text, SOURCE_PATH_MAX + 7}, &path, NULL), RC_OK);
    assert_int_equal(path.len, SOURCE_PATH_MAX);
    assert_int_equal(source_uri_encode(buf_str(&path), &uri), RC_OK);
    buf_reset(&path);
    assert_int_equal(source_uri_decode((struct str){text, SOURCE_PATH_MAX + 8}, &path, NULL), RC_LIMIT);
    assert_int_equal(source_uri_decode(STR("file:///abc"), &small, NULL), RC_LIMIT);
    assert_int_equal(source_uri_encode(STR("relative"), &uri), RC_BAD);
    assert_int_equal(source_uri_encode(STR("/a\0b"), &uri), RC_BAD);
    assert_int_equal(source_uri_encode(STR(""), &uri), RC_BAD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_paths_have_known_uris),
        cmocka_unit_test(random_paths_come_back),
        cmocka_unit_test(other_spellings_are_understood),
        cmocka_unit_test(what_is_no_uri_of_a_file_is_refused),
        cmocka_unit_test(limits_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
