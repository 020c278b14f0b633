/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_rules: every decision of the ledger about one stripe, pure: from what is stored to an answer and what to
 * store. Adapters load, ask here, and save; so that the rules are read in one place, tested exhaustively, and mirrored
 * by an adapter that has to say them in another language (Lua in Redis).
 *
 * Threads: pure. Memory: the caller's. Fails: where RC is returned, with the words. */
#ifndef SLUICE_LEDGER_RULES_H
#define SLUICE_LEDGER_RULES_H

#include "ledger.h"

/* What adapters say of a forgotten generation. */
#define LEDGER_FORGOTTEN_WORDS                                                                                         \
    "generation %" PRIu64 " was removed by `sluice gc`: raise `generation` in the configuration"

/* What adapters say where a snapshot is asked for that would lack claims. */
#define LEDGER_UNSAVED_WORDS                                                                                           \
    "generation %" PRIu64 " has records that are kept once: they are in seals, not in snapshots"

/* An attempt that won. */
struct rules_winner {
    uint64_t from, to;
    struct id attempt;
    struct counts counts;
    uint64_t tail_hash;
    uint32_t messages, durable; /* outstanding: messages - durable */
};

/* An attempt that can never win, as long as the checkpoint is not behind `from`. */
struct rules_void {
    uint64_t from;
    struct id attempt;
};

struct rules_stripe {
    uint64_t start;               /* of the stripe in the file */
    struct rules_winner *winners; /* ascending, each begins where the one before ends; none: nothing was converted */
    size_t winners_len;
    bool pruned;  /* winners before the first one in .winners were forgotten */
    bool doubted; /* for rules_recover(): a winner of its own stands only if something proves it */
    struct rules_void *voids;
    size_t voids_len;
};

/* The checkpoint: where the last winner ends, else the stripe's start. */
uint64_t rules_at(const struct rules_stripe *stripe);
/* Who ends there; none at the stripe's start. */
struct id rules_winner_id(const struct rules_stripe *stripe);

/* Is it an attempt that can be asked about? RC_BAD for one that no correct caller makes (another generation, an empty
 * or reversed range, before its stripe's start, no id, the predecessor itself), RC_BROKEN for one of an epoch that the
 * ledger has not reached. */
RC rules_check(const struct attempt *attempt, struct ledger_at at, uint64_t stripe_bytes, struct why *why);

/* What advance and void make the caller store. */
enum rules_write {
    RULES_NOTHING,
    RULES_APPEND, /* the attempt becomes the last winner; then drop the voids that rules_void_fades() names */
    RULES_VOID    /* the attempt becomes void */
};

/* Do the worker and the ledger agree on where lines start? `first_unseen` is the lowest closed end that the worker had
 * not seen, UINT64_MAX: none. */
static inline bool rules_ends_agree(const struct ledger_advance *ask, uint64_t first_unseen, bool to_is_end) {
    return first_unseen >= ask->attempt.to && (to_is_end || !ask->closed);
}
/* May an attempt keep its record of a key, where the ledger has a place for it already? */
static inline bool rules_claim_agrees(const struct ledger_claim *stored, const struct claim_place *own) {
    return !stored->found || claim_place_equal(&stored->place, own);
}
/* `agrees`: its ends and all its claims do. One that does not cannot become a winner; one that is stays it. */
enum ledger_decision rules_advance(const struct rules_stripe *stripe, const struct attempt *attempt, uint64_t epoch,
                                   bool agrees, enum rules_write *out_write);
enum ledger_decision rules_verdict(const struct rules_stripe *stripe, const struct attempt *attempt, uint64_t epoch);
enum ledger_decision rules_void(const struct rules_stripe *stripe, const struct attempt *attempt, uint64_t epoch,
                                enum rules_write *out_write);
/* How many attempts at `from` are void. */
uint32_t rules_voids_at(const struct rules_stripe *stripe, uint64_t from);
/* Can a void be forgotten, now that the checkpoint is `at`? */
static inline bool rules_void_fades(uint64_t from, uint64_t at) { return from < at; }

/* Messages that are won and not durable; UINT64_MAX never happens. */
uint64_t rules_outstanding(const struct rules_stripe *stripe);
/* Notes `messages` of `attempt` as durable. RC_BROKEN when it never won or has not so many; an attempt that is unknown
 * in a pruned stripe was durable before, and a batch that is told again changes nothing. */
RC rules_durable(struct rules_stripe *stripe, struct id attempt, uint32_t messages, struct why *why);
/* For people and for repair: each winner of the stripe, to out[winners_len]. `lines` is of all its winners, forgotten
 * ones too. */
void rules_list(const struct rules_stripe *stripe, uint64_t number, uint64_t lines, struct ledger_won *out);
/* How many winners at the front can be forgotten: all but the last when nothing is outstanding. */
size_t rules_prunable(const struct rules_stripe *stripe);

/* An incarnation that another one took the key of. */
struct rules_gone {
    int64_t closed_end;    /* its newest, -1: none */
    uint64_t reach;        /* its largest checkpoint in the generation of the call, 0: none */
    uint64_t reach_of_any; /* in any generation */
    bool whole;            /* every stripe that begins before `reach` is at rules_complete_at() of it, or behind */
};
/* Where it ended, as far as anybody can tell: its reach, if that is a line start for sure and an end that close would
 * take. With `whole` it is one: a line that goes over the reach would start in a stripe before it, and that stripe is
 * converted behind all its lines. Without, the reach may be the border of a stripe in the middle of a line. False: no
 * end is to be added. */
bool rules_gone_end(const struct rules_gone *gone, uint64_t *out_end);
/* Where the checkpoint of `stripe` has to be at least for a file that is closed at `end`. */
uint64_t rules_complete_at(uint64_t stripe, uint64_t stripe_bytes, uint64_t end);

/* A winner that a recovery was given. */
struct rules_given {
    struct rules_winner winner; /* .durable is not used */
    struct id predecessor;
    bool has_counts;
};

/* What a recovery makes of a stripe. */
struct rules_recovered {
    struct rules_winner *winners; /* room for stripe->winners_len + given_n */
    size_t winners_len;
    struct counts counts; /* of all winners, forgotten ones too */
};

/* Unites `given` (ascending by from) with the stripe's own winners; `counts` is of all its own. The rule is told at
 * ledger_recover_begin. RC_BROKEN: two given ones overlap, a range before a winner has none, or one's trailer is
 * missing. */
RC rules_recover(const struct rules_stripe *stripe, const struct counts *counts, const struct rules_given *given,
                 size_t given_n, struct rules_recovered *out, struct why *why);

#endif
