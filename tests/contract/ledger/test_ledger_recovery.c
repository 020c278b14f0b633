/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what ledger.h says of recovery holds on every adapter, also when the ledger is opened again in the middle.
 */
#include "ledger_world.h"

#include <string.h>

static const struct id none = {{0}};

static struct ledger_winner given(struct attempt attempt, uint32_t messages) {
    return (struct ledger_winner){.attempt = attempt,
                                  .facts = world_facts(1),
                                  .has_counts = true,
                                  .counts = {.lines = 1, .converted = 1, .records = 1},
                                  .tail_hash = attempt.to * 31,
                                  .messages = messages};
}

static struct id begin(struct world *w, uint64_t chains, uint64_t *out_target) {
    struct ledger_identity who;
    struct id token = id_make(&w->rng);
    WORLD_OK(w, ledger_identity(w->ledger, &who, &w->why));
    struct ledger_epochs seen = {who.epoch, chains, 0};
    WORLD_OK(w, ledger_recover_begin(w->ledger, seen, token, out_target, &w->why));
    return token;
}

static void while_somebody_recovers_everything_else_is_stale(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none);
    struct ledger_epochs wrong = {2, 0, 0};
    uint64_t target = 0;
    assert_int_equal(ledger_recover_begin(w->ledger, wrong, a.id, &target, &w->why), RC_STALE);
    struct id token = begin(w, 5, &target);
    assert_int_equal(target, 6); /* above the chains' */
    world_reopen(w);
    struct ledger_advance ask = world_advance(a, 1);
    enum ledger_decision decision;
    assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, &w->why), RC_STALE);
    uint64_t next;
    assert_int_equal(ledger_durable_next(w->ledger, 0, &next, &w->why), RC_STALE);
    struct ledger_identity who;
    WORLD_OK(w, ledger_identity(w->ledger, &who, &w->why));
    assert_true(who.recovering && who.epoch == 1 && who.target == 6);
    struct ledger_listing *list;
    size_t n;
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(n, 1);
    uint64_t epoch = 0;
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    assert_int_equal(epoch, 6);
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why)); /* the answer was lost */
    assert_int_equal(epoch, 6);
    assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, &w->why), RC_STALE);
    world_follow_epoch(w);
    assert_int_equal(w->ledger.at.epoch, 6);
    assert_int_equal(world_verdict(w, a), LEDGER_LOST); /* of an older epoch and no winner */
    assert_int_equal(world_win(w, ask), LEDGER_LOST);
}

static void a_second_recoverer_takes_over_and_the_first_is_stale(struct world *w) {
    struct id file = world_file(w, 1);
    uint64_t first_target, target, epoch;
    struct id first = begin(w, 0, &first_target);
    struct ledger_winner lost = given(world_attempt(w, file, 0, 0, 50, none), 1);
    WORLD_OK(w, ledger_recover_winners(w->ledger, first, &lost, 1, &w->why));
    struct id second = begin(w, 0, &target);
    assert_true(target > first_target); /* the first may have written barriers */
    assert_int_equal(ledger_recover_winners(w->ledger, first, &lost, 1, &w->why), RC_STALE);
    assert_int_equal(ledger_recover_reset_durable(w->ledger, first, &w->why), RC_STALE);
    assert_int_equal(ledger_recover_end(w->ledger, first, &epoch, &w->why), RC_STALE);
    WORLD_OK(w, ledger_recover_end(w->ledger, second, &epoch, &w->why));
    assert_int_equal(epoch, target);
    world_follow_epoch(w);
    assert_int_equal(world_checkpoint(w, file, 0).at, 0); /* what the first had given is forgotten */
}

