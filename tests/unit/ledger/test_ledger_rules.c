/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whatever is asked in whatever order, one attempt wins at a place for ever, winners follow each other without
 * gap, what lost or was made void never wins, and what won never loses; proven by walking through every sequence of
 * questions about a small set of attempts. The other rules are arithmetic, tested at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger_rules.h"
#include "num.h"

#include <string.h>

enum { EPOCH = 3, ATTEMPTS = 8, DEPTH = 5, WINNERS_MAX = 8 };

static struct id id_of(uint8_t n) { return (struct id){{n}}; }

/* A stripe [100, 103): two first tries, one of two bytes; successors of each; one of an older epoch; one that names no
 * predecessor where there is one. */
static const struct {
    uint64_t from, to;
    uint8_t predecessor;
    uint64_t epoch;
} universe[ATTEMPTS] = {
    {100, 101, 0, EPOCH}, {100, 101, 0, EPOCH}, {100, 102, 0, EPOCH},     {101, 102, 1, EPOCH},
    {101, 103, 2, EPOCH}, {102, 103, 3, EPOCH}, {102, 103, 4, EPOCH - 1}, {101, 102, 0, EPOCH},
};

static struct attempt attempt_of(size_t i) {
    return (struct attempt){.generation = 1,
                            .file = id_of(200),
                            .stripe = 1,
                            .from = universe[i].from,
                            .to = universe[i].to,
                            .id = id_of((uint8_t)(i + 1)),
                            .predecessor = id_of(universe[i].predecessor),
                            .epoch = universe[i].epoch};
}

struct state {
    struct rules_winner winners[WINNERS_MAX];
    struct rules_void voids[ATTEMPTS];
    size_t winners_len, voids_len;
    bool won[ATTEMPTS], lost[ATTEMPTS]; /* as was ever answered */
};

static struct rules_stripe view(struct state *s) {
    return (struct rules_stripe){.start = 100,
                                 .winners = s->winners,
                                 .winners_len = s->winners_len,
                                 .voids = s->voids,
                                 .voids_len = s->voids_len};
}

/* Does what an adapter does with the rules' answer. */
static void apply(struct state *s, const struct attempt *attempt, enum rules_write write) {
    struct rules_stripe stripe = view(s);
    if (write == RULES_VOID) s->voids[s->voids_len++] = (struct rules_void){attempt->from, attempt->id};
    if (write != RULES_APPEND) return;
    s->winners[s->winners_len++] =
        (struct rules_winner){.from = attempt->from, .to = attempt->to, .attempt = attempt->id, .messages = 1};
    stripe = view(s);
    size_t kept = 0;
    for (size_t i = 0; i < s->voids_len; i++)
        if (!rules_void_fades(s->voids[i].from, rules_at(&stripe))) s->voids[kept++] = s->voids[i];
    s->voids_len = kept;
}

static void note(struct state *s, size_t i, enum ledger_decision decision) {
    if (decision == LEDGER_WON) s->won[i] = true;
    /* A loser by its predecessor's void alone was only read; it is bound by what it can still do, which is checked. */
    if (decision == LEDGER_LOST) s->lost[i] = true;
    assert_false(s->won[i] && s->lost[i]);
}

static void check_chain(struct state *s) {
    uint64_t at = 100;
    struct id before = {{0}};
    for (size_t i = 0; i < s->winners_len; i++) {
        size_t who = (size_t)s->winners[i].attempt.bytes[0] - 1;
        assert_int_equal(s->winners[i].from, at);
        assert_true(id_equal(id_of(universe[who].predecessor), before));
        assert_int_equal(universe[who].epoch, EPOCH);
        at = s->winners[i].to;
        before = s->winners[i].attempt;
    }
}

static size_t sequences;

/* NOLINTNEXTLINE(misc-no-recursion): a walk through a tree of DEPTH levels */
static void walk(const struct state *from, int depth) {
    sequences++;
    if (depth == DEPTH) return;
    for (size_t i = 0; i < ATTEMPTS; i++) {
        struct attempt attempt = attempt_of(i);
        for (int what = 0; what < 2; what++) {
            struct state s = *from;
            struct rules_stripe stripe = view(&s);
            enum rules_write write;
            enum ledger_decision before = rules_verdict(&stripe, &attempt, EPOCH);
            enum ledger_decision now = what ? rules_void(&stripe, &attempt, EPOCH, &write)
                                            : rules_advance(&stripe, &attempt, EPOCH, true, &write);
            assert_int_not_equal(now, LEDGER_UNDECIDED);
            if (before != LEDGER_UNDECIDED) assert_int_equal(now, before);
            if (what) assert_false(before == LEDGER_UNDECIDED && now == LEDGER_WON);
            apply(&s, &attempt, write);
            check_chain(&s);
            note(&s, i, before);
            note(&s, i, now);
            stripe = view(&s);
            assert_int_equal(rules_verdict(&stripe, &attempt, EPOCH), now); /* at once the same again */
            for (size_t k = 0; k < ATTEMPTS; k++) {
                struct attempt other = attempt_of(k);
                enum ledger_decision verdict = rules_verdict(&stripe, &other, EPOCH);
                if (s.won[k]) assert_int_equal(verdict, LEDGER_WON);
                note(&s, k, verdict);
            }
            walk(&s, depth + 1);
        }
    }
}

