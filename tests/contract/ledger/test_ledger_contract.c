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

/* ---- epoch and arguments ---- */

static void another_epoch_is_stale_and_does_nothing(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none);
    struct ledger_advance ask = world_advance(a, 1);
    struct ledger old = w->ledger;
    enum ledger_decision decision = LEDGER_UNDECIDED;
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        if (epoch == 1) continue;
        old.at.epoch = epoch;
        assert_int_equal(ledger_advance(old, &ask, 1, NULL, 0, &decision, &w->why), RC_STALE);
        assert_int_equal(decision, LEDGER_UNDECIDED); /* outputs are written on success only */
        struct ledger_close end = {file, 10, false};
        enum rc answer = RC_BUSY;
        assert_int_equal(ledger_close_files(old, &end, 1, &answer, &w->why), RC_STALE);
        assert_int_equal(answer, RC_BUSY);
        struct ledger_key key = world_key(1);
        struct ledger_file found;
        assert_int_equal(ledger_lookup(old, &key, 1, &w->arena, &found, &w->why), RC_STALE);
    }
    assert_int_equal(world_checkpoint(w, file, 0).at, 0);
    assert_false(world_lookup(w, 1).closed);
}

static void calls_without_elements_are_ok(struct world *w) {
    WORLD_OK(w, ledger_lookup(w->ledger, NULL, 0, &w->arena, NULL, &w->why));
    WORLD_OK(w, ledger_enroll(w->ledger, NULL, 0, NULL, &w->why));
    WORLD_OK(w, ledger_amend(w->ledger, NULL, 0, NULL, &w->why));
    WORLD_OK(w, ledger_close_files(w->ledger, NULL, 0, NULL, &w->why));
    WORLD_OK(w, ledger_checkpoints(w->ledger, NULL, 0, &w->arena, NULL, &w->why));
    WORLD_OK(w, ledger_advance(w->ledger, NULL, 0, NULL, 0, NULL, &w->why));
    WORLD_OK(w, ledger_verdicts(w->ledger, NULL, 0, NULL, &w->why));
    WORLD_OK(w, ledger_voids(w->ledger, NULL, 0, NULL, &w->why));
    WORLD_OK(w, ledger_receipted(w->ledger, NULL, 0, &w->why));
}

static void a_failing_element_undoes_the_whole_call(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none);
    struct attempt stranger = world_attempt(w, id_make(&w->rng), 0, 0, 50, none);
    struct ledger_advance asks[] = {world_advance(a, 1), world_advance(stranger, 1)};
    enum ledger_decision out[2] = {LEDGER_UNDECIDED, LEDGER_UNDECIDED};
    struct ledger_acknowledged ack = {0, 77};
    assert_int_equal(ledger_advance(w->ledger, asks, 2, &ack, 1, out, &w->why), RC_ABSENT);
    assert_non_null(strstr(w->why.text, "does not know file"));
    assert_int_equal(out[0], LEDGER_UNDECIDED);
    assert_int_equal(world_checkpoint(w, file, 0).at, 0);
    uint64_t end = 1;
    WORLD_OK(w, ledger_acknowledged(w->ledger, 0, &end, &w->why));
    assert_int_equal(end, 0);
}

static void an_unknown_file_is_absent_everywhere(struct world *w) {
    struct id stranger = id_make(&w->rng);
    struct attempt a = world_attempt(w, stranger, 0, 0, 50, none);
    struct ledger_verdict verdict;
    struct ledger_stripe_listing *stripes;
    uint32_t failures;
    size_t n;
    assert_false(world_lookup(w, 9).found);
    assert_false(world_checkpoint(w, stranger, 0).found);
    assert_int_equal(world_close(w, stranger, 5, false), RC_ABSENT);
    assert_int_equal(ledger_verdicts(w->ledger, &a, 1, &verdict, &w->why), RC_ABSENT);
    assert_int_equal(ledger_voids(w->ledger, &a, 1, &verdict, &w->why), RC_ABSENT);
    assert_int_equal(world_durable(w, 0, 0, a, 1), RC_ABSENT);
    struct ledger_close receipt = {stranger, 5, false};
    assert_int_equal(ledger_receipted(w->ledger, &receipt, 1, &w->why), RC_ABSENT);
    assert_int_equal(ledger_job_failed(w->ledger, (struct ledger_stripe){stranger, 0}, STR("x"), 3, &failures, &w->why),
                     RC_ABSENT);
    assert_int_equal(ledger_list_stripes(w->ledger, stranger, &w->arena, &stripes, &n, &w->why), RC_ABSENT);
    struct ledger_amend amend = {.file = stranger};
    enum rc answer;
    WORLD_OK(w, ledger_amend(w->ledger, &amend, 1, &answer, &w->why));
    assert_int_equal(answer, RC_ABSENT);
}

