/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whatever dies, fails, is lost, repeated or late, and whatever happens to the files, every line that can be
 * read is in the output or in the rejects exactly once, and all comes to an end. And the simulation would notice if it
 * were not so: each known way to break the protocol is caught. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Runs under a sanitizer cost ten times as much. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SEEDS = 20, STRIDE = 37 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SEEDS = 20, STRIDE = 37 };
#else
enum { SEEDS = 250, STRIDE = 9 };
#endif
#else
enum { SEEDS = 250, STRIDE = 9 };
#endif
enum { MUTANT_SEEDS = 1000, STRIKES_MAX = 6000 };

static struct sim_options running;

static void tell_command(void) {
    (void)printf("run it again: tools/sim --seed %" PRIu64 " --class %s --verbose\n", running.seed,
                 sim_class_name(running.class));
    (void)fflush(stdout);
}

static void on_abort(int signal) {
    (void)signal;
    tell_command();
    _exit(1);
}

static void run_class(enum sim_class class, uint64_t first) {
    struct sim_result r;
    uint64_t failed = 0;
    for (uint64_t i = 0; i < SEEDS; i++) {
        running = (struct sim_options){.seed = first + i, .class = class};
        sim_run(&running, &r);
        if (r.ok) continue;
        failed++;
        (void)printf("seed %" PRIu64 " of class %s: %s\n", running.seed, sim_class_name(class), r.text);
        tell_command();
    }
    assert_int_equal(failed, 0);
}

static void without_faults_every_line_is_there_once(void **state) {
    (void)state;
    run_class(SIM_CALM, 1);
}

static void failed_calls_and_lost_answers_lose_and_double_nothing(void **state) {
    (void)state;
    run_class(SIM_FAULTS, 1);
}

static void deaths_between_any_two_effects_lose_and_double_nothing(void **state) {
    (void)state;
    run_class(SIM_CRASHES, 1);
}

static void files_that_change_under_the_readers_are_told_apart(void **state) {
    (void)state;
    run_class(SIM_FILES, 1);
}

static void sleepers_rivals_and_jumps_of_time_lose_and_double_nothing(void **state) {
    (void)state;
    run_class(SIM_ZOMBIES, 1);
}

static void a_raised_generation_converts_everything_again_beside(void **state) {
    (void)state;
    run_class(SIM_GENERATION, 1);
}

static void a_ledger_that_was_set_back_is_recovered(void **state) {
    (void)state;
    run_class(SIM_ROLLBACK, 1);
}

static void runs_of_once_end_and_take_away_only_what_is_durable(void **state) {
    (void)state;
    run_class(SIM_ONCE, 1);
}

static void a_log_that_lost_messages_is_repaired(void **state) {
    (void)state;
    run_class(SIM_TAIL, 1);
}

static void all_of_it_together_loses_and_doubles_nothing(void **state) {
    (void)state;
    run_class(SIM_ALL, 1);
}

static void the_same_seed_is_the_same_run(void **state) {
    (void)state;
    struct sim_result a, b;
    running = (struct sim_options){.seed = 42, .class = SIM_ALL};
    sim_run(&running, &a);
    sim_run(&running, &b);
    assert_int_equal(a.steps, b.steps);
    assert_int_equal(a.attempts, b.attempts);
    assert_int_equal(a.objects, b.objects);
    assert_int_equal(a.crashes, b.crashes);
    assert_int_equal(a.voids, b.voids);
}

/* ---- every call of a service fails once ---- */

static void strike_all(enum sim_service service) {
    static const enum sim_strike kinds[] = {SIM_STRIKE_BEFORE, SIM_STRIKE_AFTER, SIM_STRIKE_CRASH,
                                            SIM_STRIKE_CRASH_AFTER};
    struct sim_result r;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint64_t k = 1;
        do {
            running = (struct sim_options){
                .seed = 7, .class = SIM_CALM, .strike_service = service, .strike = kinds[i], .strike_at = k};
            sim_run(&running, &r);
            if (!r.ok) (void)printf("service %d, kind %d, call %" PRIu64 ": %s\n", service, kinds[i], k, r.text);
            assert_true(r.ok);
            k += 1 + k % STRIDE;
        } while (r.struck && k < STRIKES_MAX);
        assert_true(k > 10); /* the loop did go through the run */
    }
}

static void any_call_of_an_emitter_may_fail(void **state) {
    (void)state;
    strike_all(SIM_EMITTER);
}

static void any_call_of_a_worker_may_fail(void **state) {
    (void)state;
    strike_all(SIM_WORKER);
}

static void any_call_of_an_uploader_may_fail(void **state) {
    (void)state;
    strike_all(SIM_UPLOADER);
}

/* ---- mutations ---- */

static void mutants_are_caught(void **state) {
    (void)state;
    for (int m = SIM_SOUND + 1; m < SIM_CAUGHT; m++) {
        struct sim_result r = {.ok = true};
        enum sim_class class = m == SIM_NO_PREDECESSOR ? SIM_ZOMBIES : SIM_ALL; /* it takes rivals that sleep */
        if (m >= SIM_NO_BARRIER) class = m == SIM_OLDER_FORGOTTEN ? SIM_GENERATION : SIM_ROLLBACK;
        uint64_t seed = 0;
        while (r.ok && seed < MUTANT_SEEDS) {
            running = (struct sim_options){.seed = ++seed, .class = class, .mutation = (enum sim_mutation)m};
            sim_run(&running, &r);
        }
        (void)printf("%s: seed %" PRIu64 ": %s\n", sim_mutation_name((enum sim_mutation)m), seed,
                     r.ok ? "NOT CAUGHT" : r.text);
        assert_false(r.ok);
    }
}

int main(void) {
    (void)signal(SIGABRT, on_abort);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults_every_line_is_there_once),
        cmocka_unit_test(failed_calls_and_lost_answers_lose_and_double_nothing),
        cmocka_unit_test(deaths_between_any_two_effects_lose_and_double_nothing),
        cmocka_unit_test(files_that_change_under_the_readers_are_told_apart),
        cmocka_unit_test(sleepers_rivals_and_jumps_of_time_lose_and_double_nothing),
        cmocka_unit_test(a_raised_generation_converts_everything_again_beside),
        cmocka_unit_test(a_ledger_that_was_set_back_is_recovered),
        cmocka_unit_test(runs_of_once_end_and_take_away_only_what_is_durable),
        cmocka_unit_test(a_log_that_lost_messages_is_repaired),
        cmocka_unit_test(all_of_it_together_loses_and_doubles_nothing),
        cmocka_unit_test(the_same_seed_is_the_same_run),
        cmocka_unit_test(any_call_of_an_emitter_may_fail),
        cmocka_unit_test(any_call_of_a_worker_may_fail),
        cmocka_unit_test(any_call_of_an_uploader_may_fail),
        cmocka_unit_test(mutants_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