static void every_sequence_of_questions_keeps_the_law(void **unused) {
    (void)unused;
    struct state start = {0};
    sequences = 0;
    walk(&start, 0);
    assert_true(sequences > 1000000);
}

static void an_attempt_that_disagrees_on_ends_loses_but_a_winner_stays(void **unused) {
    (void)unused;
    struct state s = {0};
    struct rules_stripe stripe = view(&s);
    struct attempt a = attempt_of(0), b = attempt_of(1);
    enum rules_write write;
    assert_int_equal(rules_advance(&stripe, &a, EPOCH, false, &write), LEDGER_LOST);
    assert_int_equal(write, RULES_VOID);
    assert_int_equal(rules_advance(&stripe, &b, EPOCH, true, &write), LEDGER_WON);
    apply(&s, &b, write);
    stripe = view(&s);
    assert_int_equal(rules_advance(&stripe, &b, EPOCH, false, &write), LEDGER_WON);
    assert_int_equal(write, RULES_NOTHING);
    struct ledger_advance ask = {.attempt = a};
    assert_true(rules_ends_agree(&ask, UINT64_MAX, false));
    assert_true(rules_ends_agree(&ask, 101, false)); /* an end at `to` cuts nothing */
    assert_false(rules_ends_agree(&ask, 100, false));
    ask.closed = true;
    assert_false(rules_ends_agree(&ask, UINT64_MAX, false));
    assert_true(rules_ends_agree(&ask, UINT64_MAX, true));
}

static void durable_counts_down_and_never_below_nothing(void **unused) {
    (void)unused;
    struct rules_winner winners[] = {{.from = 0, .to = 5, .attempt = id_of(1), .messages = 2},
                                     {.from = 5, .to = 9, .attempt = id_of(2), .messages = UINT32_MAX}};
    struct rules_stripe stripe = {.winners = winners, .winners_len = 2};
    struct why why = {0};
    assert_int_equal(rules_outstanding(&stripe), 2 + (uint64_t)UINT32_MAX);
    assert_int_equal(rules_durable(&stripe, id_of(1), 3, &why), RC_BROKEN);
    assert_int_equal(rules_durable(&stripe, id_of(1), 2, &why), RC_OK);
    assert_int_equal(rules_durable(&stripe, id_of(1), 1, &why), RC_BROKEN);
    assert_int_equal(rules_durable(&stripe, id_of(1), 0, &why), RC_OK);
    assert_int_equal(rules_prunable(&stripe), 0);
    assert_int_equal(rules_durable(&stripe, id_of(2), UINT32_MAX, &why), RC_OK);
    assert_int_equal(rules_prunable(&stripe), 1);
    assert_int_equal(rules_durable(&stripe, id_of(3), 1, &why), RC_BROKEN);
    stripe.pruned = true;
    assert_int_equal(rules_durable(&stripe, id_of(3), 1, &why), RC_OK);
    stripe.winners_len = 0;
    assert_int_equal(rules_prunable(&stripe), 0);
}

static void a_stripe_is_complete_at_its_end_or_the_files(void **unused) {
    (void)unused;
    assert_int_equal(rules_complete_at(0, 100, 250), 100);
    assert_int_equal(rules_complete_at(2, 100, 250), 250);
    assert_int_equal(rules_complete_at(1, 100, 200), 200);
    assert_int_equal(rules_complete_at(0, INT64_MAX, 7), 7);
    assert_int_equal(rules_complete_at(UINT64_MAX, UINT64_MAX, 7), 7);
}

static void a_gone_file_ends_at_its_reach_only_where_that_is_a_line_start(void **unused) {
    (void)unused;
    struct rules_gone gone = {.closed_end = -1, .reach = 70, .reach_of_any = 70, .whole = true};
    uint64_t end = 1;
    assert_true(rules_gone_end(&gone, &end));
    assert_int_equal(end, 70);
    gone.closed_end = 69;
    assert_true(rules_gone_end(&gone, &end));
    gone.closed_end = 70;
    assert_false(rules_gone_end(&gone, &end)); /* it is one already */
    gone.closed_end = -1;
    gone.whole = false;
    assert_false(rules_gone_end(&gone, &end)); /* it may lie inside a line of a stripe before */
    gone.whole = true;
    gone.reach_of_any = 71;
    assert_false(rules_gone_end(&gone, &end)); /* another generation has converted across */
    gone = (struct rules_gone){.closed_end = -1, .whole = true};
    assert_false(rules_gone_end(&gone, &end)); /* nobody knows anything of it */
}

static void voids_are_counted_by_place(void **unused) {
    (void)unused;
    struct rules_void voids[] = {{5, id_of(1)}, {9, id_of(2)}, {5, id_of(3)}};
    struct rules_stripe stripe = {.voids = voids, .voids_len = 3};
    assert_int_equal(rules_voids_at(&stripe, 5), 2);
    assert_int_equal(rules_voids_at(&stripe, 9), 1);
    assert_int_equal(rules_voids_at(&stripe, 6), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_questions_keeps_the_law),
        cmocka_unit_test(an_attempt_that_disagrees_on_ends_loses_but_a_winner_stays),
        cmocka_unit_test(durable_counts_down_and_never_below_nothing),
        cmocka_unit_test(a_stripe_is_complete_at_its_end_or_the_files),
        cmocka_unit_test(a_gone_file_ends_at_its_reach_only_where_that_is_a_line_start),
        cmocka_unit_test(voids_are_counted_by_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
