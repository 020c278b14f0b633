/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every sentence of ledger.h holds on every adapter, and holds again after the ledger was closed and opened.
 * Each test is one sentence or paragraph of it; where an adapter keeps its data, the world is reopened between steps.
 */
#include "ledger_world.h"

#include <string.h>

static const struct id none = {{0}};

static void a_new_ledger_says_who_it_is(struct world *w) {
    struct ledger_identity who;
    WORLD_OK(w, ledger_identity(w->ledger, &who, &w->why));
    assert_false(id_is_none(who.ledger));
    assert_false(id_is_none(who.queue));
    assert_int_equal(who.epoch, 1);
    assert_false(who.recovering);
    assert_int_equal(w->ledger.at.epoch, 1);
    world_reopen(w);
    struct ledger_identity again;
    WORLD_OK(w, ledger_identity(w->ledger, &again, &w->why));
    assert_true(id_equal(who.ledger, again.ledger) && id_equal(who.queue, again.queue));
}

static void a_file_goes_from_enrolling_to_its_receipt(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 60, none), b = world_attempt(w, file, 0, 60, 105, a.id),
                   c = world_attempt(w, file, 1, 100, 150, none);
    world_reopen(w);
    assert_int_equal(world_win(w, world_advance(a, 2)), LEDGER_WON);
    world_reopen(w);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_WON);
    assert_int_equal(world_close(w, file, 150, false), RC_OK);
    assert_int_equal(world_win(w, world_advance(c, 1)), LEDGER_WON);
    world_reopen(w);
    struct ledger_due *due;
    assert_int_equal(world_due(w, &due), 0);
    WORLD_OK(w, world_durable(w, 0, 0, a, 1));
    WORLD_OK(w, world_durable(w, 1, 0, a, 1));
    WORLD_OK(w, world_durable(w, 0, 1, b, 1));
    assert_int_equal(world_due(w, &due), 0);
    WORLD_OK(w, world_durable(w, 0, 2, c, 1));
    world_reopen(w);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(world_due(w, &due), 1);
        assert_true(id_equal(due->file, file));
        assert_int_equal(due->end, 150);
        assert_int_equal(due->stripes, 2);
        assert_int_equal(due->counts.lines, 3);
        assert_int_equal(due->batches_len, 4);
        assert_int_equal(due->batches[2].index, 2);
        assert_int_equal(due->batches[3].partition, 1);
        assert_true(str_equal(due->facts.uri, world_facts(1).uri));
    }
    world_receipted(w, file, 150);
    world_reopen(w);
    assert_int_equal(world_due(w, &due), 0);
    assert_true(world_lookup(w, 1).receipted);
}

typedef void (*sentence)(struct world *);
static const struct {
    const char *name;
    sentence run;
} sentences[] = {
#define SENTENCE(name)                                                                                                 \
    { #name, name }
    SENTENCE(a_new_ledger_says_who_it_is),
    SENTENCE(a_file_goes_from_enrolling_to_its_receipt),
};

static void run_sentence(void **state) {
    const size_t *which = *state;
    for (size_t i = 0; i < world_adapters_len; i++) {
        struct world *world = world_new(&world_adapters[i], 1);
        sentences[*which].run(world);
        world_free(world);
    }
}

int main(void) {
    enum { N = sizeof sentences / sizeof sentences[0] };
    static size_t numbers[N];
    struct CMUnitTest tests[N];
    for (size_t i = 0; i < N; i++) {
        numbers[i] = i;
        tests[i] = (struct CMUnitTest){sentences[i].name, run_sentence, NULL, NULL, &numbers[i]};
    }
    return _cmocka_run_group_tests("ledger contract", tests, N, NULL, NULL);
}
