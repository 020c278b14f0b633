/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what ledger.h says of claims holds on every adapter: of one key one place is kept, with the attempt that won
 * it, for as long as the generation is there, and whoever recovers the ledger gets the claims of the winners back. */
#include "ledger_save.h"
#include "ledger_world.h"

static const struct id none = {{0}};

struct claims {
    char bytes[4 * CLAIM_BYTES];
};

static struct id key_of(uint8_t n) { return (struct id){{n, (uint8_t)(n * 7), 1, n}}; }

/* One claim an entry: key and offset; key 0 ends them. */
static struct str claims_of(struct claims *to, uint8_t key, uint64_t offset, uint8_t second, uint64_t behind) {
    size_t n = 0;
    claim_pack(&(struct claim){key_of(key), offset}, to->bytes + CLAIM_BYTES * n++);
    if (second) claim_pack(&(struct claim){key_of(second), behind}, to->bytes + CLAIM_BYTES * n++);
    return (struct str){to->bytes, n * CLAIM_BYTES};
}

static struct ledger_claim stored(struct world *w, uint8_t n) {
    struct id key = key_of(n);
    struct ledger_claim out = {true, {none, 9, 9}};
    WORLD_OK(w, ledger_claims(w->ledger, &key, 1, &out, &w->why));
    return out;
}

static void expect_at(struct world *w, uint8_t n, struct id file, uint64_t stripe, uint64_t offset) {
    struct ledger_claim claim = stored(w, n);
    struct claim_place place = {file, stripe, offset};
    assert_true(claim.found);
    assert_true(claim_place_equal(&claim.place, &place));
}

static enum ledger_decision win(struct world *w, struct attempt attempt, struct str claims) {
    struct ledger_advance ask = world_advance(attempt, 1);
    ask.claims = claims;
    return world_win(w, ask);
}

static void a_claim_is_stored_with_the_win_and_told_with_its_place(struct world *w) {
    struct id file = world_file(w, 1);
    struct claims a;
    assert_false(stored(w, 1).found);
    struct attempt first = world_attempt(w, file, 1, 100, 150, none);
    struct str claims = claims_of(&a, 1, 100, 2, 140);
    assert_int_equal(win(w, first, claims), LEDGER_WON);
    world_reopen(w);
    expect_at(w, 1, file, 1, 100);
    expect_at(w, 2, file, 1, 140);
    assert_false(stored(w, 3).found);
    assert_int_equal(win(w, first, claims), LEDGER_WON); /* asked again: the answer was lost */
    WORLD_OK(w, ledger_claims(w->ledger, NULL, 0, NULL, &w->why));
}

static void who_claims_what_another_place_keeps_loses_for_ever_and_leaves_nothing(struct world *w) {
    struct id one = world_file(w, 1), two = world_file(w, 2);
    struct claims a;
    assert_int_equal(win(w, world_attempt(w, one, 0, 0, 50, none), claims_of(&a, 1, 10, 0, 0)), LEDGER_WON);
    struct attempt late = world_attempt(w, two, 0, 0, 50, none);
    assert_int_equal(win(w, late, claims_of(&a, 2, 5, 1, 10)), LEDGER_LOST);
    world_reopen(w);
    assert_false(stored(w, 2).found);
    expect_at(w, 1, one, 0, 10);
    assert_int_equal(world_verdict(w, late), LEDGER_LOST);
    assert_int_equal(win(w, late, STR("")), LEDGER_LOST); /* void */
    /* Another place of the same file is another place, too. */
    assert_int_equal(win(w, world_attempt(w, one, 1, 100, 150, none), claims_of(&a, 1, 110, 0, 0)), LEDGER_LOST);
    /* Converted again without the record it wins. */
    assert_int_equal(win(w, world_attempt(w, two, 0, 0, 50, none), claims_of(&a, 2, 5, 0, 0)), LEDGER_WON);
    expect_at(w, 2, two, 0, 5);
}

static void attempts_of_one_call_are_decided_in_order(struct world *w) {
    struct id one = world_file(w, 1), two = world_file(w, 2);
    struct claims a, b, c;
    struct ledger_advance asks[] = {world_advance(world_attempt(w, two, 0, 0, 50, none), 1),
                                    world_advance(world_attempt(w, one, 0, 0, 50, none), 1),
                                    world_advance(world_attempt(w, one, 1, 100, 150, none), 1)};
    enum ledger_decision out[3];
    asks[0].claims = claims_of(&a, 1, 10, 0, 0);
    asks[1].claims = claims_of(&b, 2, 0, 1, 10);
    asks[2].claims = claims_of(&c, 2, 110, 0, 0); /* the loser before it did not take it */
    WORLD_OK(w, ledger_advance(w->ledger, asks, 3, NULL, 0, out, &w->why));
    assert_int_equal(out[0], LEDGER_WON);
    assert_int_equal(out[1], LEDGER_LOST);
    assert_int_equal(out[2], LEDGER_WON);
    expect_at(w, 1, two, 0, 10);
    expect_at(w, 2, one, 1, 110);
}

static void a_loser_by_its_place_claims_nothing(struct world *w) {
    struct id file = world_file(w, 1);
    struct claims a;
    struct attempt first = world_attempt(w, file, 0, 0, 50, none), rival = world_attempt(w, file, 0, 0, 60, none);
    assert_int_equal(win(w, first, STR("")), LEDGER_WON);
    assert_int_equal(win(w, rival, claims_of(&a, 1, 10, 0, 0)), LEDGER_LOST);
    assert_false(stored(w, 1).found);
}

