/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: however far a ledger was set back, and whatever of a stripe's history was sealed, uniting the two gives a
 * chain of winners without gap that holds every sealed one, with exactly the counts of its winners; and where that
 * cannot be, it says so. Proven on every stripe of up to five winners and every way to split it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger_rules.h"

#include <string.h>

enum { MAX = 5, WIDTH = 10, START = 1000 };

static struct id id_of(uint8_t n) { return (struct id){{n}}; }

static struct rules_winner winner(size_t i, uint8_t name) {
    return (struct rules_winner){.from = START + i * WIDTH,
                                 .to = START + (i + 1) * WIDTH,
                                 .attempt = id_of(name),
                                 .counts = {.lines = 1u << i, .converted = 1u << i},
                                 .tail_hash = name,
                                 .messages = 1};
}

static struct rules_given give(struct rules_winner w, uint8_t predecessor) {
    return (struct rules_given){w, id_of(predecessor), true};
}

struct result {
    struct rules_winner room[4 * MAX];
    struct rules_recovered made;
    enum rc rc;
    struct why why;
};

static void recover(const struct rules_stripe *stripe, struct counts counts, const struct rules_given *given, size_t n,
                    struct result *out) {
    memset(out, 0, sizeof *out);
    out->made.winners = out->room;
    out->rc = rules_recover(stripe, &counts, given, n, &out->made, &out->why);
}

/* The true chain is 1, 2, …, n. The ledger has the first `own`, of which the first `pruned` are forgotten; the caller
 * gives those in `mask`. It must work out iff there is no hole above what the ledger has. */
static void one_split(size_t n, size_t own, size_t pruned, unsigned mask) {
    struct rules_winner mine[MAX] = {0};
    struct rules_given given[MAX] = {0};
    struct result r;
    struct counts counts = {0};
    size_t given_n = 0, reach = own;
    for (size_t i = 0; i < own; i++) {
        struct rules_winner w = winner(i, (uint8_t)(i + 1));
        counts_add(&counts, &w.counts);
        if (i >= pruned) mine[i - pruned] = w;
    }
    for (size_t i = 0; i < n; i++) {
        if (!(mask >> i & 1)) continue;
        given[given_n++] = give(winner(i, (uint8_t)(i + 1)), (uint8_t)i);
        reach = i + 1 > reach ? i + 1 : reach;
    }
    bool whole = true;
    for (size_t i = own; i < reach; i++) whole = whole && (mask >> i & 1);
    struct rules_stripe stripe = {START, mine, own - pruned, pruned > 0, false, NULL, 0};
    recover(&stripe, counts, given, given_n, &r);
    assert_int_equal(r.rc, whole ? RC_OK : RC_BROKEN);
    if (!whole) return;
    assert_int_equal(r.made.counts.lines, (1u << reach) - 1);
    if (reach) assert_int_equal(r.made.winners[r.made.winners_len - 1].to, START + reach * WIDTH);
    assert_int_equal(
        rules_outstanding(&(struct rules_stripe){.winners = r.made.winners, .winners_len = r.made.winners_len}),
        reach - pruned);  /* what is forgotten was durable, and is */
    size_t kept = pruned; /* of the forgotten part, what reaches up to the rest without a gap is kept */
    while (kept > 0 && (mask >> (kept - 1) & 1)) kept--;
    for (size_t g = 0; g < given_n; g++) {
        bool found = false;
        for (size_t i = 0; i < r.made.winners_len; i++)
            found = found || id_equal(r.made.winners[i].attempt, given[g].winner.attempt);
        assert_int_equal(found, given[g].winner.from >= START + kept * WIDTH);
    }
}

static void every_split_of_a_true_chain_is_united_or_its_hole_is_told(void **unused) {
    (void)unused;
    for (size_t n = 0; n <= MAX; n++)
        for (size_t own = 0; own <= n; own++)
            for (size_t pruned = 0; pruned == 0 || pruned < own; pruned++)
                for (unsigned mask = 0; mask < 1u << n; mask++) one_split(n, own, pruned, mask);
}

