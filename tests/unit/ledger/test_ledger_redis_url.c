/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every form of a Redis url is taken apart as it is meant, anything else is refused, and a password is never
 * in the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger_redis_url.h"

#include <string.h>

static struct ledger_redis_url parsed(const char *text) {
    struct ledger_redis_url url = {0};
    struct why why = {0};
    enum rc rc = ledger_redis_url_parse(str_of(text), &url, &why);
    if (rc != RC_OK) fail_msg("%s: %s", text, why.text);
    return url;
}

static void every_form_is_taken_apart(void **unused) {
    (void)unused;
    struct ledger_redis_url u = parsed("redis://h");
    assert_string_equal(u.host, "h");
    assert_int_equal(u.port, 6379);
    assert_true(!u.tls && !u.user && !u.password && u.db == 0);
    ledger_redis_url_done(&u);
    u = parsed("redis://me:a%40b%25%3A@h.example:7000/12");
    assert_string_equal(u.user, "me");
    assert_string_equal(u.password, "a@b%:");
    assert_string_equal(u.host, "h.example");
    assert_true(u.port == 7000 && u.db == 12);
    ledger_redis_url_done(&u);
    u = parsed("rediss://:p@ss@[::1]:7001/");
    assert_true(u.tls && !u.user);
    assert_string_equal(u.password, "p@ss");
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 7001);
    ledger_redis_url_done(&u);
    u = parsed("unix:///run/redis.sock?db=3");
    assert_string_equal(u.path, "/run/redis.sock");
    assert_true(!u.host && u.db == 3);
    ledger_redis_url_done(&u);
}

static void anything_else_is_refused_without_telling_the_password(void **unused) {
    (void)unused;
    static const char *const bad[] = {"",
                                      "h:6379",
                                      "http://h",
                                      "redis://",
                                      "redis://:s3cret@",
                                      "redis://u:s3cret@h:0",
                                      "redis://u:s3cret@h:65536",
                                      "redis://u:s3cret@h:x",
                                      "redis://u:s3cret@h/x",
                                      "redis://u:s3cret%zz@h",
                                      "redis://u:s3cret%2@h",
                                      "redis://u:s3cret%00@h",
                                      "redis://u:s3cret@[::1",
                                      "redis://u:s3cret@[::1]x",
                                      "unix://run/x",
                                      "unix:///x?n=1",
                                      "redis://h/99999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ledger_redis_url url = {0};
        struct why why = {0};
        assert_int_equal(ledger_redis_url_parse(str_of(bad[i]), &url, &why), RC_BAD);
        assert_null(strstr(why.text, "s3cret"));
        assert_null(url.host);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_taken_apart),
        cmocka_unit_test(anything_else_is_refused_without_telling_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
