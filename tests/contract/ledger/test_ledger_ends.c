/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a closed end is a line start for ever and for everybody, and nobody invents one: what ledger.h says of
 * closing, of attempts across an end, of files that another incarnation took the key of, and of ends that a recovery
 * gives back, holds on every adapter. */
#include "ledger_world.h"

static const struct id none = {{0}};

/* Enrolls another incarnation under the key of file 1. */
static void replace_file(struct world *w) {
    struct ledger_enroll ask = {id_make(&w->rng), world_facts(1), world_lookup(w, 1).version};
    enum rc answer;
    WORLD_OK(w, ledger_enroll(w->ledger, &ask, 1, &answer, &w->why));
    assert_int_equal(answer, RC_OK);
    world_reopen(w);
}

static void expect_gone(struct world *w, struct id file, bool closed, uint64_t end) {
    struct ledger_listing *gone = world_listing(w, file);
    assert_true(gone->gone);
    assert_int_equal(gone->closed, closed);
    if (closed) assert_int_equal(gone->closed_end, end);
}

static void a_newer_incarnation_closes_the_older_as_gone_at_its_reach(struct world *w) {
    struct id old = world_file(w, 1);
    struct attempt a = world_attempt(w, old, 0, 0, 70, none);
    assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_WON);
    struct ledger_file seen = world_lookup(w, 1);
    assert_int_equal(seen.reach, 70);
    assert_int_equal(seen.tail_hash, 70 * 31);
    struct ledger_enroll ask = {id_make(&w->rng), world_facts(1), seen.version};
    enum rc answer;
    WORLD_OK(w, ledger_enroll(w->ledger, &ask, 1, &answer, &w->why));
    assert_int_equal(answer, RC_OK);
    world_reopen(w);
    seen = world_lookup(w, 1);
    assert_true(id_equal(seen.id, ask.id));
    assert_false(seen.closed);
    WORLD_OK(w, world_durable(w, 0, 0, a, 1));
    struct ledger_due *due;
    assert_int_equal(world_due(w, &due), 1);
    assert_true(id_equal(due->file, old));
    assert_int_equal(due->end, 70);
}

static void a_reach_that_may_lie_inside_a_line_is_no_closed_end(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt first = world_attempt(w, file, 0, 0, 70, none), later = world_attempt(w, file, 1, 100, 200, none);
    assert_int_equal(world_win(w, world_advance(first, 1)), LEDGER_WON);
    assert_int_equal(world_win(w, world_advance(later, 1)), LEDGER_WON); /* a range without lines, to the border */
    replace_file(w);
    expect_gone(w, file, false, 0);
    struct ledger_checkpoint at = world_checkpoint(w, file, 0);
    assert_int_equal(at.ends_total, 0);
    struct attempt late = world_attempt(w, file, 0, 70, 230, first.id); /* who can still read it may go on */
    assert_int_equal(world_win(w, world_advance(late, 1)), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 0, 0, first, 1));
    WORLD_OK(w, world_durable(w, 0, 1, late, 1));
    WORLD_OK(w, world_durable(w, 0, 2, later, 1));
    struct ledger_due *due;
    assert_int_equal(world_due(w, &due), 0);
}

static void ends_of_a_gone_file_stay_where_its_reach_is_none(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 1, 100, 130, none);
    assert_int_equal(world_close(w, file, 50, false), RC_OK);
    assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_WON);
    struct ledger_advance grown = world_advance(b, 1); /* of stripe 0 something is left */
    grown.ends_seen = 1;
    assert_int_equal(world_win(w, grown), LEDGER_WON);
    replace_file(w);
    expect_gone(w, file, true, 50);
    assert_int_equal(world_checkpoint(w, file, 0).ends_total, 1);
}

static void the_reach_of_another_generation_forbids_an_end_before_it(struct world *w) {
    struct id file = world_file(w, 1);
    assert_int_equal(world_win(w, world_advance(world_attempt(w, file, 0, 0, 90, none), 1)), LEDGER_WON);
    w->ledger.at.generation = 2;
    assert_int_equal(world_win(w, world_advance(world_attempt(w, file, 0, 0, 30, none), 1)), LEDGER_WON);
    replace_file(w);
    expect_gone(w, file, false, 0);
    struct id unread = world_file(w, 2);
    struct ledger_enroll ask = {id_make(&w->rng), world_facts(2), world_lookup(w, 2).version};
    enum rc answer;
    WORLD_OK(w, ledger_enroll(w->ledger, &ask, 1, &answer, &w->why));
    expect_gone(w, unread, false, 0); /* nothing of it was converted: nobody knows an end */
}