static void what_no_correct_caller_gives_is_bad(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt good = world_attempt(w, file, 1, 100, 150, none);
    struct attempt bad[] = {good, good, good, good, good, good, good};
    bad[0].id = none;
    bad[1].generation = 2;
    bad[2].to = 100;
    bad[3].from = 99;
    bad[4].to = 1ull << 63;
    bad[5].stripe = UINT64_MAX / 2;
    bad[6].predecessor = bad[6].id;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ledger_advance ask = world_advance(bad[i], 1);
        struct ledger_verdict verdict;
        enum ledger_decision decision;
        assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, &w->why), RC_BAD);
        assert_int_equal(ledger_verdicts(w->ledger, &bad[i], 1, &verdict, &w->why), RC_BAD);
        assert_int_equal(ledger_voids(w->ledger, &bad[i], 1, &verdict, &w->why), RC_BAD);
    }
    struct ledger_advance ask = world_advance(good, 0);
    enum ledger_decision decision;
    assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, &w->why), RC_BAD);
    ask.messages = 1;
    ask.counts.rejects = 1; /* one line became two things */
    assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, &w->why), RC_BAD);
    assert_int_equal(world_checkpoint(w, file, 1).at, 100);
}

static void an_attempt_of_an_epoch_to_come_means_that_the_ledger_was_set_back(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none);
    a.epoch = 2;
    struct ledger_verdict verdict;
    assert_int_equal(ledger_verdicts(w->ledger, &a, 1, &verdict, &w->why), RC_BROKEN);
    assert_non_null(strstr(w->why.text, "recovered"));
}

/* ---- identity ---- */

static void enrolling_is_compare_and_set_on_the_version_seen(struct world *w) {
    struct ledger_enroll asks[] = {{id_make(&w->rng), world_facts(1), 0}, {id_make(&w->rng), world_facts(1), 0}};
    enum rc out[2];
    WORLD_OK(w, ledger_enroll(w->ledger, asks, 2, out, &w->why));
    assert_int_equal(out[0], RC_OK);
    assert_int_equal(out[1], RC_STALE); /* the first one of the same call was faster */
    world_reopen(w);
    struct ledger_file file = world_lookup(w, 1);
    assert_true(file.found && id_equal(file.id, asks[0].id));
    assert_int_equal(file.stripe_bytes, 100);
    assert_int_equal(file.prefix_len, 10);
    assert_true(file.prefix_hash == asks[0].facts.prefix_hash);
    assert_true(str_equal(file.uri, asks[0].facts.uri));
    assert_int_equal(file.reach, 0);
    assert_false(file.closed || file.gone || file.receipted);
    WORLD_OK(w, ledger_enroll(w->ledger, asks, 1, out, &w->why)); /* asked again: the answer was lost */
    assert_int_equal(out[0], RC_OK);
    asks[0].facts.inode++;
    WORLD_OK(w, ledger_enroll(w->ledger, asks, 1, out, &w->why));
    assert_int_equal(out[0], RC_BAD);
}

