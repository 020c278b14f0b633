/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the facts of a file come back as they were sent, and what is none is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "source_http.h"

static void facts_come_back(void **state) {
    (void)state;
    static const struct source_stat rows[] = {
        {.inode = UINT64_MAX,
         .birth_ns = INT64_MIN,
         .volume = UINT64_MAX,
         .size = UINT64_MAX,
         .mtime_ns = INT64_MIN,
         .changed_ns = INT64_MAX,
         .changing = true,
         .links = UINT32_MAX},
        {.inode = 1, .birth_ns = 2, .volume = 3, .size = 4, .mtime_ns = 5, .changed_ns = 6, .links = 7},
        {0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[SOURCE_HTTP_TEXT];
        struct source_stat back = {.fixed = true};
        source_http_stat_format(&rows[i], text);
        assert_int_equal(source_http_stat_parse(str_of(text), &back), RC_OK);
        assert_true(source_same(&rows[i], &back) && back.size == rows[i].size && back.mtime_ns == rows[i].mtime_ns);
        assert_true(back.changed_ns == rows[i].changed_ns && back.changing == rows[i].changing);
        assert_true(back.links == rows[i].links && !back.fixed);
    }
}

static void other_texts_are_refused(void **state) {
    (void)state;
    static const char *const rows[] = {"",
                                       "1",
                                       "1 2 3 4 5 6 0",
                                       "1 2 3 4 5 6 0 1 9",
                                       "1 2 3 4 5 6 2 1",
                                       "-1 2 3 4 5 6 0 1",
                                       "1 2 3 4 5 6 0 4294967296",
                                       "a b c d e f g h",
                                       " 1 2 3 4 5 6 0 1"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct source_stat stat = {0};
        if (source_http_stat_parse(str_of(rows[i]), &stat) == RC_OK) fail_msg("taken: '%s'", rows[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(facts_come_back), cmocka_unit_test(other_texts_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
