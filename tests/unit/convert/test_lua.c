/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the records of a script go where their times and fields say, all of a line's or none; lines and records are
 * counted apart. */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define SPLIT                                                                                                          \
    "function convert(line, meta)\n"                                                                                   \
    "  if line == 'none' then return end\n"                                                                            \
    "  if line == 'bad' then return nil, 'why not' end\n"                                                              \
    "  local t = {}\n"                                                                                                 \
    "  for day, n in line:gmatch('(%d+):(%w+)') do t[#t + 1] = {t = '2026-01-' .. day, n = n, from = meta.source} "    \
    "end\n"                                                                                                            \
    "  return t\n"                                                                                                     \
    "end"

static const struct made_settings split = {
    .kind = CONVERTER_LUA, .script = SPLIT, .partition = "{time:%d}/{n}", .time_field = "t", .time_format = "%Y-%m-%d"};

static void a_line_can_be_several_records(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &split, STR("01:a 02:b\n01:a\n\nnone\n03:c 04:c 03:c\n"));
    made_expect(
        &made, "01/a",
        "{\"from\":\"src\",\"n\":\"a\",\"t\":\"2026-01-01\"}\n{\"from\":\"src\",\"n\":\"a\",\"t\":\"2026-01-01\"}\n");
    made_expect(&made, "02/b", "{\"from\":\"src\",\"n\":\"b\",\"t\":\"2026-01-02\"}\n");
    assert_int_equal(made_output(&made, "03/c")->records, 2);
    made_expect_counts(&made, "5/3/0/1");
    assert_int_equal(made.result->counts.records, 6);
    assert_int_equal(made.result->counts.filtered, 1);
}

static void a_line_is_a_reject_as_a_whole(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &split, STR("01:a 99:b\nbad\n02:c\n"));
    made_expect_counts(&made, "3/1/2/0");
    assert_int_equal(made.result->counts.reasons[REASON_TIME], 1);
    assert_int_equal(made.result->counts.reasons[REASON_SCRIPT], 1);
    assert_int_equal(made.result->counts.records, 1);
    AUTO(own_free) char *rejects = made_text(made_rejects(&made));
    assert_non_null(strstr(rejects, "\"reason\":\"script\",\"detail\":\"why not\""));
}

static void conditions_see_each_record(void **state) {
    (void)state;
    struct made_settings some = split;
    some.where = "n = 'a'";
    some.drop = "t,from";
    AUTO(made_done) struct made made;
    made_init(&made, &some, STR("01:a 02:b\n02:b\n03:b 04:a 05:a\n"));
    made_expect(&made, "01/a", "{\"n\":\"a\"}\n");
    made_expect_counts(&made, "3/2/0/0");
    assert_int_equal(made.result->counts.records, 3);
    assert_int_equal(made.result->counts.filtered, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_can_be_several_records),
        cmocka_unit_test(a_line_is_a_reject_as_a_whole),
        cmocka_unit_test(conditions_see_each_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