static void keys_differ_by_source_inode_birth_and_volume(struct world *w) {
    struct id file = world_file(w, 1);
    struct ledger_key keys[5];
    for (int i = 0; i < 5; i++) keys[i] = world_key(1);
    keys[1].source = STR("other");
    keys[2].inode++;
    keys[3].birth_ns = -5;
    keys[4].volume = UINT64_MAX;
    struct ledger_file out[5];
    WORLD_OK(w, ledger_lookup(w->ledger, keys, 5, &w->arena, out, &w->why));
    assert_true(out[0].found && id_equal(out[0].id, file));
    for (int i = 1; i < 5; i++) assert_false(out[i].found);
    struct ledger_enroll ask = {id_make(&w->rng), world_facts(1), 0};
    ask.facts.inode = UINT64_MAX;
    ask.facts.birth_ns = INT64_MIN;
    ask.facts.volume = UINT64_MAX;
    ask.facts.prefix_hash = UINT64_MAX;
    enum rc answer;
    WORLD_OK(w, ledger_enroll(w->ledger, &ask, 1, &answer, &w->why));
    struct ledger_key key = {ask.facts.source, UINT64_MAX, INT64_MIN, UINT64_MAX};
    WORLD_OK(w, ledger_lookup(w->ledger, &key, 1, &w->arena, out, &w->why));
    assert_true(out[0].found && id_equal(out[0].id, ask.id) && out[0].prefix_hash == UINT64_MAX);
}

static void an_amendment_changes_name_and_prefix_and_version(struct world *w) {
    struct id file = world_file(w, 1);
    uint64_t version = world_lookup(w, 1).version;
    struct ledger_amend ask = {file, version, STR("file:///b.log"), 20, 777};
    enum rc answer;
    for (int again = 0; again < 2; again++) {
        WORLD_OK(w, ledger_amend(w->ledger, &ask, 1, &answer, &w->why));
        assert_int_equal(answer, RC_OK);
        world_reopen(w);
    }
    struct ledger_file seen = world_lookup(w, 1);
    assert_true(seen.version != version && str_equal(seen.uri, ask.uri));
    assert_int_equal(seen.prefix_len, 20);
    assert_int_equal(seen.prefix_hash, 777);
    ask.uri = STR("file:///c.log");
    WORLD_OK(w, ledger_amend(w->ledger, &ask, 1, &answer, &w->why));
    assert_int_equal(answer, RC_STALE);
    ask.seen_version = seen.version;
    ask.prefix_len = 19;
    WORLD_OK(w, ledger_amend(w->ledger, &ask, 1, &answer, &w->why));
    assert_int_equal(answer, RC_BAD);
    ask.prefix_len = 20;
    ask.prefix_hash = 778;
    WORLD_OK(w, ledger_amend(w->ledger, &ask, 1, &answer, &w->why));
    assert_int_equal(answer, RC_BAD);
    struct ledger_enroll newer = {id_make(&w->rng), world_facts(1), seen.version};
    WORLD_OK(w, ledger_enroll(w->ledger, &newer, 1, &answer, &w->why));
    assert_int_equal(answer, RC_OK);
    ask.prefix_hash = 777;
    WORLD_OK(w, ledger_amend(w->ledger, &ask, 1, &answer, &w->why));
    assert_int_equal(answer, RC_STALE); /* it is not the newest any more */
}

static void reach_is_of_the_generation_else_of_any(struct world *w) {
    struct id file = world_file(w, 1);
    assert_int_equal(world_win(w, world_advance(world_attempt(w, file, 0, 0, 70, none), 1)), LEDGER_WON);
    w->ledger.at.generation = 2;
    assert_int_equal(world_lookup(w, 1).reach, 70);
    assert_int_equal(world_checkpoint(w, file, 0).at, 0);
    assert_int_equal(world_win(w, world_advance(world_attempt(w, file, 0, 0, 30, none), 1)), LEDGER_WON);
    assert_int_equal(world_lookup(w, 1).reach, 30);
    w->ledger.at.generation = 1;
    assert_int_equal(world_lookup(w, 1).reach, 70);
}

/* ---- advance, verdict, void ---- */

