/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: gc refuses what is in use, changes nothing on a dry run, and, wherever it dies and is run again, takes one
 * generation away whole: its objects, rejects, receipts and rows of the ledger, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cat.h"
#include "gc.h"
#include "generations.h"
#include "ledger_fault.h"
#include "made_world.h"
#include "own.h"
#include "rejects.h"
#include "store_fault.h"
#include "survey.h"

#include <string.h>

enum { OBJECTS = 3, REJECTS = 2, STEPS_MAX = 200 };
#define OTHER_QUEUE "g1/dt=1/00000000000000000000000000000009-p0-00000000000000000000.jsonl.zst"
#define NEXT_GENERATION "g2/dt=1/notes"

/* The made pipeline's generation 1, with 2 in use, and things that are nobody's. */
static struct upkeep world_of(struct made_world *w) {
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, w);
    made_put(w, STR(OTHER_QUEUE), STR("?"));
    made_put(w, STR("g1/notes.txt"), STR("?"));
    made_put(w, STR("g10/notes.txt"), STR("?"));
    made_put(w, STR(NEXT_GENERATION), STR("?"));
    made_put(w, STR("_rejects/g2/x"), STR("?"));
    return (struct upkeep){w->store, w->ledger, w->report.queue, 2};
}

static const struct gc_ask yes = {.generation = 1, .yes = true, .now_ns = 1767226000000000000};

static enum rc count(void *context, struct str key, uint64_t bytes) {
    (void)key, (void)bytes;
    ++*(size_t *)context;
    return RC_OK;
}

static size_t keys_below(struct store store, const char *prefix) {
    size_t n = 0;
    assert_int_equal(store_list(store, str_of(prefix), STR(""), count, &n, NULL), RC_OK);
    return n;
}

static void expect_gone(const struct made_world *w) {
    assert_int_equal(keys_below(w->store, "g1/"), 2); /* another queue's, and notes */
    assert_int_equal(keys_below(w->store, "_rejects/g1/"), 0);
    assert_int_equal(keys_below(w->store, "_receipts/g1/"), 0);
    assert_int_equal(keys_below(w->store, "_seals/"), 3);
    assert_int_equal(keys_below(w->store, "_manifests/"), 3 + 1);
    assert_int_equal(keys_below(w->store, "g10/"), 1);
    assert_int_equal(keys_below(w->store, "g2/"), 1);
    assert_int_equal(keys_below(w->store, "_rejects/g2/"), 1);
    struct ledger_listing *files = NULL;
    size_t n = 0;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    assert_int_equal(ledger_list(w->ledger, (struct id){{0}}, 10, &arena, &files, &n, NULL), RC_OK);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) assert_int_equal(files[i].counts.lines, 0);
}

static void what_is_in_use_or_to_come_is_refused(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    struct upkeep upkeep = world_of(&w);
    struct gc_result result;
    size_t before = keys_below(w.store, "");
    for (uint64_t g = 2; g <= 10; g += 8) {
        struct gc_ask ask = yes;
        ask.generation = g;
        assert_int_equal(gc_run(&upkeep, &ask, &result, NULL), RC_DENIED);
    }
    upkeep.generation = 1;
    assert_int_equal(gc_run(&upkeep, &yes, &result, NULL), RC_DENIED);
    upkeep.generation = 9;
    struct gc_ask nobody = yes;
    nobody.generation = 5;
    assert_int_equal(gc_run(&upkeep, &nobody, &result, NULL), RC_ABSENT);
    assert_int_equal(keys_below(w.store, ""), before);
    made_expect(&w, true, (enum audit_kind[]){AUDIT_OBJECT_UNLISTED}, 1); /* g1/notes.txt, as before */
}

static void a_dry_run_says_what_would_go_and_changes_nothing(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    struct upkeep upkeep = world_of(&w);
    struct gc_ask ask = yes;
    struct gc_result result;
    size_t before = keys_below(w.store, "");
    ask.yes = false;
    assert_int_equal(gc_run(&upkeep, &ask, &result, NULL), RC_OK);
    assert_int_equal(result.objects.count, OBJECTS);
    assert_int_equal(result.rejects.count, REJECTS);
    assert_int_equal(result.receipts.count, 1);
    assert_int_equal(result.foreign.count, 1);
    assert_int_equal(result.unknown.count, 1);
    assert_true(result.in_ledger && !result.tombstone && result.objects.bytes > 0);
    assert_int_equal(keys_below(w.store, ""), before);
    made_expect(&w, true, (enum audit_kind[]){AUDIT_OBJECT_UNLISTED}, 1);
}

static enum rc no_reject(void *context, const struct rejects_line *line) {
    (void)context, (void)line;
    return RC_BROKEN;
}

static enum rc no_record(void *context, struct str records, struct why *why) {
    (void)context, (void)records, (void)why;
    return RC_BROKEN;
}

static void a_removed_generation_is_told_to_every_reader(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    struct upkeep upkeep = world_of(&w);
    struct gc_result result;
    struct why why = {0};
    assert_int_equal(gc_run(&upkeep, &yes, &result, NULL), RC_OK);
    assert_int_equal(result.objects.count, OBJECTS);
    expect_gone(&w);
    made_expect(&w, true, NULL, 0);
    assert_true(w.result.removed);
    struct rejects_ask rejects = {0};
    assert_int_equal(rejects_each(&w.report, &rejects, no_reject, NULL, &why), RC_ABSENT);
    assert_non_null(strstr(why.text, "generation 1 was removed by `sluice gc` at 2026-01-01T00:06:40Z"));
    struct cat_ask cat = {.write = no_record};
    struct cat_result records;
    assert_int_equal(cat_records(&w.report, &cat, &records, &why), RC_ABSENT);
    struct survey survey;
    assert_int_equal(survey_run(&upkeep, &(struct survey_ask){.generation = 1}, &survey, &why), RC_OK);
    assert_true(survey.removed);
    assert_int_equal(survey.listed.objects.count, OBJECTS); /* what there was */
    assert_int_equal(survey.stored.count + survey.orphans.count, 0);
}

