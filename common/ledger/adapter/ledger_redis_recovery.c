/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery: winners are staged while they come in. The end goes through them twice: once to see that all fit, changing
 * nothing, and once to store them, some files a script. Nobody else may write meanwhile; a recoverer that dies in the
 * second round leaves what the seals prove anyway, and the next one goes over it again (REDIS.md). */
#include "ledger_redis_staged.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- the token ---- */

/* Emptied in the middle: whoever recovers looks again. */
RC redis_meta_recovering(struct redis_call *c, struct redis_meta *out, struct str *out_gate, struct why *why) {
    enum rc rc = redis_meta_load(c, out, out_gate, why);
    return rc == RC_ABSENT ? why_set(why, RC_STALE, "Redis was emptied while the ledger was recovered") : rc;
}

RC redis_own(struct redis_call *c, struct id token, struct redis_meta *out, struct why *why) {
    struct str gate;
    TRY(redis_meta_recovering(c, out, &gate, why));
    if (!out->target || !id_equal(out->token, token))
        return why_set(why, RC_STALE, "somebody else recovers the ledger, or has");
    c->gated = true;
    c->at.epoch = out->target | REDIS_RECOVERING;
    return RC_OK;
}

struct begin {
    struct ledger_epochs seen;
    struct id token;
    uint64_t target;
};

/* What another one had staged lies below an older target; the set of its files is all that is needed to remove it. */
static RC sweep(struct redis_call *c, uint64_t target, struct why *why) {
    enum { AT_ONCE = 1000 };
    struct id ids[AT_ONCE];
    size_t n = 0;
    TRY(redis_staged_page(c, target, (struct id){{0}}, AT_ONCE, ids, &n, why));
    for (size_t i = 0; i < n; i++) REDIS_WRITE(c, "del", redis_staged_key(c, target, ids[i]));
    REDIS_WRITE(c, "del", redis_staged_files(c, target)); /* more than AT_ONCE stay as a few unread bytes */
    return RC_OK;
}

static enum rc begin_body(struct redis_call *c, void *context, struct why *why) {
    struct begin *b = context;
    struct redis_meta meta;
    struct str gate;
    char life[REDIS_LIFE_MAX];
    TRY(redis_meta_recovering(c, &meta, &gate, why));
    TRY(redis_link_life(c->l->link, life, why));
    if (meta.epoch != b->seen.ledger)
        return why_set(why, RC_STALE, "the ledger is at epoch %" PRIu64 ", not %" PRIu64, meta.epoch, b->seen.ledger);
    bool mine = meta.target && id_equal(meta.token, b->token);
    if (mine && str_equal(gate, redis_gate(c, meta.target | REDIS_RECOVERING, life))) {
        b->target = meta.target; /* asked again: the answer was lost */
        return RC_OK;
    }
    if (meta.target) TRY(sweep(c, meta.target, why));
    b->target = MAX(MAX(meta.epoch, meta.target), b->seen.chains) + 1;
    meta.target = b->target;
    meta.token = b->token;
    meta.doubted = b->seen.sealed > meta.epoch;
    if (!meta.applying) meta.resets_len = 0;
    redis_meta_store(c, &meta);
    REDIS_WRITE(c, "set", redis_key(c, "gate"), redis_gate(c, b->target | REDIS_RECOVERING, life));
    return RC_OK;
}

enum rc ledger_redis_recover_begin(void *self, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                                   struct why *why) {
    struct begin b = {seen, token, 0};
    if (id_is_none(token) || seen.chains >= INT64_MAX) return why_set(why, RC_BAD, "recovery without a token or epoch");
    TRY(redis_call_run(self, (struct ledger_at){0}, false, begin_body, &b, why));
    *out_target = b.target;
    return RC_OK;
}

struct nexts {
    struct id token;
    uint64_t generation;
    struct redis_part part;
};

static enum rc next_body(struct redis_call *c, void *context, struct why *why) {
    struct nexts *l = context;
    struct redis_meta meta;
    TRY(redis_own(c, l->token, &meta, why));
    return redis_part_load(c, l->generation, &l->part, why);
}

enum rc ledger_redis_recover_next(void *self, struct id token, uint64_t generation, uint32_t partition,
                                  uint64_t *out_index, struct why *why) {
    struct nexts l = {token, generation, {'n', partition, 0, {0}}};
    if (generation > INT64_MAX) return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", generation);
    TRY(redis_call_run(self, (struct ledger_at){0}, false, next_body, &l, why));
    *out_index = l.part.value;
    return RC_OK;
}

/* ---- winners ---- */

struct giving {
    struct id token;
    const struct ledger_winner *winners;
    size_t n;
};

static struct redis_given given_of(const struct ledger_winner *w) {
    return (struct redis_given){.generation = w->attempt.generation,
                                .stripe = w->attempt.stripe,
                                .given = {.winner = {.from = w->attempt.from,
                                                     .to = w->attempt.to,
                                                     .attempt = w->attempt.id,
                                                     .counts = w->counts,
                                                     .tail_hash = w->tail_hash,
                                                     .messages = w->messages},
                                          .predecessor = w->attempt.predecessor,
                                          .has_counts = w->has_counts}};
}

