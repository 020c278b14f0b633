/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whatever writers and rotating programs do to real files, and however often sluice is killed meanwhile, every
 * line that could be read is there exactly once, and nothing that was never written. And a walk would notice if it were
 * not so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "walk.h"

#include <inttypes.h>
#include <stdio.h>

/* Walks under a sanitizer take several times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SEEDS = 60 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SEEDS = 60 };
#else
enum { SEEDS = 800 };
#endif
#else
enum { SEEDS = 800 };
#endif
enum { BROKEN_SEEDS = 200 };

static void every_line_that_could_be_read_is_there_once(void **state) {
    (void)state;
    struct walk_result r;
    uint64_t failed = 0, missing = 0, doubled = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        walk_run(&(struct walk_options){.seed = seed}, &r);
        missing += r.missing;
        doubled += r.doubled;
        if (r.ok) continue;
        failed++;
        (void)printf("seed %" PRIu64 ": %s\nrun it again: tools/walk --seed %" PRIu64 " --verbose\n", seed, r.text,
                     seed);
    }
    assert_int_equal(failed, 0);
    assert_true(missing > 0 && doubled > 0); /* the walks do go where lines are lost and files are cut */
}

static void what_is_broken_is_noticed(void **state) {
    (void)state;
    for (int broken = WALK_SOUND + 1; broken < WALK_BREAKS; broken++) {
        struct walk_result r = {.ok = true};
        uint64_t seed = 0;
        while (r.ok && seed < BROKEN_SEEDS)
            walk_run(&(struct walk_options){.seed = ++seed, .broken = (enum walk_break)broken}, &r);
        (void)printf("%s: seed %" PRIu64 ": %s\n", walk_break_name((enum walk_break)broken), seed,
                     r.ok ? "NOT NOTICED" : r.text);
        assert_false(r.ok);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_that_could_be_read_is_there_once),
        cmocka_unit_test(what_is_broken_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