static void one_attempt_wins_at_a_place_and_keeps_having_won(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 0, 60, none);
    assert_int_equal(world_verdict(w, a), LEDGER_UNDECIDED);
    assert_int_equal(world_win(w, world_advance(a, 3)), LEDGER_WON);
    assert_int_equal(world_win(w, world_advance(b, 3)), LEDGER_LOST);
    for (int again = 0; again < 2; again++) {
        world_reopen(w);
        assert_int_equal(world_win(w, world_advance(a, 3)), LEDGER_WON);
        assert_int_equal(world_win(w, world_advance(b, 3)), LEDGER_LOST);
        assert_int_equal(world_verdict(w, a), LEDGER_WON);
        assert_int_equal(world_verdict(w, b), LEDGER_LOST);
        assert_int_equal(world_void(w, a), LEDGER_WON); /* a winner stays one */
    }
    struct ledger_checkpoint at = world_checkpoint(w, file, 0);
    assert_true(at.found && id_equal(at.winner, a.id));
    assert_int_equal(at.at, 50);
    assert_int_equal(at.counts.lines, 1); /* asking again added nothing */
    assert_int_equal(at.tail_hash, 50 * 31);
    assert_int_equal(world_checkpoint(w, file, 1).at, 100);
    assert_true(id_is_none(world_checkpoint(w, file, 1).winner));
}

static void an_attempt_wins_only_behind_its_predecessor(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), other = world_attempt(w, file, 0, 0, 50, none);
    struct attempt b = world_attempt(w, file, 0, 50, 80, other.id), c = world_attempt(w, file, 0, 50, 90, none),
                   d = world_attempt(w, file, 0, 50, 99, a.id);
    assert_int_equal(world_verdict(w, d), LEDGER_UNDECIDED); /* the checkpoint is not there yet */
    assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_WON);
    assert_int_equal(world_verdict(w, b), LEDGER_LOST);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_LOST);
    assert_int_equal(world_win(w, world_advance(c, 1)), LEDGER_LOST);
    assert_int_equal(world_win(w, world_advance(d, 1)), LEDGER_WON);
    struct attempt first = world_attempt(w, file, 1, 100, 150, a.id); /* a stripe's first has none */
    assert_int_equal(world_win(w, world_advance(first, 1)), LEDGER_LOST);
}

static void an_attempt_before_its_turn_loses_for_ever(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 50, 80, a.id);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_LOST);
    assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_WON);
    world_reopen(w);
    assert_int_equal(world_verdict(w, b), LEDGER_LOST);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_LOST);
}

static void one_call_decides_in_order(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 50, 80, a.id),
                   x = world_attempt(w, file, 0, 50, 99, a.id);
    struct ledger_advance asks[] = {world_advance(a, 1), world_advance(b, 1), world_advance(x, 1), world_advance(a, 1)};
    struct ledger_acknowledged acks[] = {{3, 10}, {3, 7}, {4, 1}};
    enum ledger_decision out[4];
    WORLD_OK(w, ledger_advance(w->ledger, asks, 4, acks, 3, out, &w->why));
    assert_int_equal(out[0], LEDGER_WON);
    assert_int_equal(out[1], LEDGER_WON);
    assert_int_equal(out[2], LEDGER_LOST);
    assert_int_equal(out[3], LEDGER_WON);
    world_reopen(w);
    uint64_t end;
    WORLD_OK(w, ledger_acknowledged(w->ledger, 3, &end, &w->why));
    assert_int_equal(end, 10); /* ends are raised, never lowered */
    WORLD_OK(w, ledger_acknowledged(w->ledger, 5, &end, &w->why));
    assert_int_equal(end, 0);
    w->ledger.at.generation = 2;
    WORLD_OK(w, ledger_acknowledged(w->ledger, 3, &end, &w->why));
    assert_int_equal(end, 0); /* another topic */
}

