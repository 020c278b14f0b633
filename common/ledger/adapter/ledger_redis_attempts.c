/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints and who won: the rules' answers, stored. */
#include "ledger_redis_parts.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>

/* ---- checkpoints ---- */

struct checkpoints {
    const struct ledger_stripe *asks;
    size_t n;
    struct arena *arena;
    struct ledger_checkpoint *answers;
};

static RC checkpoint(struct redis_call *c, const struct ledger_stripe *ask, struct arena *arena,
                     struct ledger_checkpoint *out, struct why *why) {
    struct row *file = redis_file(c, ask->file), *row = NULL;
    *out = (struct ledger_checkpoint){0};
    if (!file->f.found) return RC_OK;
    TRY(redis_stripe(c, ask->file, ask->stripe, &row, why));
    const struct rules_stripe *rules = &row->s.rules;
    size_t len = rules->winners_len, before = 0;
    *out = (struct ledger_checkpoint){.found = true,
                                      .at = rules_at(rules),
                                      .winner = rules_winner_id(rules),
                                      .counts = row->s.counts,
                                      .tail_hash = len ? rules->winners[len - 1].tail_hash : 0,
                                      .failures = row->s.failures,
                                      .set_aside = row->s.set_aside,
                                      .ends_total = (uint32_t)file->f.ends_len};
    while (before < file->f.ends_len && file->f.ends[before] < out->at) before++;
    out->ends_len = file->f.ends_len - before;
    if (!out->ends_len) return RC_OK;
    out->ends = ARENA_ARRAY(arena, uint64_t, out->ends_len);
    memcpy(out->ends, file->f.ends + before, out->ends_len * sizeof *out->ends);
    return RC_OK;
}

static enum rc checkpoints_body(struct redis_call *c, void *context, struct why *why) {
    struct checkpoints *l = context;
    for (size_t i = 0; i < l->n; i++) redis_want_stripe(c, l->asks[i].file, l->asks[i].stripe);
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) TRY(checkpoint(c, &l->asks[i], l->arena, &l->answers[i], why));
    return RC_OK;
}

