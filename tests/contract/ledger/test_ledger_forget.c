/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: forgetting a generation shuts it at once and for ever, takes its rows away a bounded piece a call, goes on
 * wherever it was left, and touches nothing of any other generation. */
#include "ledger_world.h"

static struct ledger at_generation(const struct world *w, uint64_t generation) {
    struct ledger ledger = w->ledger;
    ledger.at.generation = generation;
    return ledger;
}

/* Converts [0, 100) and [100, 150) of the file in the handle's generation and makes all of it durable as batch i. */
static struct attempt convert(struct world *w, struct id file, uint32_t partition, uint64_t *batch) {
    struct attempt one = world_attempt(w, file, 0, 0, 100, (struct id){{0}});
    struct attempt two = world_attempt(w, file, 1, 100, 150, (struct id){{0}});
    assert_int_equal(world_win(w, world_advance(one, 2)), LEDGER_WON);
    assert_int_equal(world_win(w, world_advance(two, 1)), LEDGER_WON);
    assert_int_equal(world_durable(w, partition, (*batch)++, one, 2), RC_OK);
    assert_int_equal(world_durable(w, partition, (*batch)++, two, 1), RC_OK);
    return two;
}

static void forget_all(struct world *w, struct ledger ledger, size_t max) {
    struct id after = {{0}};
    bool done = false;
    for (int calls = 0; !done; calls++) {
        WORLD_OK(w, ledger_forget(ledger, max, &after, &done, &w->why));
        assert_true(calls < 1000);
    }
}

static size_t generations(struct world *w, struct ledger_generation **out) {
    size_t n = 0;
    WORLD_OK(w, ledger_generations(w->ledger, &w->arena, out, &n, &w->why));
    return n;
}

static void expect_nothing_of(struct world *w, struct ledger ledger, struct id file) {
    struct ledger_listing *files = NULL;
    struct ledger_stripe_listing *stripes = NULL;
    size_t n = 0;
    WORLD_OK(w, ledger_list_stripes(ledger, file, &w->arena, &stripes, &n, &w->why));
    assert_int_equal(n, 0);
    WORLD_OK(w, ledger_list(ledger, (struct id){{0}}, 100, &w->arena, &files, &n, &w->why));
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(files[i].counts.lines, 0);
        assert_int_equal(files[i].stripes, 0);
    }
}

static void a_forgotten_generation_has_nothing_left_and_the_others_all(struct world *w) {
    struct id files[3];
    uint64_t batch = 0, next_batch = 0;
    for (uint64_t i = 0; i < 3; i++) {
        files[i] = world_file(w, i + 1);
        w->ledger.at.generation = 1;
        (void)convert(w, files[i], 2, &batch);
        w->ledger.at.generation = 2;
        (void)convert(w, files[i], 2, &next_batch);
        assert_int_equal(world_close(w, files[i], 150, false), RC_OK);
    }
    forget_all(w, at_generation(w, 1), 100);
    for (int i = 0; i < 3; i++) {
        expect_nothing_of(w, at_generation(w, 1), files[i]);
        assert_int_equal(world_checkpoint(w, files[i], 0).at, 100);
        assert_int_equal(world_checkpoint(w, files[i], 1).at, 150);
        assert_int_equal(world_listing(w, files[i])->counts.lines, 2);
    }
    uint64_t next = 0;
    WORLD_OK(w, ledger_durable_next(w->ledger, 2, &next, &w->why));
    assert_int_equal(next, next_batch);
    struct ledger_due *due = NULL;
    assert_int_equal(world_due(w, &due), 3);
    assert_int_equal(due[0].batches_len, 2);
}

static void a_forgotten_generation_denies_everything_also_after_reopening(struct world *w) {
    struct id file = world_file(w, 1);
    uint64_t batch = 0;
    struct attempt last = convert(w, file, 0, &batch);
    struct ledger old = at_generation(w, w->ledger.at.generation);
    struct id after = {{0}};
    bool done = false;
    WORLD_OK(w, ledger_forget(old, 1, &after, &done, &w->why)); /* the first piece is enough */
    assert_false(done);
    world_reopen(w);
    struct ledger_key key = world_key(1);
    struct ledger_file found;
    struct ledger_stripe stripe = {file, 1};
    struct ledger_checkpoint checkpoint;
    struct ledger_verdict verdict;
    struct ledger_due *due = NULL;
    struct ledger_advance ask = world_advance(world_attempt(w, file, 1, 150, 200, last.id), 1);
    struct ledger_close close = {file, 150, false};
    enum ledger_decision decision = LEDGER_UNDECIDED;
    enum rc answer = RC_OK;
    uint64_t number = 0;
    size_t n = 0;
    uint32_t failures = 0;
    assert_int_equal(ledger_lookup(w->ledger, &key, 1, &w->arena, &found, &w->why), RC_DENIED);
    assert_non_null(strstr(w->why.text, "generation 1 was removed"));
    assert_int_equal(ledger_close_files(w->ledger, &close, 1, &answer, &w->why), RC_DENIED);
    assert_int_equal(ledger_checkpoints(w->ledger, &stripe, 1, &w->arena, &checkpoint, &w->why), RC_DENIED);
    assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, &w->why), RC_DENIED);
    assert_int_equal(decision, LEDGER_UNDECIDED);
    assert_int_equal(ledger_verdicts(w->ledger, &last, 1, &verdict, &w->why), RC_DENIED);
    assert_int_equal(ledger_voids(w->ledger, &ask.attempt, 1, &verdict, &w->why), RC_DENIED);
    assert_int_equal(ledger_job_failed(w->ledger, stripe, STR("?"), 3, &failures, &w->why), RC_DENIED);
    assert_int_equal(world_durable(w, 0, batch, last, 1), RC_DENIED);
    assert_int_equal(ledger_durable_next(w->ledger, 0, &number, &w->why), RC_DENIED);
    assert_int_equal(ledger_acknowledged(w->ledger, 0, &number, &w->why), RC_DENIED);
    assert_int_equal(ledger_due(w->ledger, 1, &w->arena, &due, &n, &w->why), RC_DENIED);
    assert_int_equal(ledger_receipted(w->ledger, &close, 1, &w->why), RC_DENIED);
}

