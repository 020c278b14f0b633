/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include "alloc.h"
#include "chain.h"
#include "chain_end.h"
#include "giving.h"
#include "log.h"
#include "num.h"
#include "own.h"
#include "snapshot.h"
#include "tombstone.h"
#include "unsealed.h"

enum { ATTEMPTS_A_CALL = 512, MESSAGES_A_TELLING = 1024 };

static struct chain chain_of(const struct recovery_ports *p, const struct recovery_settings *s, uint64_t generation,
                             uint32_t partition) {
    return (struct chain){p->store, s->queue, generation, partition};
}

static RC is_removed(const struct recovery_ports *p, const struct recovery_settings *s, uint64_t generation, bool *out,
                     struct why *why) {
    int64_t when = 0;
    return tombstone_look(p->store, s->queue, generation, out, &when, why);
}

/* How many chains a generation has, or more: what never was answers as an empty one. */
static uint32_t chains_of(const struct recovery_ports *p, const struct recovery_settings *s, uint64_t generation) {
    return generation < p->ledger.at.generation ? MAX(s->partitions, s->partitions_before) : s->partitions;
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
                      bool *out_needed, uint64_t *out_end, struct why *out_found, struct why *why) {
    struct chain chain = chain_of(p, s, p->ledger.at.generation, partition);
    uint64_t index = 0;
    TRY(ledger_durable_next(p->ledger, partition, &index, why));
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (index = index ? index - 1 : 0;; index++) {
        arena_reset(&arena);
        struct seal seal;
        enum rc rc = chain_get_seal(&chain, index, &arena, &seal, why);
        if (rc == RC_ABSENT) break;
        if (rc != RC_OK) return rc;
        *out_end = seal.end;
        bool won = true;
        TRY(all_won(p, &seal, &won, why));
        uint64_t next = 0;
        TRY(ledger_durable_next(p->ledger, partition, &next, why));
        if (index < next || (won && seal.epoch <= p->ledger.at.epoch)) continue;
        *out_needed = true;
        (void)why_set(out_found, RC_OK, "seal %llu of partition %u holds what the ledger does not know",
                      (unsigned long long)index, partition);
        break;
    }
    return RC_OK;
}

static RC check_generation(const struct recovery_ports *ports, const struct recovery_settings *s, uint64_t generation,
                           bool *out_needed, struct why *out_found, struct why *why) {
    struct recovery_ports p = *ports;
    bool removed = false;
    p.ledger.at.generation = generation;
    TRY(is_removed(&p, s, generation, &removed, why));
    for (uint32_t k = 0; !removed && !*out_needed && k < s->partitions; k++) {
        uint64_t end = 0, start = 0, log_end = 0;
        TRY(check_chain(&p, s, k, out_needed, &end, out_found, why));
        if (*out_needed || generation != ports->ledger.at.generation) continue;
        TRY(broker_bounds(p.broker, k, &start, &log_end, why));
        if (log_end >= end) continue;
        *out_needed = true;
        (void)why_set(out_found, RC_OK, "partition %u of the queue ends at %llu, before the last seal's end at %llu", k,
                      (unsigned long long)log_end, (unsigned long long)end);
    }
    return RC_OK;
}

RC recovery_check(const struct recovery_ports *p, const struct recovery_settings *s, bool *out_needed,
                  struct why *out_found, struct why *why) {
    struct ledger_identity who;
    TRY(ledger_identity(p->ledger, &who, why));
    bool needed = who.recovering;
    if (who.target)
        (void)why_set(out_found, RC_OK, "a recovery was begun and not finished");
    else if (needed)
        (void)why_set(out_found, RC_OK, "the ledger's server is not the one, or not the life of it, that was open");
    for (uint64_t g = p->ledger.at.generation; g > 0 && !needed; g--) {
        enum rc rc = check_generation(p, s, g, &needed, out_found, why);
        if (rc == RC_DENIED && g < p->ledger.at.generation) rc = RC_STALE; /* it is being removed: its mark is there */
        if (rc != RC_OK) return rc;
    }
    *out_needed = needed;
    return RC_OK;
}

RC recovery_check_log(const struct recovery_ports *p, uint32_t partitions, struct why *why) {
    for (uint32_t k = 0; k < partitions; k++) {
        uint64_t acknowledged = 0, start = 0, end = 0;
        TRY(ledger_acknowledged(p->ledger, k, &acknowledged, why));
        TRY(broker_bounds(p->broker, k, &start, &end, why));
        if (end < acknowledged)
            return why_set(
                why, RC_BROKEN,
                "the queue lost its tail: partition %u ends at %llu, and messages up to %llu were acknowledged", k,
                (unsigned long long)end, (unsigned long long)acknowledged);
    }
    return RC_OK;
}

/* ---- the procedure ---- */

struct recovering {
    const struct recovery_ports *ports;
    const struct recovery_settings *settings;
    struct id token;
    uint64_t target;
    bool barred; /* the present generation has its barriers */
    struct giving giving;
    struct unsealed unsealed;
    struct recovery_progress progress;
    bool reset; /* batches have to be told again, all of them */
};

