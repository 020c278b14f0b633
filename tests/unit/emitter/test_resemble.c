/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what rotation and compression do to a name leaves its stem, and nothing else does. */
#include "num.h"
#include "resemble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void rotation_leaves_the_stem(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"file:///a/app.log", "app.log"},
        {"file:///a/app.log.1", "app.log"},
        {"file:///b/app.log.12.gz", "app.log"},
        {"file:///b/app-20261201.log.zst", "app.log"},
        {"app.log-20261201-1.bz2", "app.log"},
        {"app.log.gz", "app.log"},
        {"app_2026.xz", "app"},
        {"2026.log", "2026.log"},
        {"app2.log", "app2.log"},
        {"app.v2.log.3", "app.v2.log"},
        {".gz", ".gz"},
        {"/", ""},
        {"app.log.1.", "app.log."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char out[RESEMBLE_NAME_MAX];
        assert_true(str_equal(resemble_stem(str_of(rows[i][0]), out), str_of(rows[i][1])));
    }
}

static void a_compressor_adds_an_ending(void **state) {
    (void)state;
    assert_true(resemble_is_made_of(STR("a/app.log.1.gz"), STR("a/app.log.1")));
    assert_true(resemble_is_made_of(STR("app.log.zst"), STR("app.log")));
    assert_false(resemble_is_made_of(STR("a/app.log.1.gz"), STR("a/app.log")));
    assert_false(resemble_is_made_of(STR("b/app.log.gz"), STR("a/app.log")));
    assert_false(resemble_is_made_of(STR("app.log"), STR("app.log")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotation_leaves_the_stem),
        cmocka_unit_test(a_compressor_adds_an_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
