/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a file is the one that the ledger knows while nothing that was seen of it is missing or different. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "identify.h"
#include "num.h"

struct row {
    const char *what;
    struct ledger_file known;
    struct identify_view view;
    enum identify_answer answer;
};

static void the_table_holds(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"empty, still empty", {.prefix_len = 0}, {.size = 0}, IDENTIFY_SAME},
        {"empty, grown", {.prefix_len = 0}, {.size = 10, .prefix_hash = 5}, IDENTIFY_SAME},
        {"unchanged", {.prefix_len = 8, .prefix_hash = 1}, {.size = 8, .prefix_hash = 1}, IDENTIFY_SAME},
        {"grown", {.prefix_len = 8, .prefix_hash = 1}, {.size = 9, .prefix_hash = 1}, IDENTIFY_SAME},
        {"below its prefix", {.prefix_len = 8, .prefix_hash = 1}, {.size = 7}, IDENTIFY_SHORTER},
        {"another begin", {.prefix_len = 8, .prefix_hash = 1}, {.size = 8, .prefix_hash = 2}, IDENTIFY_NEW},
        {"below its reach",
         {.prefix_len = 8, .prefix_hash = 1, .reach = 100, .tail_hash = 3},
         {.size = 99, .prefix_hash = 1, .tail_hash = 3},
         IDENTIFY_SHORTER},
        {"at its reach",
         {.prefix_len = 8, .prefix_hash = 1, .reach = 100, .tail_hash = 3},
         {.size = 100, .prefix_hash = 1, .tail_hash = 3},
         IDENTIFY_SAME},
        {"another tail",
         {.prefix_len = 8, .prefix_hash = 1, .reach = 100, .tail_hash = 3},
         {.size = 200, .prefix_hash = 1, .tail_hash = 4},
         IDENTIFY_NEW},
        {"below its closed end",
         {.prefix_len = 8, .prefix_hash = 1, .closed = true, .closed_end = 50},
         {.size = 49, .prefix_hash = 1},
         IDENTIFY_SHORTER},
        {"grown behind its closed end",
         {.prefix_len = 8, .prefix_hash = 1, .closed = true, .closed_end = 50},
         {.size = 51, .prefix_hash = 1},
         IDENTIFY_SAME},
        {"an end of long ago does not count while it is not closed",
         {.prefix_len = 8, .prefix_hash = 1, .closed = false, .closed_end = 50},
         {.size = 8, .prefix_hash = 1},
         IDENTIFY_SAME},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum identify_answer answer = identify_decide(&rows[i].known, &rows[i].view);
        if (answer != rows[i].answer) print_error("%s\n", rows[i].what);
        assert_int_equal(answer, rows[i].answer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_table_holds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
