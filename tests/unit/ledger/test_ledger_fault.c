/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the decorator counts every call, lets through what it should, and fails exactly the planned one in the
 * planned way: before it happened, after it happened with the answer lost, or for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger_fault.h"

static int happened;

static enum rc fake_advance(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                            const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                            struct why *why) {
    (void)self, (void)at, (void)asks, (void)acks, (void)acks_n, (void)why;
    happened++;
    for (size_t i = 0; i < n; i++) out[i] = LEDGER_WON;
    return RC_OK;
}

static enum rc fake_durable_next(void *self, struct ledger_at at, uint32_t partition, uint64_t *out, struct why *why) {
    (void)self, (void)at, (void)partition, (void)why;
    happened++;
    *out = 42;
    return RC_OK;
}

static const struct ledger_ops fake = {.advance = fake_advance, .durable_next = fake_durable_next};

struct trial {
    struct ledger ledger;
    struct ledger_fault *fault;
    enum ledger_decision decision;
};

static struct trial start(enum ledger_fault_kind kind, uint64_t at) {
    struct trial t = {.decision = LEDGER_UNDECIDED};
    happened = 0;
    t.ledger = ledger_fault_new((struct ledger){&fake, NULL, {1, 1}}, &t.fault);
    ledger_fault_plan(t.fault, (struct ledger_fault_plan){kind, at, RC_BUSY});
    return t;
}

static enum rc call(struct trial *t) {
    struct ledger_advance ask = {.messages = 1};
    t->decision = LEDGER_UNDECIDED;
    return ledger_advance(t->ledger, &ask, 1, NULL, 0, &t->decision, NULL);
}

static void without_a_plan_everything_goes_through(void **unused) {
    (void)unused;
    struct trial t = start(LEDGER_FAULT_NONE, 0);
    uint64_t next = 0;
    assert_int_equal(call(&t), RC_OK);
    assert_int_equal(t.decision, LEDGER_WON);
    assert_int_equal(ledger_durable_next(t.ledger, 0, &next, NULL), RC_OK);
    assert_int_equal(next, 42);
    assert_int_equal(ledger_fault_effects(t.fault), 2);
    ledger_free(t.ledger);
}

static void before_means_that_nothing_happened(void **unused) {
    (void)unused;
    struct trial t = start(LEDGER_FAULT_BEFORE, 1);
    assert_int_equal(call(&t), RC_OK);
    assert_int_equal(call(&t), RC_BUSY);
    assert_int_equal(happened, 1);
    assert_int_equal(t.decision, LEDGER_UNDECIDED);
    assert_int_equal(call(&t), RC_OK);
    ledger_free(t.ledger);
}

static void after_means_that_it_happened_and_nobody_was_told(void **unused) {
    (void)unused;
    struct trial t = start(LEDGER_FAULT_AFTER, 0);
    assert_int_equal(call(&t), RC_BUSY);
    assert_int_equal(happened, 1);
    assert_int_equal(t.decision, LEDGER_UNDECIDED);
    ledger_free(t.ledger);
}

static void a_crash_is_for_good(void **unused) {
    (void)unused;
    for (int after = 0; after < 2; after++) {
        struct trial t = start(after ? LEDGER_FAULT_CRASH_AFTER : LEDGER_FAULT_CRASH, 1);
        assert_int_equal(call(&t), RC_OK);
        for (int i = 0; i < 3; i++) assert_int_equal(call(&t), RC_STOP);
        assert_int_equal(happened, 1 + after);
        assert_int_equal(t.decision, LEDGER_UNDECIDED);
        ledger_free(t.ledger);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_plan_everything_goes_through),
        cmocka_unit_test(before_means_that_nothing_happened),
        cmocka_unit_test(after_means_that_it_happened_and_nobody_was_told),
        cmocka_unit_test(a_crash_is_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
