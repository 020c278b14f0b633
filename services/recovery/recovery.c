/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include "alloc.h"
#include "chain.h"
#include "id_set.h"
#include "log.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "unsealed.h"

#include <stdlib.h>

enum { ATTEMPTS_A_CALL = 512 };

static struct chain chain_of(const struct recovery_ports *p, const struct recovery_settings *s, uint64_t generation,
                             uint32_t partition) {
    return (struct chain){p->store, s->queue, generation, partition};
}

/* ---- is it needed? ---- */

static RC all_won(const struct recovery_ports *p, const struct seal *seal, bool *out, struct why *why) {
    struct ledger_verdict verdicts[ATTEMPTS_A_CALL];
    *out = true;
    for (size_t at = 0; at < seal->attempts_len && *out; at += ATTEMPTS_A_CALL) {
        size_t n = MIN(seal->attempts_len - at, (size_t)ATTEMPTS_A_CALL);
        enum rc rc = ledger_verdicts(p->ledger, seal->attempts + at, n, verdicts, why);
        if (rc == RC_BROKEN || rc == RC_ABSENT) { /* an epoch or a file that the ledger does not know any more */
            *out = false;
            return RC_OK;
        }
        if (rc != RC_OK) return rc;
        for (size_t i = 0; i < n; i++) *out = *out && verdicts[i].decision == LEDGER_WON;
    }
    return RC_OK;
}

/* Seals from `index` on, until there is none: *out_end is where the chain ends. */
static RC check_chain(const struct recovery_ports *p, const struct recovery_settings *s, uint32_t partition,
                      bool *out_needed, struct why *out_found, struct why *why) {
    struct chain chain = chain_of(p, s, p->ledger.at.generation, partition);
    uint64_t index = 0, start = 0, end = 0, log_end = 0;
    TRY(ledger_durable_next(p->ledger, partition, &index, why));
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (index = index ? index - 1 : 0;; index++) {
        arena_reset(&arena);
        struct seal seal;
        enum rc rc = chain_get_seal(&chain, index, &arena, &seal, why);
        if (rc == RC_ABSENT) break;
        if (rc != RC_OK) return rc;
        end = seal.end;
        bool won = true;
        TRY(all_won(p, &seal, &won, why));
        uint64_t next = 0;
        TRY(ledger_durable_next(p->ledger, partition, &next, why));
        if (index < next || (won && seal.epoch <= p->ledger.at.epoch)) continue;
        *out_needed = true;
        (void)why_set(out_found, RC_OK, "seal %llu of partition %u holds what the ledger does not know",
                      (unsigned long long)index, partition);
        return RC_OK;
    }
    TRY(broker_bounds(p->broker, partition, &start, &log_end, why));
    if (log_end >= end) return RC_OK;
    *out_needed = true;
    (void)why_set(out_found, RC_OK, "partition %u of the queue ends at %llu, before the last seal's end at %llu",
                  partition, (unsigned long long)log_end, (unsigned long long)end);
    return RC_OK;
}

RC recovery_check(const struct recovery_ports *p, const struct recovery_settings *s, bool *out_needed,
                  struct why *out_found, struct why *why) {
    struct ledger_identity who;
    TRY(ledger_identity(p->ledger, &who, why));
    bool needed = who.recovering;
    if (needed) (void)why_set(out_found, RC_OK, "a recovery was begun and not finished");
    for (uint32_t k = 0; k < s->partitions && !needed; k++) TRY(check_chain(p, s, k, &needed, out_found, why));
    *out_needed = needed;
    return RC_OK;
}

/* ---- the procedure ---- */

struct recovering {
    const struct recovery_ports *ports;
    const struct recovery_settings *settings;
    struct id token;
    uint64_t target;
    struct id_set given;    /* winners */
    struct id_set counted;  /* winners whose trailer was given */
    struct id_set wanted;   /* predecessors of winners */
    struct id *wanted_list; /* the same in order; and winners that lack a trailer */
    size_t wanted_len, wanted_room;
    struct unsealed unsealed;
};