static RC check_winner(struct redis_call *c, const struct ledger_winner *w, uint64_t target, struct why *why) {
    struct row *file = redis_file(c, w->attempt.file);
    struct ledger_at at = {target, w->attempt.generation};
    if (w->attempt.generation > INT64_MAX)
        return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", w->attempt.generation);
    if (!file->f.found) {
        TRY(redis_check_facts(w->attempt.file, &w->facts, why));
        redis_file_add(c, w->attempt.file, &w->facts, true);
    }
    TRY(rules_check(&w->attempt, at, file->f.facts.stripe_bytes, why));
    if (w->has_counts && !counts_hold(&w->counts)) return why_set(why, RC_BAD, "the counts of a winner do not add up");
    if (w->closed) redis_end_add(c, file, w->attempt.to, file->f.gone);
    if (w->first_end > INT64_MAX) return why_set(why, RC_BAD, "a line cannot start at %" PRIu64, w->first_end);
    if (w->first_end) redis_end_add(c, file, w->first_end, file->f.gone);
    return RC_OK;
}

/* What is staged of the same attempts already. */
static RC load_staged(struct redis_call *c, const struct giving *l, uint64_t target, struct redis_given *given,
                      struct why *why) {
    struct redis_args args = {0};
    redisReply *reply = NULL;
    redis_ask_begin(c, &args, 0);
    for (size_t i = 0; i < l->n; i++) {
        redis_args_add(&args, STR("h"));
        redis_args_add(&args, redis_staged_key(c, target, l->winners[i].attempt.file));
        redis_args_add(&args, redis_staged_field(c, &given[i]));
    }
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    for (size_t i = 0; i < l->n && rc == RC_OK; i++) {
        struct redis_given old;
        struct str value = redis_reply_str(reply->element[1 + i]);
        if (!value.at) continue;
        rc = redis_staged_unpack(redis_staged_field(c, &given[i]), value, &old, why);
        if (rc == RC_OK) redis_staged_merge(&given[i], &old);
    }
    redis_args_done(&args);
    if (reply) redis_replies_free(&reply, 1);
    return rc;
}

/* The same attempt may come twice in one call: of two partitions' seals. */
static void merge_same(struct redis_call *c, const struct giving *l, struct redis_given *given) {
    for (size_t i = 1; i < l->n; i++)
        for (size_t k = 0; k < i; k++)
            if (id_equal(given[i].given.winner.attempt, given[k].given.winner.attempt) &&
                str_equal(redis_staged_field(c, &given[i]), redis_staged_field(c, &given[k])))
                redis_staged_merge(&given[i], &given[k]);
}

static bool is_forgotten(const struct redis_call *c, uint64_t generation) {
    for (size_t i = 0; i < c->generations_stored; i++)
        if (c->generations[i] == generation) return c->forgotten[i];
    return false;
}

static enum rc winners_body(struct redis_call *c, void *context, struct why *why) {
    struct giving *l = context;
    struct redis_meta meta;
    struct redis_given *given = ARENA_ARRAY(&c->arena, struct redis_given, l->n);
    TRY(redis_own(c, l->token, &meta, why));
    for (size_t i = 0; i < l->n; i++) {
        given[i] = given_of(&l->winners[i]);
        redis_want_file(c, l->winners[i].attempt.file);
        redis_want_key(c, &l->winners[i].facts);
    }
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) TRY(check_winner(c, &l->winners[i], meta.target, why));
    if (!l->n) return RC_OK;
    TRY(load_staged(c, l, meta.target, given, why));
    merge_same(c, l, given);
    for (size_t i = 0; i < l->n; i++) {
        struct id file = l->winners[i].attempt.file;
        REDIS_WRITE(c, "hset", redis_staged_key(c, meta.target, file), redis_staged_field(c, &given[i]),
                    redis_staged_pack(c, &given[i]));
        REDIS_WRITE(c, "zadd", redis_staged_files(c, meta.target), STR("0"), arena_str(&c->arena, redis_id_str(&file)));
    }
    for (size_t i = 0; i < l->n; i++) redis_use_generation(c, l->winners[i].attempt.generation);
    for (size_t i = 0; i < l->n; i++)
        if (!is_forgotten(c, l->winners[i].attempt.generation))
            redis_claims_force(c, &l->winners[i].attempt, l->winners[i].claims);
    redis_compare(c, redis_key(c, "meta"), STR(""), true, meta.was);
    return RC_OK;
}

enum rc ledger_redis_recover_winners(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                                     struct why *why) {
    struct giving l = {token, winners, n};
    return redis_call_run(self, (struct ledger_at){0}, false, winners_body, &l, why);
}

struct resetting {
    struct id token;
    uint64_t generation;
};

static enum rc reset_body(struct redis_call *c, void *context, struct why *why) {
    struct resetting *l = context;
    struct redis_meta meta;
    TRY(redis_own(c, l->token, &meta, why));
    for (size_t i = 0; i < meta.resets_len; i++)
        if (meta.resets[i] == l->generation) return RC_OK;
    if (meta.resets_len == REDIS_GENERATIONS_MAX) return why_set(why, RC_LIMIT, "too many generations");
    meta.resets[meta.resets_len++] = l->generation;
    redis_meta_store(c, &meta);
    return RC_OK;
}

enum rc ledger_redis_recover_reset_durable(void *self, struct id token, uint64_t generation, struct why *why) {
    struct resetting l = {token, generation};
    if (generation > INT64_MAX) return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", generation);
    return redis_call_run(self, (struct ledger_at){0}, false, reset_body, &l, why);
}