static void recovering_done(struct recovering *r) {
    giving_done(&r->giving);
    unsealed_done(&r->unsealed);
}

static void tell(struct recovering *r) {
    r->progress.winners = r->giving.given.len;
    if (r->settings->tell) r->settings->tell(r->settings->tell_context, &r->progress);
}

/* The highest epochs in any chain of any generation up to ours: a chain's last seals have its highest. */
static RC highest_epochs(const struct recovery_ports *p, const struct recovery_settings *s, struct ledger_epochs *out,
                         struct why *why) {
    for (uint64_t g = 1; g <= p->ledger.at.generation; g++)
        for (uint32_t k = 0; k < chains_of(p, s, g); k++) {
            struct chain chain = chain_of(p, s, g, k);
            struct chain_end end;
            TRY(chain_end_find(&chain, 0, &end, why));
            out->chains = MAX(out->chains, end.epoch);
            out->sealed = MAX(out->sealed, end.sealed);
        }
    return RC_OK;
}

/* Appends the barrier; where another seal came first, behind that one. A seal of the target epoch or a later one means
 * that another recoverer opened it since highest_epochs() looked, and the ledger was set back once more: what was
 * decided in that epoch would count as of ours (docs/model finds the line that is lost). The next try aims higher. */
static RC put_barrier(struct recovering *r, uint64_t generation, uint32_t partition, uint64_t *out_end,
                      struct why *why) {
    struct chain chain = chain_of(r->ports, r->settings, generation, partition);
    struct chain_end at = {0};
    for (;;) {
        TRY(chain_end_find(&chain, at.index, &at, why));
        if (at.epoch >= r->target)
            return why_set(why, RC_STALE, "partition %u has a seal of epoch %llu: somebody else recovered the ledger",
                           partition, (unsigned long long)at.epoch);
        struct seal barrier = {.queue = r->settings->queue,
                               .generation = generation,
                               .partition = partition,
                               .index = at.index,
                               .start = at.end,
                               .end = at.end,
                               .epoch = r->target,
                               .settings = r->settings->output};
        enum rc rc = chain_put_seal(&chain, &barrier, why);
        if (rc == RC_OK) break;
        if (rc != RC_STALE) return rc;
    }
    *out_end = at.end;
    return RC_OK;
}

/* Seals that the ledger was not told durable; all of them where it may not be a prefix of its own history. */
static RC give_chain(struct recovering *r, uint64_t generation, uint32_t partition, struct why *why) {
    struct chain chain = chain_of(r->ports, r->settings, generation, partition);
    struct ledger ledger = r->ports->ledger;
    uint64_t from = 0;
    ledger.at.generation = generation;
    if (!r->settings->full) TRY(ledger_recover_next(ledger, r->token, partition, &from, why));
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (uint64_t i = from;; i++) {
        arena_reset(&arena);
        struct seal seal;
        enum rc rc = chain_get_seal(&chain, i, &arena, &seal, why);
        if (rc == RC_ABSENT) break;
        if (rc != RC_OK) return rc;
        TRY(giving_seal(&r->giving, &seal, why));
        r->progress.seals++;
        tell(r);
    }
    r->progress.chains++;
    return RC_OK;
}

/* What lies in the log behind a chain's end, some messages at a time. */
static RC read_unsealed(struct recovering *r, struct broker broker, uint32_t partition, uint64_t from, uint64_t end,
                        struct why *why) {
    for (uint64_t to = from; from < end; from = to) {
        to = MIN(end, from + MESSAGES_A_TELLING);
        TRY(unsealed_read(&r->unsealed, broker, partition, from, to, why));
        r->progress.messages += to - from;
        tell(r);
    }
    return RC_OK;
}

/* Where a chain ends that has its barrier, and maybe what a repair put behind it. */
static RC end_of(const struct recovering *r, uint64_t generation, uint32_t partition, uint64_t *out, struct why *why) {
    struct chain chain = chain_of(r->ports, r->settings, generation, partition);
    struct chain_end at;
    TRY(chain_end_find(&chain, 0, &at, why));
    *out = at.end;
    return RC_OK;
}

/* The barrier of one chain, and what its log holds behind it. */
static RC close_chain(struct recovering *r, const struct broker *log, uint64_t generation, uint32_t partition,
                      struct why *why) {
    uint64_t chain = 0, start = 0, end = 0;
    if (r->barred)
        TRY(end_of(r, generation, partition, &chain, why));
    else
        TRY(put_barrier(r, generation, partition, &chain, why));
    if (!log) return RC_OK;
    TRY(broker_bounds(*log, partition, &start, &end, why));
    if (end < chain) return broker_skip_to(*log, partition, chain, why);
    return read_unsealed(r, *log, partition, MAX(start, chain), end, why);
}

/* `log` is NULL for an earlier generation that has none any more: whoever still seals it is kept off all the same. */
static RC close_chains(struct recovering *r, const struct broker *log, uint64_t generation, struct why *why) {
    uint32_t logs = 0;
    if (log) TRY(broker_partitions(*log, BROKER_BLOCKS, &logs, why));
    for (uint32_t k = 0; k < MAX(logs, chains_of(r->ports, r->settings, generation)); k++)
        TRY(close_chain(r, k < logs ? log : NULL, generation, k, why)); /* it may have had fewer partitions */
    return RC_OK;
}