static void recovering_done(struct recovering *r) {
    id_set_done(&r->given);
    id_set_done(&r->counted);
    id_set_done(&r->wanted);
    free(r->wanted_list);
    unsealed_done(&r->unsealed);
}

static void want(struct recovering *r, struct id id) {
    if (id_is_none(id) || !id_set_add(&r->wanted, id)) return;
    alloc_grow(&r->wanted_list, &r->wanted_room, r->wanted_len + 1, sizeof *r->wanted_list);
    r->wanted_list[r->wanted_len++] = id;
}

/* The end of a chain: the index where nothing is yet, and where the last seal ends. */
static RC chain_end(const struct chain *chain, uint64_t from, uint64_t *out_index, uint64_t *out_end,
                    uint64_t *out_epoch, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (uint64_t i = from;; i++) {
        arena_reset(&arena);
        struct seal seal;
        enum rc rc = chain_get_seal(chain, i, &arena, &seal, why);
        if (rc == RC_ABSENT) {
            *out_index = i;
            return RC_OK;
        }
        if (rc != RC_OK) return rc;
        *out_end = seal.end;
        *out_epoch = MAX(*out_epoch, seal.epoch);
    }
}

/* The highest epoch in any chain of any generation up to ours. */
static RC highest_epoch(const struct recovery_ports *p, const struct recovery_settings *s, uint64_t *out,
                        struct why *why) {
    for (uint64_t g = 1; g <= p->ledger.at.generation; g++)
        for (uint32_t k = 0; k < s->partitions; k++) {
            struct chain chain = chain_of(p, s, g, k);
            uint64_t index = 0, end = 0;
            TRY(chain_end(&chain, 0, &index, &end, out, why));
        }
    return RC_OK;
}

/* Appends the barrier; where another seal came first, behind that one. A seal of the target epoch or a later one means
 * that another recoverer opened it since highest_epoch() looked, and the ledger was set back once more: what was
 * decided in that epoch would count as of ours (docs/model finds the line that is lost). The next try aims higher. */
static RC put_barrier(struct recovering *r, uint32_t partition, uint64_t *out_end, struct why *why) {
    struct chain chain = chain_of(r->ports, r->settings, r->ports->ledger.at.generation, partition);
    uint64_t index = 0, end = 0, epoch = 0;
    for (;;) {
        TRY(chain_end(&chain, index, &index, &end, &epoch, why));
        if (epoch >= r->target)
            return why_set(why, RC_STALE, "partition %u has a seal of epoch %llu: somebody else recovered the ledger",
                           partition, (unsigned long long)epoch);
        struct seal barrier = {.queue = r->settings->queue,
                               .generation = r->ports->ledger.at.generation,
                               .partition = partition,
                               .index = index,
                               .start = end,
                               .end = end,
                               .epoch = r->target,
                               .settings = r->settings->output};
        enum rc rc = chain_put_seal(&chain, &barrier, why);
        if (rc == RC_OK) break;
        if (rc != RC_STALE) return rc;
    }
    *out_end = end;
    return RC_OK;
}

static RC give(struct recovering *r, const struct ledger_winner *winner, struct why *why) {
    TRY(ledger_recover_winners(r->ports->ledger, r->token, winner, 1, why));
    (void)id_set_add(&r->given, winner->attempt.id);
    if (winner->has_counts) (void)id_set_add(&r->counted, winner->attempt.id);
    want(r, winner->attempt.predecessor);
    return RC_OK;
}

static int by_attempt(const void *a, const void *b) {
    const struct block_trailer *x = a, *y = b;
    return id_compare(x->attempt.id, y->attempt.id);
}

/* The seal's trailers are sorted by give_seal(). */
static const struct block_trailer *trailer_in(const struct seal *seal, struct id attempt) {
    struct block_trailer key = {.attempt = {.id = attempt}};
    return seal->trailers_len ? bsearch(&key, seal->trailers, seal->trailers_len, sizeof key, by_attempt) : NULL;
}