static void a_void_attempt_never_wins(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 0, 50, none),
                   after = world_attempt(w, file, 0, 50, 60, a.id);
    struct ledger_verdict verdict;
    WORLD_OK(w, ledger_voids(w->ledger, &a, 1, &verdict, &w->why));
    assert_int_equal(verdict.decision, LEDGER_LOST);
    assert_int_equal(verdict.voids, 1);
    WORLD_OK(w, ledger_voids(w->ledger, &a, 1, &verdict, &w->why)); /* again: the same */
    assert_int_equal(verdict.voids, 1);
    world_reopen(w);
    assert_int_equal(world_verdict(w, after), LEDGER_LOST); /* its predecessor is void */
    assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_LOST);
    WORLD_OK(w, ledger_verdicts(w->ledger, &b, 1, &verdict, &w->why));
    assert_int_equal(verdict.decision, LEDGER_UNDECIDED);
    assert_int_equal(verdict.voids, 1); /* at the same place: the next void waits twice as long */
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_WON);
    WORLD_OK(w, ledger_verdicts(w->ledger, &a, 1, &verdict, &w->why));
    assert_int_equal(verdict.decision, LEDGER_LOST); /* the checkpoint is past it; the void itself is forgotten */
    assert_int_equal(verdict.voids, 0);
    assert_int_equal(world_verdict(w, after), LEDGER_LOST);
}

static void what_waits_for_ever_can_be_ended_by_void(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), later = world_attempt(w, file, 0, 50, 60, a.id),
                   b = world_attempt(w, file, 0, 0, 30, none);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_WON);
    assert_int_equal(world_verdict(w, a), LEDGER_LOST);
    assert_int_equal(world_verdict(w, later), LEDGER_UNDECIDED);
    assert_int_equal(world_void(w, later), LEDGER_LOST);
    assert_int_equal(world_verdict(w, later), LEDGER_LOST);
}

static void a_failing_job_is_set_aside_with_its_reason_until_the_stripe_moves(struct world *w) {
    struct id file = world_file(w, 1);
    struct ledger_stripe stripe = {file, 0};
    uint32_t failures = 0;
    for (uint32_t i = 1; i <= 4; i++) {
        char reason[] = "no reason";
        reason[0] = (char)('0' + i);
        WORLD_OK(w, ledger_job_failed(w->ledger, stripe, str_of(reason), 3, &failures, &w->why));
        assert_int_equal(failures, i);
        world_reopen(w);
        struct ledger_checkpoint at = world_checkpoint(w, file, 0);
        assert_int_equal(at.failures, i);
        assert_int_equal(at.set_aside, i >= 3);
    }
    struct ledger_listing *list;
    size_t n;
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(list->state, LEDGER_SET_ASIDE);
    assert_true(str_equal(list->set_aside_reason, STR("3o reason")));
    assert_int_equal(world_void(w, world_attempt(w, file, 0, 0, 9, none)), LEDGER_LOST); /* writes the row again */
    struct ledger_stripe_listing *stripes;
    WORLD_OK(w, ledger_list_stripes(w->ledger, file, &w->arena, &stripes, &n, &w->why));
    assert_true(n == 1 && stripes->set_aside && str_equal(stripes->reason, STR("3o reason")));
    assert_int_equal(world_win(w, world_advance(world_attempt(w, file, 0, 0, 50, none), 1)), LEDGER_WON);
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(list->state, LEDGER_OPEN);
    assert_int_equal(list->set_aside_reason.len, 0);
    struct ledger_checkpoint at = world_checkpoint(w, file, 0);
    assert_true(at.failures == 0 && !at.set_aside);
    WORLD_OK(w, ledger_job_failed(w->ledger, stripe, STR("x"), 3, &failures, &w->why));
    assert_int_equal(failures, 1);
    char long_reason[3000];
    memset(long_reason, 'r', sizeof long_reason);
    WORLD_OK(
        w, ledger_job_failed(w->ledger, stripe, (struct str){long_reason, sizeof long_reason}, 1, &failures, &w->why));
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(list->set_aside_reason.len, LEDGER_REASON_MAX);
}

/* ---- durability ---- */

static void a_batch_applies_once_and_in_order(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none);
    uint64_t next = 9;
    assert_int_equal(world_win(w, world_advance(a, 3)), LEDGER_WON);
    assert_int_equal(world_durable(w, 0, 1, a, 1), RC_STALE);
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
    assert_int_equal(next, 0);
    WORLD_OK(w, world_durable(w, 0, 0, a, 2));
    world_reopen(w);
    WORLD_OK(w, world_durable(w, 0, 0, a, 2)); /* again: nothing */
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
    assert_int_equal(next, 1);
    struct ledger_listing *list;
    size_t n;
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(list->outstanding, 1);
    WORLD_OK(w, ledger_durable(w->ledger, (struct ledger_batch){0, 1}, NULL, 0, &w->why)); /* a barrier */
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
    assert_int_equal(next, 2);
    WORLD_OK(w, ledger_durable_next(w->ledger, 7, &next, &w->why));
    assert_int_equal(next, 0);
}