static void an_empty_ledger_gets_files_and_winners_back(struct world *w) {
    struct id file = id_make(&w->rng);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 50, 100, a.id),
                   c = world_attempt(w, file, 1, 100, 150, none);
    a.epoch = b.epoch = c.epoch = 4;
    struct ledger_winner winners[] = {given(b, 2), given(c, 1), given(a, 1)};
    winners[1].closed = true;
    struct ledger_winner headless = given(a, 0); /* known by a block before its trailer was seen */
    headless.has_counts = false;
    uint64_t target, epoch;
    struct id token = begin(w, 4, &target);
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, winners, 3, &w->why));
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, &headless, 1, &w->why));
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, winners, 3, &w->why)); /* again */
    WORLD_OK(w, ledger_recover_reset_durable(w->ledger, token, &w->why));
    world_reopen(w);
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    struct ledger_file seen = world_lookup(w, 1);
    assert_true(seen.found && id_equal(seen.id, file));
    assert_int_equal(seen.reach, 150);
    assert_int_equal(seen.tail_hash, 150 * 31);
    assert_true(seen.closed && seen.closed_end == 150); /* the trailer said so */
    struct ledger_checkpoint at = world_checkpoint(w, file, 0);
    assert_int_equal(at.at, 100);
    assert_int_equal(at.counts.lines, 2);
    assert_true(id_equal(at.winner, b.id));
    assert_int_equal(world_verdict(w, a), LEDGER_WON);
    assert_int_equal(world_verdict(w, b), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 0, 0, a, 1));
    WORLD_OK(w, world_durable(w, 0, 1, b, 2));
    struct ledger_due *due;
    assert_int_equal(world_due(w, &due), 0);
    WORLD_OK(w, world_durable(w, 0, 2, c, 1));
    assert_int_equal(world_due(w, &due), 1);
    assert_int_equal(due->counts.lines, 3);
}

static void recovery_unites_winners_and_forgets_voids(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 50, 80, a.id);
    struct attempt idle = world_attempt(w, file, 1, 100, 120, none);
    assert_int_equal(world_win(w, world_advance(a, 2)), LEDGER_WON);
    assert_int_equal(world_void(w, b), LEDGER_LOST); /* the ledger was set back behind b's advance */
    assert_int_equal(world_void(w, idle), LEDGER_LOST);
    WORLD_OK(w, world_durable(w, 0, 0, a, 1));
    struct ledger_winner winner = given(b, 3);
    uint64_t target, epoch;
    struct id token = begin(w, 1, &target);
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, &winner, 1, &w->why));
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    world_reopen(w);
    assert_int_equal(world_checkpoint(w, file, 0).at, 80);
    assert_int_equal(world_checkpoint(w, file, 0).counts.lines, 2);
    assert_int_equal(world_verdict(w, a), LEDGER_WON);
    assert_int_equal(world_verdict(w, b), LEDGER_WON);
    struct attempt fresh = world_attempt(w, file, 1, 100, 120, none);
    struct ledger_verdict verdict;
    WORLD_OK(w, ledger_verdicts(w->ledger, &fresh, 1, &verdict, &w->why));
    assert_int_equal(verdict.voids, 0);
    struct ledger_listing *list;
    size_t n;
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(list->outstanding, 1 + 3); /* nothing was reset */
    uint64_t next;
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
    assert_int_equal(next, 1);
}

static void a_seal_is_trusted_over_an_acknowledged_advance(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt mine = world_attempt(w, file, 0, 0, 30, none), next = world_attempt(w, file, 0, 30, 60, mine.id),
                   sealed = world_attempt(w, file, 0, 0, 50, none);
    assert_int_equal(world_win(w, world_advance(mine, 1)), LEDGER_WON);
    assert_int_equal(world_win(w, world_advance(next, 1)), LEDGER_WON);
    struct ledger_winner winner = given(sealed, 1);
    uint64_t target, epoch;
    struct id token = begin(w, 1, &target);
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, &winner, 1, &w->why));
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    struct ledger_checkpoint at = world_checkpoint(w, file, 0);
    assert_int_equal(at.at, 50);
    assert_true(id_equal(at.winner, sealed.id));
    assert_int_equal(at.counts.lines, 1);
    assert_int_equal(world_verdict(w, mine), LEDGER_LOST);
    assert_int_equal(world_verdict(w, next), LEDGER_LOST);
    assert_int_equal(world_lookup(w, 1).reach, 50);
}