static RC give_seal(struct recovering *r, struct seal *seal, struct why *why) {
    if (seal->trailers_len) qsort(seal->trailers, seal->trailers_len, sizeof *seal->trailers, by_attempt);
    for (size_t i = 0; i < seal->attempts_len; i++) {
        struct ledger_winner w = {.attempt = seal->attempts[i], .facts = seal->facts[i]};
        const struct block_trailer *t = trailer_in(seal, w.attempt.id);
        if (t) {
            w.has_counts = true;
            w.counts = t->counts;
            w.tail_hash = t->tail_hash;
            w.messages = t->blocks + 1;
            w.closed = t->closed;
            w.first_end = t->first_end;
        }
        TRY(give(r, &w, why));
    }
    return RC_OK;
}

static RC give_chain(struct recovering *r, uint64_t generation, uint32_t partition, struct why *why) {
    struct chain chain = chain_of(r->ports, r->settings, generation, partition);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (uint64_t i = 0;; i++) {
        arena_reset(&arena);
        struct seal seal;
        enum rc rc = chain_get_seal(&chain, i, &arena, &seal, why);
        if (rc == RC_ABSENT) return RC_OK;
        if (rc != RC_OK) return rc;
        TRY(give_seal(r, &seal, why));
        for (size_t k = 0; k < seal.attempts_len; k++) /* a trailer may lie behind the chain's end */
            if (!id_set_has(&r->counted, seal.attempts[k].id)) want(r, seal.attempts[k].id);
    }
}

/* Predecessors and trailers that no seal has are looked for in the log; the list grows as they are found. */
static RC give_unsealed(struct recovering *r, struct why *why) {
    for (size_t i = 0; i < r->wanted_len; i++) {
        struct id id = r->wanted_list[i];
        if (id_set_has(&r->given, id) && id_set_has(&r->counted, id)) continue;
        const struct ledger_winner *found = unsealed_find(&r->unsealed, id);
        if (found) TRY(give(r, found, why));
    }
    return RC_OK;
}

static RC recover(struct recovering *r, uint64_t *out_epoch, struct why *why) {
    const struct recovery_ports *p = r->ports;
    for (uint32_t k = 0; k < r->settings->partitions; k++) {
        uint64_t chain = 0, start = 0, end = 0;
        TRY(put_barrier(r, k, &chain, why));
        TRY(broker_bounds(p->broker, k, &start, &end, why));
        if (end < chain)
            TRY(broker_skip_to(p->broker, k, chain, why));
        else
            TRY(unsealed_read(&r->unsealed, p->broker, k, MAX(start, chain), end, why));
    }
    for (uint64_t g = 1; g <= p->ledger.at.generation; g++)
        for (uint32_t k = 0; k < r->settings->partitions; k++) TRY(give_chain(r, g, k, why));
    TRY(give_unsealed(r, why));
    return ledger_recover_end(p->ledger, r->token, out_epoch, why);
}

RC recovery_run(const struct recovery_ports *p, const struct recovery_settings *s, struct rng *rng, uint64_t *out_epoch,
                struct why *why) {
    struct ledger_identity who;
    TRY(ledger_identity(p->ledger, &who, why));
    struct ledger_epochs seen = {.ledger = who.epoch};
    TRY(highest_epoch(p, s, &seen.chains, why));
    AUTO(recovering_done) struct recovering r = {.ports = p, .settings = s, .token = id_make(rng)};
    TRY(ledger_recover_begin(p->ledger, seen, r.token, &r.target, why));
    LOG_WARN("recovering the ledger from the seals", F_U64("epoch", who.epoch), F_U64("target_epoch", r.target));
    TRY(recover(&r, out_epoch, why));
    LOG_WARN("the ledger is recovered", F_U64("epoch", *out_epoch), F_U64("winners", r.given.len));
    return RC_OK;
}