static void a_closed_end_is_kept_and_below_nothing_that_is_known(struct world *w) {
    struct id file = world_file(w, 1);
    assert_int_equal(world_close(w, file, 50, false), RC_OK);
    assert_int_equal(world_close(w, file, 50, false), RC_OK);
    assert_int_equal(world_close(w, file, 49, false), RC_STALE);
    assert_int_equal(world_close(w, file, 80, true), RC_OK);
    assert_int_equal(world_close(w, file, 80, false), RC_OK);
    world_reopen(w);
    struct ledger_file seen = world_lookup(w, 1);
    assert_true(seen.closed && seen.gone);
    assert_int_equal(seen.closed_end, 80);
    struct ledger_checkpoint at = world_checkpoint(w, file, 0);
    assert_int_equal(at.ends_total, 2);
    assert_int_equal(at.ends_len, 2);
    assert_int_equal(at.ends[0], 50);
    assert_int_equal(at.ends[1], 80);
    struct ledger_advance ask = world_advance(world_attempt(w, file, 0, 0, 60, none), 1);
    ask.ends_seen = 2;
    assert_int_equal(world_win(w, ask), LEDGER_WON);
    at = world_checkpoint(w, file, 0);
    assert_int_equal(at.ends_len, 1); /* those at or behind the checkpoint */
    assert_int_equal(at.ends[0], 80);
    assert_int_equal(at.ends_total, 2);
    struct id grown = world_file(w, 2);
    assert_int_equal(world_win(w, world_advance(world_attempt(w, grown, 0, 0, 60, none), 1)), LEDGER_WON);
    w->ledger.at.generation = 2; /* of any generation */
    assert_int_equal(world_close(w, grown, 59, false), RC_STALE);
    assert_int_equal(world_close(w, grown, 60, false), RC_OK);
}

static void an_attempt_across_an_end_that_it_did_not_see_loses(struct world *w) {
    struct id file = world_file(w, 1);
    struct ledger_advance across = world_advance(world_attempt(w, file, 0, 0, 60, none), 1);
    struct ledger_advance until = world_advance(world_attempt(w, file, 0, 0, 50, none), 1);
    across.ends_seen = until.ends_seen = 0;
    assert_int_equal(world_close(w, file, 50, false), RC_OK);
    assert_int_equal(world_win(w, across), LEDGER_LOST);
    assert_int_equal(world_verdict(w, across.attempt), LEDGER_LOST);
    until.closed = true;
    assert_int_equal(world_win(w, until), LEDGER_WON);
    across.ends_seen = 1; /* it lost: for ever */
    assert_int_equal(world_win(w, across), LEDGER_LOST);
}

static void an_attempt_that_says_closed_needs_the_end(struct world *w) {
    struct id file = world_file(w, 1);
    struct ledger_advance ask = world_advance(world_attempt(w, file, 0, 0, 60, none), 1);
    ask.closed = true;
    assert_int_equal(world_win(w, ask), LEDGER_LOST);
    assert_int_equal(world_close(w, file, 60, false), RC_OK);
    assert_int_equal(world_close(w, file, 90, false), RC_OK);
    ask.attempt.id = id_make(&w->rng);
    assert_int_equal(world_win(w, ask), LEDGER_WON); /* an older end is one, too */
}

static void recovery_restores_the_closed_ends_that_winners_tell(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 1, 100, 160, none), b = world_attempt(w, file, 0, 0, 50, none);
    struct ledger_winner winners[] = {{.attempt = a, .messages = 1}, {.attempt = b, .messages = 1}};
    struct ledger_identity who;
    struct id token = id_make(&w->rng);
    for (int i = 0; i < 2; i++) {
        winners[i].facts = world_facts(1);
        winners[i].has_counts = true;
        winners[i].counts = (struct counts){.lines = 1, .converted = 1, .records = 1};
    }
    winners[0].first_end = 120; /* a line starts there; the line before it was not converted yet */
    uint64_t target, epoch;
    WORLD_OK(w, ledger_identity(w->ledger, &who, &w->why));
    WORLD_OK(w, ledger_recover_begin(w->ledger, (struct ledger_epochs){who.epoch, 4, 0}, token, &target, &w->why));
    WORLD_OK(w, ledger_recover_winners(w->ledger, token, winners, 2, &w->why));
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    world_follow_epoch(w);
    world_reopen(w);
    struct ledger_checkpoint at = world_checkpoint(w, file, 0);
    assert_int_equal(at.ends_total, 1);
    assert_int_equal(at.ends_len, 1);
    assert_int_equal(at.ends[0], 120);
    struct ledger_advance across = world_advance(world_attempt(w, file, 0, 50, 160, b.id), 1);
    across.ends_seen = 0;
    assert_int_equal(world_win(w, across), LEDGER_LOST);
    struct ledger_advance until = world_advance(world_attempt(w, file, 0, 50, 120, b.id), 1);
    until.ends_seen = 1;
    until.closed = true;
    assert_int_equal(world_win(w, until), LEDGER_WON);
}

static const struct world_sentence sentences[] = {
    WORLD_SENTENCE(a_newer_incarnation_closes_the_older_as_gone_at_its_reach),
    WORLD_SENTENCE(a_reach_that_may_lie_inside_a_line_is_no_closed_end),
    WORLD_SENTENCE(ends_of_a_gone_file_stay_where_its_reach_is_none),
    WORLD_SENTENCE(the_reach_of_another_generation_forbids_an_end_before_it),
    WORLD_SENTENCE(a_closed_end_is_kept_and_below_nothing_that_is_known),
    WORLD_SENTENCE(an_attempt_across_an_end_that_it_did_not_see_loses),
    WORLD_SENTENCE(an_attempt_that_says_closed_needs_the_end),
    WORLD_SENTENCE(recovery_restores_the_closed_ends_that_winners_tell),
};

int main(void) { return world_run("closed ends", sentences, sizeof sentences / sizeof sentences[0]); }