static void a_batch_that_contradicts_is_broken_and_changes_nothing(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), loser = world_attempt(w, file, 0, 0, 50, none);
    assert_int_equal(world_win(w, world_advance(a, 2)), LEDGER_WON);
    assert_int_equal(world_durable(w, 0, 0, loser, 1), RC_BROKEN);
    assert_non_null(strstr(w->why.text, "never won"));
    assert_int_equal(world_durable(w, 0, 0, a, 3), RC_BROKEN);
    struct ledger_durable adds[] = {{file, 0, a.id, 1}, {file, 0, loser.id, 1}};
    assert_int_equal(ledger_durable(w->ledger, (struct ledger_batch){0, 0}, adds, 2, &w->why), RC_BROKEN);
    uint64_t next;
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
    assert_int_equal(next, 0);
    WORLD_OK(w, world_durable(w, 0, 0, a, 2));
}

static void winners_are_forgotten_only_when_nothing_is_outstanding(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt chain[4];
    struct id before = none;
    for (uint64_t i = 0; i < 4; i++) {
        chain[i] = world_attempt(w, file, 0, i * 10, i * 10 + 10, before);
        before = chain[i].id;
        assert_int_equal(world_win(w, world_advance(chain[i], 1)), LEDGER_WON);
    }
    for (uint64_t i = 0; i < 3; i++) WORLD_OK(w, world_durable(w, 0, i, chain[3 - i], 1));
    world_reopen(w);
    for (int i = 0; i < 4; i++) assert_int_equal(world_verdict(w, chain[i]), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 0, 3, chain[0], 1));
    world_reopen(w);
    assert_int_equal(world_verdict(w, chain[3]), LEDGER_WON); /* the last is always remembered */
    assert_int_equal(world_win(w, world_advance(chain[3], 1)), LEDGER_WON);
    struct attempt next = world_attempt(w, file, 0, 40, 50, chain[3].id);
    assert_int_equal(world_win(w, world_advance(next, 1)), LEDGER_WON);
    assert_int_equal(world_checkpoint(w, file, 0).counts.lines, 5);
}

static void an_empty_file_is_due_at_once(struct world *w) {
    struct id file = world_file(w, 1);
    struct ledger_due *due;
    assert_int_equal(world_due(w, &due), 0);
    assert_int_equal(world_close(w, file, 0, false), RC_OK);
    assert_int_equal(world_due(w, &due), 1);
    assert_int_equal(due->stripes, 0);
    assert_int_equal(due->end, 0);
    assert_int_equal(due->batches_len, 0);
    world_receipted(w, file, 0);
    assert_int_equal(world_close(w, file, 0, false), RC_OK); /* said again by the next scan */
    assert_int_equal(world_due(w, &due), 0);
    w->ledger.at.generation = 2;
    assert_int_equal(world_close(w, file, 0, false), RC_OK);
    assert_int_equal(world_due(w, &due), 1); /* another generation has its own receipts */
}

static void growth_after_a_close_makes_a_file_due_again(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 50, 80, a.id);
    struct ledger_due *due;
    assert_int_equal(world_close(w, file, 50, false), RC_OK);
    assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 0, 0, a, 1));
    assert_int_equal(world_due(w, &due), 1);
    world_receipted(w, file, 50);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_WON);
    assert_int_equal(world_due(w, &due), 0);
    assert_int_equal(world_close(w, file, 80, false), RC_OK);
    assert_false(world_lookup(w, 1).receipted);
    assert_int_equal(world_due(w, &due), 0);
    WORLD_OK(w, world_durable(w, 0, 1, b, 1));
    assert_int_equal(world_due(w, &due), 1);
    assert_int_equal(due->end, 80);
    assert_int_equal(due->counts.lines, 2);
    world_receipted(w, file, 80);
    world_receipted(w, file, 50); /* late: changes nothing */
    assert_true(world_lookup(w, 1).receipted);
}