/* Runs gc with the store dying at the effect `crash`, before or behind it; true when it got to the end. */
static bool run_until(struct upkeep upkeep, struct store_fault *fault, uint64_t crash, bool behind) {
    struct gc_result result;
    struct made_world *w = fault->context;
    fault->effects = 0;
    fault->crashed = false;
    fault->crash_at = behind ? 0 : crash;
    fault->lose_at = behind ? crash : 0;
    fault->rc = RC_BUSY;
    enum rc rc = gc_run(&upkeep, &yes, &result, NULL);
    assert_true(rc == RC_OK || rc == RC_STOP || (behind && rc == RC_BUSY));
    assert_int_equal(keys_below(w->store, "_seals/"), 3);
    assert_int_equal(keys_below(w->store, "g2/"), 1);
    /* nothing goes before the tombstone is there */
    if (keys_below(w->store, "_manifests/") == 3) assert_int_equal(keys_below(w->store, "_receipts/"), 1);
    return rc == RC_OK;
}

static void dying_at_any_effect_on_the_store_and_running_again_ends_the_same(void **state) {
    (void)state;
    for (int behind = 0; behind <= 1; behind++) {
        bool ended = false;
        uint64_t crash = 1;
        for (; !ended; crash++) {
            AUTO(made_world_done) struct made_world w;
            struct upkeep upkeep = world_of(&w);
            struct store_fault fault = {.context = &w};
            /* the world frees the store: the decorator is not freed, but its memory */
            struct store faulty = store_fault_new(w.store, &fault);
            upkeep.store = faulty;
            ended = run_until(upkeep, &fault, crash, behind);
            if (!ended) assert_true(run_until(upkeep, &fault, 0, false));
            expect_gone(&w);
            assert_true(run_until(upkeep, &fault, 0, false)); /* and once more does nothing */
            expect_gone(&w);
            w.store = faulty; /* which the world frees with what is inside */
            assert_true(crash < STEPS_MAX);
        }
        assert_int_equal(crash - 2, 1 + OBJECTS + REJECTS + 1); /* every one of its effects was hit */
    }
}

static void dying_at_any_call_of_the_ledger_and_running_again_ends_the_same(void **state) {
    (void)state;
    for (int kind = LEDGER_FAULT_BEFORE; kind <= LEDGER_FAULT_CRASH_AFTER; kind++) {
        bool ended = false;
        for (uint64_t at = 0; !ended; at++) {
            AUTO(made_world_done) struct made_world w;
            struct upkeep upkeep = world_of(&w), whole = upkeep;
            struct ledger_fault *fault = NULL;
            struct gc_result result;
            upkeep.ledger = ledger_fault_new(w.ledger, &fault);
            ledger_fault_plan(fault, (struct ledger_fault_plan){(enum ledger_fault_kind)kind, at, RC_BUSY});
            ended = gc_run(&upkeep, &yes, &result, NULL) == RC_OK;
            if (!ended) assert_int_equal(keys_below(w.store, "g1/"), 2 + OBJECTS); /* the ledger comes first */
            assert_int_equal(gc_run(&whole, &yes, &result, NULL), RC_OK);
            expect_gone(&w);
            ledger_free(upkeep.ledger);
            assert_true(at < STEPS_MAX);
        }
    }
}

static void a_process_of_the_generation_has_no_say_any_more(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    struct upkeep upkeep = world_of(&w);
    struct gc_result result;
    assert_int_equal(gc_run(&upkeep, &yes, &result, NULL), RC_OK);
    struct attempt attempt = made_attempt(&w, 4);
    struct ledger_verdict verdict;
    uint64_t next = 0;
    assert_int_equal(ledger_verdicts(w.ledger, &attempt, 1, &verdict, NULL), RC_DENIED);
    assert_int_equal(ledger_durable_next(w.ledger, 0, &next, NULL), RC_DENIED);
    struct generations_one *all = NULL;
    size_t n = 0;
    assert_int_equal(generations_find(&upkeep, &all, &n, NULL), RC_OK);
    assert_int_equal(n, 3); /* 1, 2 and the 10 of the notes */
    assert_true(all[0].generation == 1 && all[0].in_output && all[0].in_ledger && all[0].forgotten);
    assert_true(all[1].generation == 2 && all[1].in_output && !all[1].in_ledger);
    assert_true(all[2].generation == 10 && all[2].in_output);
    free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_use_or_to_come_is_refused),
        cmocka_unit_test(a_dry_run_says_what_would_go_and_changes_nothing),
        cmocka_unit_test(a_removed_generation_is_told_to_every_reader),
        cmocka_unit_test(dying_at_any_effect_on_the_store_and_running_again_ends_the_same),
        cmocka_unit_test(dying_at_any_call_of_the_ledger_and_running_again_ends_the_same),
        cmocka_unit_test(a_process_of_the_generation_has_no_say_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