static RC close_older(struct recovering *r, uint64_t generation, struct why *why) {
    const struct recovery_older *older = &r->ports->older;
    struct broker log;
    bool removed = false;
    TRY(is_removed(r->ports, r->settings, generation, &removed, why));
    enum rc rc = older->open && !removed ? older->open(older->self, generation, &log, why) : RC_ABSENT;
    if (rc == RC_ABSENT) return close_chains(r, NULL, generation, why);
    if (rc != RC_OK) return rc;
    rc = close_chains(r, &log, generation, why);
    broker_free(log);
    return rc;
}

/* Of a removed generation nobody needs winners, and their predecessors' blocks may be gone with its log. */
static RC give_generation(struct recovering *r, uint64_t generation, struct why *why) {
    bool removed = false;
    TRY(is_removed(r->ports, r->settings, generation, &removed, why));
    uint32_t chains = removed ? 0 : chains_of(r->ports, r->settings, generation);
    for (uint32_t k = 0; k < chains; k++) TRY(give_chain(r, generation, k, why));
    return RC_OK;
}

/* Was no batch of any chain told durable? */
static RC nothing_told(struct recovering *r, bool *out, struct why *why) {
    struct ledger ledger = r->ports->ledger;
    *out = true;
    for (uint64_t g = 1; g <= r->ports->ledger.at.generation; g++)
        for (uint32_t k = 0; k < r->settings->partitions && *out; k++) {
            uint64_t next = 0;
            ledger.at.generation = g;
            TRY(ledger_recover_next(ledger, r->token, k, &next, why));
            *out = next == 0;
        }
    return RC_OK;
}

/* A ledger without a file begins with the newest snapshot. One that knows files and was told of no batch may be what a
 * recoverer left that died over a snapshot: then all seals are read, and told again. */
static RC load_snapshot(struct recovering *r, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    const struct recovery_ports *p = r->ports;
    struct ledger_listing *files = NULL;
    struct snapshot snapshot;
    size_t n = 0;
    bool untold = false;
    TRY(ledger_list(p->ledger, (struct id){{0}}, 1, &arena, &files, &n, why));
    TRY(nothing_told(r, &untold, why));
    r->reset = r->settings->full || (n && untold);
    if (n || r->settings->full) return RC_OK;
    enum rc rc = snapshot_find(p->store, r->settings->queue, &arena, &snapshot, why);
    if (rc != RC_OK) return rc == RC_ABSENT ? RC_OK : rc;
    TRY(snapshot_load(p->store, p->ledger, r->token, &snapshot, r->settings->loaders, why));
    LOG_WARN("the ledger goes on from a snapshot", F_STR("snapshot", snapshot.name),
             F_U64("files", snapshot.index.files));
    return RC_OK;
}

static RC recover(struct recovering *r, uint64_t *out_epoch, struct why *why) {
    const struct recovery_ports *p = r->ports;
    uint64_t now = p->ledger.at.generation;
    r->progress.chains_total = 0;
    for (uint64_t g = 1; g <= now; g++) r->progress.chains_total += chains_of(p, r->settings, g);
    for (uint64_t g = 1; g < now; g++) TRY(close_older(r, g, why));
    if (r->settings->mend.run) {
        TRY(close_chains(r, NULL, now, why));
        r->barred = true;
        TRY(r->settings->mend.run(r->settings->mend.context, r->token, r->target, why));
    }
    TRY(close_chains(r, &p->broker, now, why));
    TRY(load_snapshot(r, why));
    for (uint64_t g = 1; g <= now; g++) TRY(give_generation(r, g, why));
    TRY(giving_unsealed(&r->giving, &r->unsealed, why));
    struct ledger ledger = p->ledger;
    for (uint64_t g = 1; r->reset && g <= now; g++) {
        ledger.at.generation = g;
        TRY(ledger_recover_reset_durable(ledger, r->token, why));
    }
    r->progress.uniting = true;
    tell(r);
    return ledger_recover_end(p->ledger, r->token, out_epoch, why);
}

RC recovery_run(const struct recovery_ports *p, const struct recovery_settings *s, struct rng *rng, uint64_t *out_epoch,
                struct why *why) {
    struct ledger_identity who;
    TRY(ledger_identity(p->ledger, &who, why));
    struct ledger_epochs seen = {.ledger = who.epoch};
    TRY(highest_epochs(p, s, &seen, why));
    AUTO(recovering_done) struct recovering r = {.ports = p, .settings = s, .token = id_make(rng)};
    giving_init(&r.giving, p->ledger, r.token);
    TRY(ledger_recover_begin(p->ledger, seen, r.token, &r.target, why));
    LOG_WARN("recovering the ledger from the seals", F_U64("epoch", who.epoch), F_U64("target_epoch", r.target));
    TRY(recover(&r, out_epoch, why));
    LOG_WARN("the ledger is recovered", F_U64("epoch", *out_epoch), F_U64("winners", r.giving.given.len));
    return RC_OK;
}