static void winners_that_another_recovery_may_have_lost_stand_only_where_something_proves_them(struct world *w) {
    struct id file = world_file(w, 1), idle = world_file(w, 2);
    struct attempt a = world_attempt(w, file, 0, 0, 10, none), b = world_attempt(w, file, 0, 10, 20, a.id),
                   c = world_attempt(w, file, 0, 20, 30, b.id), x = world_attempt(w, file, 1, 100, 120, none),
                   y = world_attempt(w, file, 1, 120, 130, x.id), z = world_attempt(w, idle, 0, 0, 40, none);
    struct attempt *wins[] = {&a, &b, &c, &x, &y, &z};
    for (size_t i = 0; i < 6; i++) assert_int_equal(world_win(w, world_advance(*wins[i], 2)), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 0, 0, b, 1)); /* so a, before it, is sealed or can be found */
    struct ledger_winner winner = given(x, 2);
    struct ledger_identity who;
    struct id token = id_make(&w->rng);
    uint64_t target, epoch;
    WORLD_OK(w, ledger_identity(w->ledger, &who, &w->why));
    struct ledger_epochs seen = {who.epoch, 5, 4};
    WORLD_OK(w, ledger_recover_begin(w->ledger, seen, token, &target, &w->why));
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, &winner, 1, &w->why));
    world_reopen(w);
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    enum ledger_decision expect[] = {LEDGER_WON, LEDGER_WON, LEDGER_LOST, LEDGER_WON, LEDGER_LOST, LEDGER_LOST};
    for (size_t i = 0; i < 6; i++) assert_int_equal(world_verdict(w, *wins[i]), expect[i]);
    assert_int_equal(world_checkpoint(w, file, 0).at, 20);
    assert_int_equal(world_checkpoint(w, file, 0).counts.lines, 2);
    assert_int_equal(world_checkpoint(w, file, 1).at, 120);
    assert_int_equal(world_checkpoint(w, idle, 0).at, 0);
    assert_int_equal(world_lookup(w, 1).reach, 120);
    assert_int_equal(world_lookup(w, 2).reach, 0);
}

static void recovery_stops_at_a_gap_until_somebody_fills_it(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 30, none), lost = world_attempt(w, file, 0, 30, 60, a.id),
                   c = world_attempt(w, file, 0, 60, 90, lost.id);
    struct ledger_winner winners[] = {given(a, 1), given(c, 1), given(lost, 1)};
    uint64_t target, epoch = 0;
    struct id token = begin(w, 1, &target);
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, winners, 2, &w->why));
    assert_int_equal(ledger_recover_end(w->ledger, token, &epoch, &w->why), RC_BROKEN);
    assert_non_null(strstr(w->why.text, "[30, 60)"));
    assert_int_equal(epoch, 0);
    world_reopen(w);
    winners[2].has_counts = false;
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, &winners[2], 1, &w->why));
    assert_int_equal(ledger_recover_end(w->ledger, token, &epoch, &w->why), RC_BROKEN);
    assert_non_null(strstr(w->why.text, "trailer"));
    winners[2].has_counts = true;
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, &winners[2], 1, &w->why));
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    assert_int_equal(world_checkpoint(w, file, 0).at, 90);
}

static void a_recoverer_learns_from_which_batch_on_the_ledger_knows_nothing(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none);
    uint64_t target, index = 9, epoch;
    assert_int_equal(world_win(w, world_advance(a, 2)), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 1, 0, a, 1));
    WORLD_OK(w, world_durable(w, 1, 1, a, 1));
    assert_int_equal(ledger_recover_next(w->ledger, a.id, 1, &index, &w->why), RC_STALE); /* nobody recovers */
    struct id token = begin(w, 1, &target);
    assert_int_equal(ledger_recover_next(w->ledger, a.id, 1, &index, &w->why), RC_STALE);
    assert_int_equal(index, 9);
    WORLD_OK(w, ledger_recover_next(w->ledger, token, 1, &index, &w->why));
    assert_int_equal(index, 2);
    WORLD_OK(w, ledger_recover_next(w->ledger, token, 0, &index, &w->why));
    assert_int_equal(index, 0);
    w->ledger.at.generation = 2;
    WORLD_OK(w, ledger_recover_next(w->ledger, token, 1, &index, &w->why));
    assert_int_equal(index, 0);
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
}