static void each_generation_has_its_own(struct world *w) {
    struct id one = world_file(w, 1), two = world_file(w, 2);
    struct claims a;
    assert_int_equal(win(w, world_attempt(w, one, 0, 0, 50, none), claims_of(&a, 1, 10, 0, 0)), LEDGER_WON);
    w->ledger.at.generation = 2;
    assert_false(stored(w, 1).found);
    assert_int_equal(win(w, world_attempt(w, two, 0, 0, 50, none), claims_of(&a, 1, 20, 0, 0)), LEDGER_WON);
    expect_at(w, 1, two, 0, 20);
    w->ledger.at.generation = 1;
    expect_at(w, 1, one, 0, 10);
    struct id after = none;
    for (bool done = false; !done;) WORLD_OK(w, ledger_forget(w->ledger, 1, &after, &done, &w->why));
    assert_false(stored(w, 1).found);
    w->ledger.at.generation = 2;
    expect_at(w, 1, two, 0, 20);
}

static void recovery_brings_claims_back_over_what_the_ledger_has(struct world *w) {
    struct id one = world_file(w, 1), two = world_file(w, 2), token = id_make(&w->rng);
    struct claims a, b;
    assert_int_equal(win(w, world_attempt(w, one, 0, 0, 50, none), claims_of(&a, 1, 10, 2, 20)), LEDGER_WON);
    struct ledger_winner given = {.attempt = world_attempt(w, two, 0, 0, 50, none),
                                  .facts = world_facts(2),
                                  .has_counts = true,
                                  .counts = {.lines = 1, .converted = 1, .records = 1},
                                  .messages = 1,
                                  .claims = claims_of(&b, 1, 30, 3, 40)};
    uint64_t target = 0, epoch = 0;
    WORLD_OK(w, ledger_recover_begin(w->ledger, (struct ledger_epochs){1, 0, 0}, token, &target, &w->why));
    for (int again = 0; again < 2; again++) WORLD_OK(w, ledger_recover_winners(w->ledger, token, &given, 1, &w->why));
    expect_at(w, 3, two, 0, 40); /* also in the middle: a repair asks then */
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    world_reopen(w);
    expect_at(w, 1, two, 0, 30);
    expect_at(w, 2, one, 0, 20);
    expect_at(w, 3, two, 0, 40);
    assert_int_equal(win(w, world_attempt(w, one, 1, 100, 150, none), claims_of(&a, 3, 110, 0, 0)), LEDGER_LOST);
}

static void claims_of_winners_that_fall_are_free_again(struct world *w) {
    struct id one = world_file(w, 1), two = world_file(w, 2), token = id_make(&w->rng);
    struct claims a;
    struct attempt first = world_attempt(w, one, 0, 0, 50, none), second = world_attempt(w, one, 0, 50, 90, first.id);
    assert_int_equal(win(w, first, claims_of(&a, 1, 10, 0, 0)), LEDGER_WON);
    assert_int_equal(win(w, second, claims_of(&a, 2, 60, 3, 70)), LEDGER_WON);
    assert_int_equal(world_durable(w, 0, 0, first, 1), RC_OK);
    uint64_t target = 0, epoch = 0;
    /* A seal of an epoch above the ledger's: what nothing proves falls. */
    WORLD_OK(w, ledger_recover_begin(w->ledger, (struct ledger_epochs){1, 3, 3}, token, &target, &w->why));
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    world_reopen(w);
    assert_int_equal(world_checkpoint(w, one, 0).at, 50);
    expect_at(w, 1, one, 0, 10);
    assert_false(stored(w, 2).found);
    assert_int_equal(win(w, world_attempt(w, two, 0, 0, 50, none), claims_of(&a, 2, 5, 3, 6)), LEDGER_WON);
}

static void no_snapshot_is_made_of_a_generation_that_has_claims(struct world *w) {
    struct id file = world_file(w, 1);
    struct claims a;
    struct ledger_save_ask some = {.files = 5, .stripes = 5};
    struct saved_file *files = NULL;
    size_t n = 0;
    assert_int_equal(win(w, world_attempt(w, file, 0, 0, 50, none), STR("")), LEDGER_WON);
    WORLD_OK(w, ledger_save(w->ledger, some, &w->arena, &files, &n, &w->why));
    assert_int_equal(n, 1);
    assert_int_equal(win(w, world_attempt(w, file, 1, 100, 150, none), claims_of(&a, 1, 100, 0, 0)), LEDGER_WON);
    assert_int_equal(ledger_save(w->ledger, some, &w->arena, &files, &n, &w->why), RC_ABSENT);
    assert_int_equal(ledger_save(w->ledger, (struct ledger_save_ask){0}, &w->arena, &files, &n, &w->why), RC_ABSENT);
    w->ledger.at.generation = 2;
    WORLD_OK(w, ledger_save(w->ledger, some, &w->arena, &files, &n, &w->why));
}

static const struct world_sentence sentences[] = {
    WORLD_SENTENCE(a_claim_is_stored_with_the_win_and_told_with_its_place),
    WORLD_SENTENCE(who_claims_what_another_place_keeps_loses_for_ever_and_leaves_nothing),
    WORLD_SENTENCE(attempts_of_one_call_are_decided_in_order),
    WORLD_SENTENCE(a_loser_by_its_place_claims_nothing),
    WORLD_SENTENCE(each_generation_has_its_own),
    WORLD_SENTENCE(recovery_brings_claims_back_over_what_the_ledger_has),
    WORLD_SENTENCE(claims_of_winners_that_fall_are_free_again),
    WORLD_SENTENCE(no_snapshot_is_made_of_a_generation_that_has_claims),
};

int main(void) { return world_run("claims", sentences, sizeof sentences / sizeof sentences[0]); }