static void a_receipt_waits_for_the_next_close_when_the_file_has_moved_on(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 50, none), b = world_attempt(w, file, 0, 50, 80, a.id);
    struct ledger_due *due;
    assert_int_equal(world_close(w, file, 50, false), RC_OK);
    assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_WON);
    assert_int_equal(world_win(w, world_advance(b, 1)), LEDGER_WON);
    WORLD_OK(w, world_durable(w, 0, 0, a, 1));
    WORLD_OK(w, world_durable(w, 0, 1, b, 1));
    assert_int_equal(world_due(w, &due), 0); /* the counts up to 50 alone are not known any more */
    assert_int_equal(world_close(w, file, 80, false), RC_OK);
    assert_int_equal(world_due(w, &due), 1);
    assert_int_equal(due->end, 80);
}

static void a_stripe_that_lacks_lines_keeps_the_receipt_back(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 99, none), b = world_attempt(w, file, 2, 200, 250, none),
                   mid = world_attempt(w, file, 1, 100, 200, none), a2 = world_attempt(w, file, 0, 99, 120, a.id);
    struct ledger_due *due;
    uint32_t failures;
    assert_int_equal(world_close(w, file, 250, false), RC_OK);
    struct attempt *order[] = {&a, &b, &mid, &a2};
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(world_due(w, &due), 0);
        assert_int_equal(world_win(w, world_advance(*order[i], 1)), LEDGER_WON);
        assert_int_equal(world_due(w, &due), 0);
        WORLD_OK(w, world_durable(w, 0, i, *order[i], 1));
        world_reopen(w);
    }
    assert_int_equal(world_due(w, &due), 1);
    WORLD_OK(w, ledger_job_failed(w->ledger, (struct ledger_stripe){file, 1}, STR("no"), 1, &failures, &w->why));
    assert_int_equal(world_due(w, &due), 0); /* set aside */
}

static void due_gives_at_most_what_was_asked_for_and_all_in_the_end(struct world *w) {
    enum { FILES = 10 };
    size_t got = 0;
    for (uint64_t i = 1; i <= FILES; i++) assert_int_equal(world_close(w, world_file(w, i), 0, false), RC_OK);
    for (int round = 0; round < FILES; round++) {
        struct ledger_due *due;
        size_t n;
        WORLD_OK(w, ledger_due(w->ledger, 3, &w->arena, &due, &n, &w->why));
        assert_true(n <= 3);
        for (size_t i = 0; i < n; i++) world_receipted(w, due[i].file, due[i].end);
        got += n;
    }
    assert_int_equal(got, FILES);
}

/* ---- for people ---- */

static void a_list_shows_every_file_once_in_order_at_any_epoch(struct world *w) {
    enum { FILES = 7 };
    for (uint64_t i = 1; i <= FILES; i++) (void)world_file(w, i);
    struct id after = none;
    size_t total = 0;
    w->ledger.at.epoch = 99;
    for (;;) {
        struct ledger_listing *list;
        size_t n;
        WORLD_OK(w, ledger_list(w->ledger, after, 3, &w->arena, &list, &n, &w->why));
        if (n == 0) break;
        for (size_t i = 0; i < n; i++) {
            assert_true(id_compare(after, list[i].file) < 0);
            after = list[i].file;
            assert_true(str_equal(list[i].facts.source, STR("access")));
        }
        total += n;
    }
    assert_int_equal(total, FILES);
}