enum rc ledger_redis_checkpoints(void *self, struct ledger_at at, const struct ledger_stripe *asks, size_t n,
                                 struct arena *arena, struct ledger_checkpoint *out, struct why *why) {
    AUTO(own_free) struct ledger_checkpoint *answers = alloc_zero(n, sizeof *answers);
    struct checkpoints l = {asks, n, arena, answers};
    TRY(redis_call_run(self, at, true, checkpoints_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- advance ---- */

/* The file and stripe of an attempt that can be. */
static RC stripe_of(struct redis_call *c, const struct attempt *attempt, struct row **out_file, struct row **out,
                    struct why *why) {
    TRY(redis_file_must(c, attempt->file, out_file, why));
    TRY(rules_check(attempt, c->at, (*out_file)->f.facts.stripe_bytes, why));
    return redis_stripe(c, attempt->file, attempt->stripe, out, why);
}

static RC store_void(struct redis_call *c, struct row *row, const struct attempt *attempt, struct why *why) {
    size_t voids = row->s.rules.voids_len;
    if (voids >= LEDGER_VOIDS_MAX)
        return why_set(why, RC_LIMIT,
                       "stripe %" PRIu64 " has %zu void attempts at and behind its checkpoint: its workers die again "
                       "and again",
                       attempt->stripe, voids);
    redis_void_add(c, row, (struct rules_void){attempt->from, attempt->id});
    return RC_OK;
}

static void append(struct redis_call *c, struct row *row, const struct ledger_advance *ask) {
    struct rules_stripe *rules = &row->s.rules;
    *redis_winner_room(c, row) = (struct rules_winner){.from = ask->attempt.from,
                                                       .to = ask->attempt.to,
                                                       .attempt = ask->attempt.id,
                                                       .counts = ask->counts,
                                                       .tail_hash = ask->tail_hash,
                                                       .messages = ask->messages};
    counts_add(&row->s.counts, &ask->counts);
    row->s.failures = 0;
    row->s.set_aside = false;
    size_t kept = 0;
    for (size_t i = 0; i < rules->voids_len; i++)
        if (!rules_void_fades(rules->voids[i].from, rules_at(rules))) rules->voids[kept++] = rules->voids[i];
    rules->voids_len = kept;
    row->dirty = true;
}

static bool ends_agree(const struct redis_file *file, const struct ledger_advance *ask) {
    uint64_t first_unseen = ask->ends_seen < file->ends_len ? file->ends[ask->ends_seen] : UINT64_MAX;
    bool is_end = false;
    for (size_t i = 0; ask->closed && i < file->ends_len && !is_end; i++) is_end = file->ends[i] == ask->attempt.to;
    return rules_ends_agree(ask, first_unseen, is_end);
}

static RC advance_one(struct redis_call *c, const struct ledger_advance *ask, enum ledger_decision *out,
                      struct why *why) {
    struct row *file = NULL, *row = NULL;
    enum rules_write write;
    char name[ID_TEXT];
    if (ask->messages == 0 || !counts_hold(&ask->counts))
        return why_set(why, RC_BAD, "attempt %s cannot be: it has no messages, or its counts do not add up",
                       id_format(ask->attempt.id, name));
    TRY(stripe_of(c, &ask->attempt, &file, &row, why));
    bool agrees = ends_agree(&file->f, ask);
    if (agrees) TRY(redis_claims_agree(c, &ask->attempt, ask->claims, &agrees, why));
    *out = rules_advance(&row->s.rules, &ask->attempt, c->at.epoch, agrees, &write);
    if (write == RULES_APPEND) {
        append(c, row, ask);
        redis_claims_put(c, &ask->attempt, ask->claims);
    }
    return write == RULES_VOID ? store_void(c, row, &ask->attempt, why) : RC_OK;
}

struct advances {
    const struct ledger_advance *asks;
    size_t n;
    const struct ledger_acknowledged *acks;
    size_t acks_n;
    enum ledger_decision *answers;
};

static RC acknowledge(struct redis_call *c, const struct ledger_acknowledged *ack, struct why *why) {
    struct buf end = BUF_INIT(8);
    if (ack->end > INT64_MAX) return why_set(why, RC_BAD, "a log cannot end at %" PRIu64, ack->end);
    redis_pack_u64(&end, ack->end);
    redis_use_generation(c, c->at.generation);
    REDIS_WRITE(c, "most", redis_key(c, "a:%" PRIu64, c->at.generation), redis_number(c, ack->partition),
                arena_str(&c->arena, buf_str(&end)));
    buf_done(&end);
    return RC_OK;
}

static enum rc advance_body(struct redis_call *c, void *context, struct why *why) {
    struct advances *l = context;
    for (size_t i = 0; i < l->n; i++) redis_want_stripe(c, l->asks[i].attempt.file, l->asks[i].attempt.stripe);
    for (size_t i = 0; i < l->n; i++) redis_want_claims(c, l->asks[i].claims);
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) TRY(advance_one(c, &l->asks[i], &l->answers[i], why));
    for (size_t i = 0; i < l->acks_n; i++) TRY(acknowledge(c, &l->acks[i], why));
    return RC_OK;
}

enum rc ledger_redis_advance(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                             const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                             struct why *why) {
    AUTO(own_free) enum ledger_decision *answers = alloc_zero(n, sizeof *answers);
    struct advances l = {asks, n, acks, acks_n, answers};
    TRY(redis_call_run(self, at, true, advance_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- verdicts and voids ---- */

struct judge {
    const struct attempt *asks;
    size_t n;
    bool make_void;
    struct ledger_verdict *answers;
};

static RC judge_one(struct redis_call *c, const struct attempt *attempt, bool make_void, struct ledger_verdict *out,
                    struct why *why) {
    struct row *file = NULL, *row = NULL;
    enum rules_write write = RULES_NOTHING;
    TRY(stripe_of(c, attempt, &file, &row, why));
    enum ledger_decision decision = make_void ? rules_void(&row->s.rules, attempt, c->at.epoch, &write)
                                              : rules_verdict(&row->s.rules, attempt, c->at.epoch);
    if (write == RULES_VOID) TRY(store_void(c, row, attempt, why));
    *out = (struct ledger_verdict){decision, rules_voids_at(&row->s.rules, attempt->from)};
    return RC_OK;
}

static enum rc judge_body(struct redis_call *c, void *context, struct why *why) {
    struct judge *l = context;
    for (size_t i = 0; i < l->n; i++) redis_want_stripe(c, l->asks[i].file, l->asks[i].stripe);
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) TRY(judge_one(c, &l->asks[i], l->make_void, &l->answers[i], why));
    return RC_OK;
}

static RC judge_all(void *self, struct ledger_at at, const struct attempt *asks, size_t n, bool make_void,
                    struct ledger_verdict *out, struct why *why) {
    AUTO(own_free) struct ledger_verdict *answers = alloc_zero(n, sizeof *answers);
    struct judge l = {asks, n, make_void, answers};
    TRY(redis_call_run(self, at, true, judge_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

enum rc ledger_redis_verdicts(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                              struct ledger_verdict *out, struct why *why) {
    return judge_all(self, at, asks, n, false, out, why);
}

enum rc ledger_redis_voids(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                           struct ledger_verdict *out, struct why *why) {
    return judge_all(self, at, asks, n, true, out, why);
}

/* ---- failures ---- */

struct failing {
    struct ledger_stripe ask;
    struct str reason;
    uint32_t max, failures;
};

static enum rc fail_body(struct redis_call *c, void *context, struct why *why) {
    struct failing *l = context;
    struct row *file = NULL, *row = NULL;
    redis_want_stripe(c, l->ask.file, l->ask.stripe);
    TRY(redis_load(c, why));
    TRY(redis_file_must(c, l->ask.file, &file, why));
    TRY(redis_stripe(c, l->ask.file, l->ask.stripe, &row, why));
    struct redis_stripe *s = &row->s;
    if (s->failures < UINT32_MAX) s->failures++;
    if (!s->set_aside) s->reason = str_sub(l->reason, 0, MIN(l->reason.len, (size_t)LEDGER_REASON_MAX));
    s->set_aside = s->set_aside || s->failures >= l->max;
    l->failures = s->failures;
    row->dirty = true;
    return RC_OK;
}

enum rc ledger_redis_job_failed(void *self, struct ledger_at at, struct ledger_stripe stripe, struct str reason,
                                uint32_t attempts_max, uint32_t *out_failures, struct why *why) {
    struct failing l = {stripe, reason, attempts_max, 0};
    TRY(redis_call_run(self, at, true, fail_body, &l, why));
    *out_failures = l.failures;
    return RC_OK;
}
