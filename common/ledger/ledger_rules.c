/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_rules.h"

#include "num.h"

#include <inttypes.h>

uint64_t rules_at(const struct rules_stripe *stripe) {
    return stripe->winners_len ? stripe->winners[stripe->winners_len - 1].to : stripe->start;
}

struct id rules_winner_id(const struct rules_stripe *stripe) {
    return stripe->winners_len ? stripe->winners[stripe->winners_len - 1].attempt : (struct id){{0}};
}

RC rules_check(const struct attempt *attempt, struct ledger_at at, uint64_t stripe_bytes, struct why *why) {
    char name[ID_TEXT];
    const char *wrong = NULL;
    if (id_is_none(attempt->id))
        wrong = "it has no id";
    else if (attempt->generation != at.generation)
        wrong = "it is of another generation";
    else if (attempt->from >= attempt->to)
        wrong = "its range is empty or reversed";
    else if (attempt->to > INT64_MAX)
        wrong = "its range ends behind 2^63";
    else if (attempt->stripe > (uint64_t)INT64_MAX / stripe_bytes)
        wrong = "its stripe lies behind 2^63";
    else if (attempt->from < stripe_start(attempt->stripe, stripe_bytes))
        wrong = "it begins before its stripe";
    else if (id_equal(attempt->id, attempt->predecessor))
        wrong = "it is its own predecessor";
    if (wrong) return why_set(why, RC_BAD, "attempt %s cannot be: %s", id_format(attempt->id, name), wrong);
    if (attempt->epoch <= at.epoch) return RC_OK;
    return why_set(why, RC_BROKEN,
                   "attempt %s is of epoch %" PRIu64 ", the ledger is at %" PRIu64
                   ": the ledger was set back and has to be recovered",
                   id_format(attempt->id, name), attempt->epoch, at.epoch);
}

static bool is_void(const struct rules_stripe *stripe, struct id attempt) {
    for (size_t i = 0; i < stripe->voids_len; i++)
        if (id_equal(stripe->voids[i].attempt, attempt)) return true;
    return false;
}

/* The winner that begins at `from`, NULL: none that is remembered. */
static const struct rules_winner *winner_from(const struct rules_stripe *stripe, uint64_t from) {
    for (size_t i = stripe->winners_len; i > 0 && stripe->winners[i - 1].from >= from; i--)
        if (stripe->winners[i - 1].from == from) return &stripe->winners[i - 1];
    return NULL;
}

enum ledger_decision rules_verdict(const struct rules_stripe *stripe, const struct attempt *attempt, uint64_t epoch) {
    const struct rules_winner *winner = winner_from(stripe, attempt->from);
    if (winner) return id_equal(winner->attempt, attempt->id) ? LEDGER_WON : LEDGER_LOST;
    uint64_t at = rules_at(stripe);
    if (at > attempt->from || attempt->epoch < epoch || is_void(stripe, attempt->id)) return LEDGER_LOST;
    if (at == attempt->from && !id_equal(rules_winner_id(stripe), attempt->predecessor)) return LEDGER_LOST;
    if (!id_is_none(attempt->predecessor) && is_void(stripe, attempt->predecessor)) return LEDGER_LOST;
    return LEDGER_UNDECIDED;
}

/* A loser in front of the checkpoint is remembered; one that the checkpoint has passed is lost without that. */
static enum rules_write remember(const struct rules_stripe *stripe, const struct attempt *attempt) {
    if (rules_void_fades(attempt->from, rules_at(stripe)) || is_void(stripe, attempt->id)) return RULES_NOTHING;
    return RULES_VOID;
}

enum ledger_decision rules_advance(const struct rules_stripe *stripe, const struct attempt *attempt, uint64_t epoch,
                                   bool agrees, enum rules_write *out_write) {
    enum ledger_decision decision = rules_verdict(stripe, attempt, epoch);
    *out_write = RULES_NOTHING;
    if (decision == LEDGER_WON) return LEDGER_WON;
    if (decision == LEDGER_UNDECIDED && agrees && attempt->from == rules_at(stripe)) {
        *out_write = RULES_APPEND;
        return LEDGER_WON;
    }
    *out_write = remember(stripe, attempt);
    return LEDGER_LOST;
}

enum ledger_decision rules_void(const struct rules_stripe *stripe, const struct attempt *attempt, uint64_t epoch,
                                enum rules_write *out_write) {
    *out_write = RULES_NOTHING;
    if (rules_verdict(stripe, attempt, epoch) == LEDGER_WON) return LEDGER_WON;
    *out_write = remember(stripe, attempt);
    return LEDGER_LOST;
}

uint32_t rules_voids_at(const struct rules_stripe *stripe, uint64_t from) {
    uint32_t n = 0;
    for (size_t i = 0; i < stripe->voids_len; i++) n += stripe->voids[i].from == from;
    return n;
}

uint64_t rules_outstanding(const struct rules_stripe *stripe) {
    uint64_t sum = 0;
    for (size_t i = 0; i < stripe->winners_len; i++) sum += stripe->winners[i].messages - stripe->winners[i].durable;
    return sum;
}

void rules_list(const struct rules_stripe *stripe, uint64_t number, uint64_t lines, struct ledger_won *out) {
    for (size_t i = stripe->winners_len; i > 0; i--) {
        const struct rules_winner *w = &stripe->winners[i - 1], *before = i > 1 ? w - 1 : NULL;
        lines -= w->counts.lines;
        out[i - 1] = (struct ledger_won){.stripe = number,
                                         .from = w->from,
                                         .to = w->to,
                                         .attempt = w->attempt,
                                         .predecessor = before ? before->attempt : (struct id){{0}},
                                         .forgotten = !before && stripe->pruned,
                                         .counts = w->counts,
                                         .lines_before = lines,
                                         .tail_hash = w->tail_hash,
                                         .tail_before = before ? before->tail_hash : 0,
                                         .messages = w->messages,
                                         .durable = w->durable};
    }
}

RC rules_durable(struct rules_stripe *stripe, struct id attempt, uint32_t messages, struct why *why) {
    char name[ID_TEXT];
    for (size_t i = 0; i < stripe->winners_len; i++) {
        struct rules_winner *winner = &stripe->winners[i];
        if (!id_equal(winner->attempt, attempt)) continue;
        if (messages > winner->messages - winner->durable)
            return why_set(why, RC_BROKEN,
                           "attempt %s has %" PRIu32 " messages, of which %" PRIu32 " are durable and %" PRIu32
                           " more are said to be",
                           id_format(attempt, name), winner->messages, winner->durable, messages);
        winner->durable += messages;
        return RC_OK;
    }
    if (stripe->pruned) return RC_OK;
    return why_set(why, RC_BROKEN, "attempt %s is said to be durable but never won", id_format(attempt, name));
}

size_t rules_prunable(const struct rules_stripe *stripe) {
    return stripe->winners_len && rules_outstanding(stripe) == 0 ? stripe->winners_len - 1 : 0;
}

bool rules_gone_end(const struct rules_gone *gone, uint64_t *out_end) {
    bool behind = gone->closed_end < 0 || gone->reach > (uint64_t)gone->closed_end;
    if (!gone->whole || !gone->reach || gone->reach < gone->reach_of_any || !behind) return false;
    *out_end = gone->reach;
    return true;
}

uint64_t rules_complete_at(uint64_t stripe, uint64_t stripe_bytes, uint64_t end) {
    uint64_t start;
    if (__builtin_mul_overflow(stripe, stripe_bytes, &start)) return end;
    return MIN(end, num_add(start, stripe_bytes));
}
