/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of recovery, apart from the everyday ones. */
#include "ledger_rules.h"

#include <inttypes.h>
#include <string.h>

#define RANGE "[%" PRIu64 ", %" PRIu64 ")"

static bool overlap(const struct rules_winner *a, const struct rules_winner *b) {
    return a->from < b->to && b->from < a->to;
}

/* Where the part begins for which every winner is at hand; what is before it was durable and is forgotten. */
static uint64_t base_of(const struct rules_stripe *stripe) {
    return stripe->pruned && stripe->winners_len ? stripe->winners[0].from : stripe->start;
}

static RC check_given(const struct rules_given *given, size_t n, uint64_t base, struct why *why) {
    char a[ID_TEXT], b[ID_TEXT];
    for (size_t i = 0; i < n; i++) {
        const struct rules_winner *now = &given[i].winner;
        if (now->from < base && now->to > base)
            return why_set(why, RC_BROKEN, "winner %s " RANGE " overlaps what is durable up to %" PRIu64,
                           id_format(now->attempt, a), now->from, now->to, base);
        if (i > 0 && given[i - 1].winner.to > now->from)
            return why_set(why, RC_BROKEN, "winners %s and %s overlap at %" PRIu64,
                           id_format(given[i - 1].winner.attempt, a), id_format(now->attempt, b), now->from);
    }
    return RC_OK;
}

/* The given one of the same attempt, or the first that overlaps; NULL: neither. */
static const struct rules_given *meets(const struct rules_winner *own, const struct rules_given *given, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (id_equal(given[i].winner.attempt, own->attempt)) return &given[i];
    for (size_t i = 0; i < n; i++)
        if (overlap(&given[i].winner, own)) return &given[i];
    return NULL;
}

static const struct rules_winner *own_of(const struct rules_stripe *stripe, struct id attempt) {
    for (size_t i = 0; i < stripe->winners_len; i++)
        if (id_equal(stripe->winners[i].attempt, attempt)) return &stripe->winners[i];
    return NULL;
}

static void counts_subtract(struct counts *from, const struct counts *less) {
    from->lines -= less->lines;
    from->converted -= less->converted;
    from->rejects -= less->rejects;
    from->filtered -= less->filtered;
    from->blank -= less->blank;
    from->records -= less->records;
}

/* How many of the stripe's own winners stand for sure: some of one is durable, or it was given, or one behind it is
 * such a one. */
static size_t proven(const struct rules_stripe *stripe, const struct rules_given *given, size_t n) {
    for (size_t i = stripe->winners_len; i > 0; i--) {
        const struct rules_winner *own = &stripe->winners[i - 1];
        const struct rules_given *met = meets(own, given, n);
        if (own->durable > 0 || (met && id_equal(met->winner.attempt, own->attempt))) return i;
    }
    return 0;
}

/* The stripe's own winners that were not given and stand. */
static RC keep_own(const struct rules_stripe *stripe, const struct rules_given *given, size_t n,
                   struct rules_recovered *out, struct why *why) {
    char name[ID_TEXT];
    bool fell = false;
    size_t sure = stripe->doubted ? proven(stripe, given, n) : stripe->winners_len;
    for (size_t i = 0; i < stripe->winners_len; i++) {
        const struct rules_winner *own = &stripe->winners[i];
        const struct rules_given *met = meets(own, given, n);
        bool same = met && id_equal(met->winner.attempt, own->attempt);
        if (same && (met->winner.from != own->from || met->winner.to != own->to))
            return why_set(why, RC_BROKEN, "winner %s is " RANGE " in the ledger and " RANGE " in the log",
                           id_format(own->attempt, name), own->from, own->to, met->winner.from, met->winner.to);
        if (same) continue;
        fell = fell || met || i >= sure;
        if (fell)
            counts_subtract(&out->counts, &own->counts);
        else
            out->winners[out->winners_len++] = *own;
    }
    return RC_OK;
}