/* The ledger went on alone behind place `fork` for `extra` winners (11, 12, …); the seals say 1 … n. */
static void one_fork(size_t n, size_t fork, size_t extra) {
    struct rules_winner mine[2 * MAX] = {0};
    struct rules_given given[MAX] = {0};
    struct result r;
    struct counts counts = {0};
    size_t own = 0;
    for (size_t i = 0; i < fork; i++) mine[own++] = winner(i, (uint8_t)(i + 1));
    for (size_t i = 0; i < extra; i++) mine[own++] = winner(fork + i, (uint8_t)(11 + i));
    for (size_t i = 0; i < own; i++) counts_add(&counts, &mine[i].counts);
    for (size_t i = 0; i < n; i++) given[i] = give(winner(i, (uint8_t)(i + 1)), (uint8_t)i);
    struct rules_stripe stripe = {START, mine, own, false, false, NULL, 0};
    recover(&stripe, counts, given, n, &r);
    assert_int_equal(r.rc, RC_OK);
    bool clash = n > fork && extra > 0;
    size_t reach = clash ? n : (own > n ? own : n);
    assert_int_equal(r.made.winners_len, reach);
    assert_int_equal(r.made.counts.lines, (1u << reach) - 1);
    for (size_t i = 0; i < n; i++) assert_int_equal(r.made.winners[i].attempt.bytes[0], i + 1);
}

static void what_the_ledger_alone_knew_falls_where_seals_contradict_it(void **unused) {
    (void)unused;
    for (size_t n = 0; n <= MAX; n++)
        for (size_t fork = 0; fork <= n; fork++)
            for (size_t extra = 0; extra <= MAX; extra++) one_fork(n, fork, extra);
}

static void durable_counts_of_own_winners_are_kept(void **unused) {
    (void)unused;
    struct rules_winner mine[] = {winner(0, 1)};
    struct result r;
    mine[0].messages = 4;
    mine[0].durable = 3;
    struct rules_given given[] = {give(winner(0, 1), 0), give(winner(1, 2), 1)};
    given[0].has_counts = false; /* its trailer was not seen; the ledger knows it */
    given[0].winner.messages = 0;
    struct rules_stripe stripe = {START, mine, 1, false, false, NULL, 0};
    recover(&stripe, mine[0].counts, given, 2, &r);
    assert_int_equal(r.rc, RC_OK);
    assert_int_equal(r.made.winners[0].messages, 4);
    assert_int_equal(r.made.winners[0].durable, 3);
    assert_int_equal(r.made.winners[1].durable, 0);
    assert_int_equal(r.made.counts.lines, 3);
}

static void what_cannot_be_is_told(void **unused) {
    (void)unused;
    struct result r;
    struct counts zero = {0};
    struct rules_stripe empty = {.start = START};
    struct rules_given headless[] = {give(winner(0, 1), 0)};
    headless[0].has_counts = false;
    recover(&empty, zero, headless, 1, &r);
    assert_int_equal(r.rc, RC_BROKEN);
    assert_non_null(strstr(r.why.text, "trailer"));
    struct rules_given twice[] = {give(winner(0, 1), 0), give(winner(0, 2), 0)};
    recover(&empty, zero, twice, 2, &r);
    assert_int_equal(r.rc, RC_BROKEN);
    struct rules_given stranger[] = {give(winner(0, 1), 0), give(winner(1, 2), 9)};
    recover(&empty, zero, stranger, 2, &r);
    assert_int_equal(r.rc, RC_BROKEN);
    assert_non_null(strstr(r.why.text, "was not given"));
    struct rules_given orphan[] = {give(winner(0, 1), 9)};
    recover(&empty, zero, orphan, 1, &r);
    assert_int_equal(r.rc, RC_BROKEN);
    struct rules_winner mine[] = {winner(1, 2)};
    struct rules_stripe pruned = {START, mine, 1, true, false, NULL, 0};
    struct rules_winner wide = winner(0, 7);
    wide.to += 5;
    struct rules_given across[] = {give(wide, 0)};
    recover(&pruned, zero, across, 1, &r);
    assert_int_equal(r.rc, RC_BROKEN);
    struct rules_winner longer = winner(1, 2);
    longer.to++;
    struct rules_given other_range[] = {give(longer, 1)};
    recover(&pruned, zero, other_range, 1, &r);
    assert_int_equal(r.rc, RC_BROKEN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_of_a_true_chain_is_united_or_its_hole_is_told),
        cmocka_unit_test(what_the_ledger_alone_knew_falls_where_seals_contradict_it),
        cmocka_unit_test(durable_counts_of_own_winners_are_kept),
        cmocka_unit_test(what_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