static void a_listing_tells_the_state_and_adds_up_the_stripes(struct world *w) {
    struct id file = world_file(w, 1);
    struct attempt a = world_attempt(w, file, 0, 0, 105, none), b = world_attempt(w, file, 1, 100, 150, none);
    struct ledger_listing *list;
    struct ledger_stripe_listing *stripes;
    size_t n;
    assert_int_equal(world_win(w, world_advance(a, 2)), LEDGER_WON);
    assert_int_equal(world_win(w, world_advance(b, 3)), LEDGER_WON);
    assert_int_equal(world_close(w, file, 150, true), RC_OK);
    WORLD_OK(w, world_durable(w, 0, 0, a, 2));
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(n, 1);
    assert_int_equal(list->state, LEDGER_CLOSED);
    assert_true(list->closed && list->gone);
    assert_int_equal(list->closed_end, 150);
    assert_int_equal(list->converted_bytes, 155);
    assert_int_equal(list->stripes, 2);
    assert_int_equal(list->durable_stripes, 1);
    assert_int_equal(list->outstanding, 3);
    assert_int_equal(list->counts.lines, 2);
    WORLD_OK(w, ledger_list_stripes(w->ledger, file, &w->arena, &stripes, &n, &w->why));
    assert_int_equal(n, 2);
    assert_int_equal(stripes[1].stripe, 1);
    assert_int_equal(stripes[1].at, 150);
    assert_int_equal(stripes[1].outstanding, 3);
    WORLD_OK(w, world_durable(w, 0, 1, b, 3));
    world_receipted(w, file, 150);
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(list->state, LEDGER_RECEIPTED);
    assert_int_equal(world_win(w, world_advance(world_attempt(w, file, 1, 150, 160, b.id), 1)), LEDGER_WON);
    WORLD_OK(w, ledger_list(w->ledger, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(list->state, LEDGER_OPEN);
}

static const struct world_sentence sentences[] = {
    WORLD_SENTENCE(a_new_ledger_says_who_it_is),
    WORLD_SENTENCE(a_file_goes_from_enrolling_to_its_receipt),
    WORLD_SENTENCE(another_epoch_is_stale_and_does_nothing),
    WORLD_SENTENCE(calls_without_elements_are_ok),
    WORLD_SENTENCE(a_failing_element_undoes_the_whole_call),
    WORLD_SENTENCE(an_unknown_file_is_absent_everywhere),
    WORLD_SENTENCE(what_no_correct_caller_gives_is_bad),
    WORLD_SENTENCE(an_attempt_of_an_epoch_to_come_means_that_the_ledger_was_set_back),
    WORLD_SENTENCE(enrolling_is_compare_and_set_on_the_version_seen),
    WORLD_SENTENCE(keys_differ_by_source_inode_birth_and_volume),
    WORLD_SENTENCE(an_amendment_changes_name_and_prefix_and_version),
    WORLD_SENTENCE(reach_is_of_the_generation_else_of_any),
    WORLD_SENTENCE(one_attempt_wins_at_a_place_and_keeps_having_won),
    WORLD_SENTENCE(an_attempt_wins_only_behind_its_predecessor),
    WORLD_SENTENCE(an_attempt_before_its_turn_loses_for_ever),
    WORLD_SENTENCE(one_call_decides_in_order),
    WORLD_SENTENCE(a_void_attempt_never_wins),
    WORLD_SENTENCE(what_waits_for_ever_can_be_ended_by_void),
    WORLD_SENTENCE(a_failing_job_is_set_aside_with_its_reason_until_the_stripe_moves),
    WORLD_SENTENCE(a_batch_applies_once_and_in_order),
    WORLD_SENTENCE(a_batch_that_contradicts_is_broken_and_changes_nothing),
    WORLD_SENTENCE(winners_are_forgotten_only_when_nothing_is_outstanding),
    WORLD_SENTENCE(an_empty_file_is_due_at_once),
    WORLD_SENTENCE(growth_after_a_close_makes_a_file_due_again),
    WORLD_SENTENCE(a_receipt_waits_for_the_next_close_when_the_file_has_moved_on),
    WORLD_SENTENCE(a_stripe_that_lacks_lines_keeps_the_receipt_back),
    WORLD_SENTENCE(due_gives_at_most_what_was_asked_for_and_all_in_the_end),
    WORLD_SENTENCE(a_list_shows_every_file_once_in_order_at_any_epoch),
    WORLD_SENTENCE(a_listing_tells_the_state_and_adds_up_the_stripes),
};

int main(void) { return world_run("ledger contract", sentences, sizeof sentences / sizeof sentences[0]); }