static RC add_given(const struct rules_stripe *stripe, const struct rules_given *given, struct rules_recovered *out,
                    struct why *why) {
    char name[ID_TEXT];
    const struct rules_winner *own = own_of(stripe, given->winner.attempt);
    struct rules_winner winner = own ? *own : given->winner;
    /* What is in the forgotten part was counted, and durable, before it was forgotten. */
    bool forgotten = winner.from < base_of(stripe);
    if (!own && !forgotten && (!given->has_counts || winner.messages == 0))
        return why_set(why, RC_BROKEN, "the trailer of winner %s " RANGE " is lost", id_format(winner.attempt, name),
                       winner.from, winner.to);
    if (!own) winner.durable = forgotten ? winner.messages : 0;
    if (!own && !forgotten) counts_add(&out->counts, &winner.counts);
    size_t at = out->winners_len++;
    for (; at > 0 && out->winners[at - 1].from > winner.from; at--) out->winners[at] = out->winners[at - 1];
    out->winners[at] = winner;
    return RC_OK;
}

/* Every winner but those in the forgotten part begins where one ends, and a given one behind its predecessor. */
static RC check_chain(const struct rules_recovered *out, uint64_t base, struct why *why) {
    char name[ID_TEXT];
    uint64_t at = base;
    for (size_t i = 0; i < out->winners_len; i++) {
        const struct rules_winner *winner = &out->winners[i];
        if (winner->to <= base) continue;
        if (winner->from != at)
            return why_set(why, RC_BROKEN, "no winner is left for " RANGE ", which is before winner %s", at,
                           winner->from, id_format(winner->attempt, name));
        at = winner->to;
    }
    return RC_OK;
}

/* Who has to be the predecessor of the i-th; false: the one before is forgotten, so nobody can say. */
static bool predecessor_of(const struct rules_recovered *out, size_t i, const struct rules_stripe *stripe,
                           struct id *out_id) {
    uint64_t from = out->winners[i].from;
    *out_id = (struct id){{0}};
    if (from == stripe->start) return true;
    if (i == 0 || out->winners[i - 1].to != from) return false;
    *out_id = out->winners[i - 1].attempt;
    return true;
}

static RC check_predecessors(const struct rules_recovered *out, const struct rules_given *given, size_t n,
                             const struct rules_stripe *stripe, struct why *why) {
    char a[ID_TEXT], b[ID_TEXT];
    struct id before;
    for (size_t g = 0, i = 0; g < n; g++) {
        while (!id_equal(out->winners[i].attempt, given[g].winner.attempt)) i++;
        if (!predecessor_of(out, i, stripe, &before) || id_equal(before, given[g].predecessor)) continue;
        return why_set(why, RC_BROKEN, "winner %s comes behind %s, which was not given",
                       id_format(given[g].winner.attempt, a), id_format(given[g].predecessor, b));
    }
    return RC_OK;
}

/* Of the forgotten part only what reaches up to the rest without a gap is kept: somebody who was given all of it tells
 * all of it durable again. What is alone in there was durable, and is forgotten again. */
static void forget_again(struct rules_recovered *out, uint64_t base) {
    size_t first = 0;
    while (first < out->winners_len && out->winners[first].to <= base) first++;
    uint64_t from = first < out->winners_len ? out->winners[first].from : base;
    while (first > 0 && out->winners[first - 1].to == from && out->winners[first - 1].messages)
        from = out->winners[--first].from;
    out->winners_len -= first;
    memmove(out->winners, out->winners + first, out->winners_len * sizeof *out->winners);
}

RC rules_recover(const struct rules_stripe *stripe, const struct counts *counts, const struct rules_given *given,
                 size_t given_n, struct rules_recovered *out, struct why *why) {
    uint64_t base = base_of(stripe);
    out->winners_len = 0;
    out->counts = *counts;
    TRY(check_given(given, given_n, base, why));
    TRY(keep_own(stripe, given, given_n, out, why));
    for (size_t i = 0; i < given_n; i++) TRY(add_given(stripe, &given[i], out, why));
    TRY(check_chain(out, base, why));
    TRY(check_predecessors(out, given, given_n, stripe, why));
    forget_again(out, base);
    return RC_OK;
}