static void forgetting_one_row_a_call_ends_and_may_begin_again_anywhere(struct world *w) {
    struct id files[4];
    uint64_t batch = 0;
    for (uint64_t i = 0; i < 4; i++) {
        files[i] = world_file(w, i + 1);
        (void)convert(w, files[i], 0, &batch);
    }
    struct id after = {{0}}, before = {{0}};
    bool done = false;
    size_t calls = 0;
    while (!done) {
        before = after;
        WORLD_OK(w, ledger_forget(w->ledger, 1, &after, &done, &w->why));
        assert_true(id_compare(before, after) <= 0);                  /* never back */
        if (++calls % 3 == 0 && calls < 20) after = (struct id){{0}}; /* somebody else begins from the front */
        assert_true(calls < 1000);
    }
    assert_true(calls > 8); /* eight stripes, one a call */
    for (int i = 0; i < 4; i++) expect_nothing_of(w, w->ledger, files[i]);
    forget_all(w, w->ledger, 2);
}

static void generations_are_told_with_what_was_forgotten(struct world *w) {
    struct ledger_generation *all = NULL;
    struct id file = world_file(w, 1);
    assert_int_equal(generations(w, &all), 0);
    for (uint64_t g = 3; g >= 1; g--) {
        uint64_t batch = 0;
        w->ledger.at.generation = g;
        (void)convert(w, file, 0, &batch);
    }
    forget_all(w, at_generation(w, 2), 10);
    forget_all(w, at_generation(w, 9), 10); /* one that it never heard of is forgotten too */
    world_reopen(w);
    assert_int_equal(generations(w, &all), 4);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(all[i].generation, i + 1);
        assert_int_equal(all[i].forgotten, i == 1);
    }
    assert_int_equal(all[3].generation, 9);
    assert_true(all[3].forgotten);
}

static void another_epoch_forgets_nothing(struct world *w) {
    struct id file = world_file(w, 1), after = {{0}};
    uint64_t batch = 0;
    bool done = true;
    (void)convert(w, file, 0, &batch);
    struct ledger stale = w->ledger;
    stale.at.epoch += 1;
    assert_int_equal(ledger_forget(stale, 10, &after, &done, &w->why), RC_STALE);
    assert_true(done && id_is_none(after));
    assert_int_equal(world_checkpoint(w, file, 0).at, 100);
}

static void recovery_brings_back_the_file_and_not_what_was_forgotten(struct world *w) {
    struct id token = id_make(&w->rng), file = id_make(&w->rng);
    forget_all(w, w->ledger, 10);
    struct ledger_identity who;
    WORLD_OK(w, ledger_identity(w->ledger, &who, &w->why));
    uint64_t target = 0, epoch = 0;
    struct ledger_epochs seen = {.ledger = who.epoch};
    WORLD_OK(w, ledger_recover_begin(w->ledger, seen, token, &target, &w->why));
    struct ledger_winner winners[2];
    for (uint64_t g = 1; g <= 2; g++) {
        w->ledger.at.generation = g;
        winners[g - 1] = (struct ledger_winner){.attempt = world_attempt(w, file, 0, 0, 100, (struct id){{0}}),
                                                .facts = world_facts(1),
                                                .has_counts = true,
                                                .counts = {.lines = 1, .converted = 1, .records = 1},
                                                .messages = 2};
    }
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, winners, 2, &w->why));
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    assert_int_equal(world_checkpoint(w, file, 0).at, 100);
    expect_nothing_of(w, at_generation(w, 1), file);
}

static const struct world_sentence sentences[] = {
    WORLD_SENTENCE(a_forgotten_generation_has_nothing_left_and_the_others_all),
    WORLD_SENTENCE(a_forgotten_generation_denies_everything_also_after_reopening),
    WORLD_SENTENCE(forgetting_one_row_a_call_ends_and_may_begin_again_anywhere),
    WORLD_SENTENCE(generations_are_told_with_what_was_forgotten),
    WORLD_SENTENCE(another_epoch_forgets_nothing),
    WORLD_SENTENCE(recovery_brings_back_the_file_and_not_what_was_forgotten),
};

int main(void) { return world_run("forgetting a generation", sentences, sizeof sentences / sizeof sentences[0]); }
