/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a condition says of a record what its text says, and an error in it names the character. */
#include "where.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const char record[] =
    "{\"status\":500,\"big\":9223372036854775807,\"ratio\":0.5,\"huge\":1e400,\"name\":\"it's\","
    "\"path\":\"/health/x\",\"ok\":true,\"no\":false,\"nil\":null,\"user\":{\"country\":\"DE\"},"
    "\"list\":[1,2],\"a-b\":1,\"\xc3\xa9\":\"\xc3\xa9\"}";

static void expect(const char *text, bool expected) {
    struct why why = {0};
    AUTO(where_done) struct where *where = NULL;
    if (where_new(str_of(text), &where, &why) != RC_OK) fail_msg("%s: %s", text, why.text);
    AUTO(json_parser_done)
    struct json_parser *parser = json_parser_new((struct json_parser_limits){.any_number = true});
    char copy[sizeof record + JSON_PADDING] = {0};
    memcpy(copy, record, sizeof record - 1);
    struct json_node root;
    assert_int_equal(json_parse(parser, (struct str){copy, sizeof record - 1}, &root, NULL), RC_OK);
    if (where_holds(where, root) != expected) fail_msg("%s is not %d", text, expected);
}

static void comparisons(void **state) {
    (void)state;
    static const char *const yes[] = {"status = 500",
                                      "status == 500.0",
                                      "status >= 5e2 and status<501",
                                      "status != 404",
                                      "500 = status",
                                      "big = 9223372036854775807",
                                      "big > 9223372036854775806",
                                      "ratio = 0.5",
                                      "huge > 1e300",
                                      "name = 'it\\'s'",
                                      "name = \"it's\"",
                                      "name > 'is'",
                                      "ok",
                                      "ok = true",
                                      "no = false",
                                      "not no",
                                      "nil = null",
                                      "missing = null",
                                      "missing != 1",
                                      "user.country = 'DE'",
                                      "/user/country = 'DE'",
                                      "/list/0 = 1",
                                      "a-b = 1",
                                      "\xc3\xa9 = '\xc3\xa9'",
                                      "1 < 2"};
    static const char *const no[] = {"status = '500'", "status < 'x'",    "big = 9223372036854775806",
                                     "missing < 1",    "missing >= null", "name < 'a'",
                                     "status",         "missing",         "user = null",
                                     "list = 1",       "ok < true",       "status > 500",
                                     "ok != true"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) expect(yes[i], true);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) expect(no[i], false);
}

static void lists_and_patterns(void **state) {
    (void)state;
    expect("status in [404, 500]", true);
    expect("status not in [404, 500]", false);
    expect("missing not in ['a']", true);
    expect("nil in [null]", true);
    expect("user.country in []", false);
    expect("path matches '^/health'", true);
    expect("not path matches \"x$\"", false);
    expect("status matches '500'", false);
    expect("path matches '(x+x+)+y'", false);
}

static void strength_of_and_or_not(void **state) {
    (void)state;
    expect("no and no or ok", true);
    expect("ok or no and no", true);
    expect("(ok or no) and no", false);
    expect("not no and not (no or not ok)", true);
    expect("not not ok", true);
    expect("not status = 500", false);
}

static void errors_name_the_character(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {{"", "at character 1 of the condition: a field or a literal is expected"},
               {"status =", "at character 9 of the condition: a field or a literal is expected"},
               {"status ! 1", "at character 8 of the condition: ! is no operator"},
               {"\xc3\xa9 = 'x", "at character 5 of the condition: the text has no closing quote"},
               {"(ok", "at character 4 of the condition: ) is expected"},
               {"ok ok", "at character 4 of the condition: and, or, or the end is expected"},
               {"a in 1", "at character 6 of the condition: [ is expected behind in"},
               {"a in [b]", "at character 7 of the condition: a literal is expected; a text has quotes"},
               {"a not b", "at character 7 of the condition: in is expected behind not"},
               {"a matches '('", "missing closing parenthesis"},
               {"a = 12x", "at character 5 of the condition: this is no number"},
               {"a..b = 1", "at character 1 of the condition: "},
               {"a = \x01", "at character 5 of the condition: a field, a literal"},
               {"((((((((((((((((((((((((((((((((((a", "nested deeper than 32"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct why why = {0};
        struct where *where = NULL;
        assert_int_equal(where_new(str_of(bad[i].text), &where, &why), RC_BAD);
        if (!strstr(why.text, bad[i].words)) fail_msg("%s: %s", bad[i].text, why.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(comparisons), cmocka_unit_test(lists_and_patterns),
                                       cmocka_unit_test(strength_of_and_or_not),
                                       cmocka_unit_test(errors_name_the_character)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