static void two_winners_of_one_place_are_broken(struct world *w) {
    struct id file = world_file(w, 1);
    struct ledger_winner winners[] = {given(world_attempt(w, file, 0, 0, 30, none), 1),
                                      given(world_attempt(w, file, 0, 0, 40, none), 1)};
    uint64_t target, epoch;
    struct id token = begin(w, 1, &target);
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, winners, 2, &w->why));
    assert_int_equal(ledger_recover_end(w->ledger, token, &epoch, &w->why), RC_BROKEN);
    assert_non_null(strstr(w->why.text, "overlap"));
}

static void resetting_durable_lets_batches_be_told_again(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 50, 80, a.id);
    assert_int_equal(world_close(w, file, 80, false), RC_OK);
    assert_int_equal(world_win(w, world_advance(a, 2)), LEDGER_WON);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 0, 0, a, 2));
    WORLD_OK(w, world_durable(w, 0, 1, b, 1)); /* all durable: a is forgotten */
    struct ledger_winner winners[] = {given(a, 2), given(b, 1)};
    uint64_t target, epoch, next;
    struct id token = begin(w, 1, &target);
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, winners, 2, &w->why));
    WORLD_OK(w, ledger_recover_reset_durable(w->ledger, token, &w->why));
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
    assert_int_equal(next, 0);
    struct ledger_due *due;
    assert_int_equal(world_due(w, &due), 0);
    assert_int_equal(world_checkpoint(w, file, 0).counts.lines, 2);
    WORLD_OK(w, world_durable(w, 0, 0, a, 2));
    assert_int_equal(world_due(w, &due), 0);
    WORLD_OK(w, world_durable(w, 0, 1, b, 1));
    assert_int_equal(world_due(w, &due), 1);
    assert_int_equal(due->batches_len, 2);
    assert_int_equal(due->counts.lines, 2);
}

static void restored_incarnations_of_a_key_are_offered_one_by_one(struct world *w) {
    struct id files[3];
    uint64_t target, epoch;
    struct id token = begin(w, 1, &target);
    for (int i = 0; i < 3; i++) {
        files[i] = id_make(&w->rng);
        struct ledger_winner winner = given(world_attempt(w, files[i], 0, 0, 50, none), 1);
        winner.facts.prefix_hash = (uint64_t)i;
        WORLD_OK(w, ledger_recover_winners(w->ledger, token, &winner, 1, &w->why));
    }
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    unsigned seen = 0;
    for (int i = 0; i < 3; i++) {
        struct ledger_file file = world_lookup(w, 1);
        for (unsigned k = 0; k < 3; k++)
            if (id_equal(file.id, files[k])) seen |= 1u << k;
        struct ledger_enroll ask = {id_make(&w->rng), world_facts(1), file.version};
        enum rc answer;
        WORLD_OK(w, ledger_enroll(w->ledger, &ask, 1, &answer, &w->why));
        assert_int_equal(answer, i < 2 ? RC_STALE : RC_OK);
        world_reopen(w);
    }
    assert_int_equal(seen, 7);
}

static const struct world_sentence sentences[] = {
    WORLD_SENTENCE(while_somebody_recovers_everything_else_is_stale),
    WORLD_SENTENCE(a_second_recoverer_takes_over_and_the_first_is_stale),
    WORLD_SENTENCE(an_empty_ledger_gets_files_and_winners_back),
    WORLD_SENTENCE(recovery_unites_winners_and_forgets_voids),
    WORLD_SENTENCE(a_seal_is_trusted_over_an_acknowledged_advance),
    WORLD_SENTENCE(winners_that_another_recovery_may_have_lost_stand_only_where_something_proves_them),
    WORLD_SENTENCE(recovery_stops_at_a_gap_until_somebody_fills_it),
    WORLD_SENTENCE(a_recoverer_learns_from_which_batch_on_the_ledger_knows_nothing),
    WORLD_SENTENCE(two_winners_of_one_place_are_broken),
    WORLD_SENTENCE(resetting_durable_lets_batches_be_told_again),
    WORLD_SENTENCE(restored_incarnations_of_a_key_are_offered_one_by_one),
};

int main(void) { return world_run("ledger recovery", sentences, sizeof sentences / sizeof sentences[0]); }
