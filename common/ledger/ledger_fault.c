/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_fault.h"

#include "ledger_save.h"

#include "alloc.h"
#include "must.h"
#include "own.h"

struct ledger_fault {
    struct ledger inner;
    pthread_mutex_t lock;
    struct ledger_fault_plan plan;
    uint64_t effects;
    bool crashed;
    ledger_fault_decide decide;
    void *context;
};

/* What becomes of the call that comes now. */
struct fate {
    bool happens;
    enum rc rc; /* RC_OK: what the inner ledger answers */
};

/* What strikes the call number `now`, and what it tells. */
static enum ledger_fault_kind strikes(struct ledger_fault *fault, uint64_t now, enum rc *out_rc) {
    *out_rc = RC_BUSY;
    if (fault->decide) return fault->decide(fault->context, out_rc);
    *out_rc = fault->plan.rc;
    return now == fault->plan.at ? fault->plan.kind : LEDGER_FAULT_NONE;
}

static struct fate next_fate(struct ledger_fault *fault, struct why *why) {
    LOCKED(&fault->lock);
    uint64_t now = fault->effects++;
    struct fate fate = {true, RC_OK};
    enum rc told = RC_OK;
    enum ledger_fault_kind kind = fault->crashed ? LEDGER_FAULT_CRASH : strikes(fault, now, &told);
    if (kind != LEDGER_FAULT_NONE) {
        fault->crashed = kind == LEDGER_FAULT_CRASH || kind == LEDGER_FAULT_CRASH_AFTER;
        fate.happens = kind == LEDGER_FAULT_AFTER || kind == LEDGER_FAULT_CRASH_AFTER;
        fate.rc = fault->crashed ? RC_STOP : told;
    }
    if (fate.rc != RC_OK) (void)why_set(why, fate.rc, "planned fault at ledger call %llu", (unsigned long long)now);
    return fate;
}

/* `call` writes to its outputs only when its answer is to be seen: outputs go through copies where it is lost. */
#define FATED(call, lost_call)                                                                                         \
    struct ledger_fault *fault = self;                                                                                 \
    struct ledger inner = fault->inner;                                                                                \
    struct fate fate = next_fate(fault, why);                                                                          \
    if (fate.rc == RC_OK) return (call);                                                                               \
    if (fate.happens) {                                                                                                \
        enum rc lost = (lost_call);                                                                                    \
        (void)lost;                                                                                                    \
    }                                                                                                                  \
    return fate.rc
/* For calls that change nothing: a lost answer is the same as no call. */
#define FATED_READ(call) FATED(call, RC_OK)

static enum rc identity(void *self, struct ledger_identity *out, struct why *why) {
    FATED_READ(inner.ops->identity(inner.self, out, why));
}

static enum rc lookup(void *self, struct ledger_at at, const struct ledger_key *keys, size_t n, struct arena *arena,
                      struct ledger_file *out, struct why *why) {
    FATED_READ(inner.ops->lookup(inner.self, at, keys, n, arena, out, why));
}

static enum rc enroll(void *self, struct ledger_at at, const struct ledger_enroll *asks, size_t n, enum rc *out,
                      struct why *why) {
    AUTO(own_free) enum rc *hidden = alloc_zero(n, sizeof *hidden);
    FATED(inner.ops->enroll(inner.self, at, asks, n, out, why),
          inner.ops->enroll(inner.self, at, asks, n, hidden, NULL));
}

static enum rc amend(void *self, struct ledger_at at, const struct ledger_amend *asks, size_t n, enum rc *out,
                     struct why *why) {
    AUTO(own_free) enum rc *hidden = alloc_zero(n, sizeof *hidden);
    FATED(inner.ops->amend(inner.self, at, asks, n, out, why), inner.ops->amend(inner.self, at, asks, n, hidden, NULL));
}

static enum rc close_files(void *self, struct ledger_at at, const struct ledger_close *asks, size_t n, enum rc *out,
                           struct why *why) {
    AUTO(own_free) enum rc *hidden = alloc_zero(n, sizeof *hidden);
    FATED(inner.ops->close_files(inner.self, at, asks, n, out, why),
          inner.ops->close_files(inner.self, at, asks, n, hidden, NULL));
}

static enum rc checkpoints(void *self, struct ledger_at at, const struct ledger_stripe *asks, size_t n,
                           struct arena *arena, struct ledger_checkpoint *out, struct why *why) {
    FATED_READ(inner.ops->checkpoints(inner.self, at, asks, n, arena, out, why));
}

static enum rc advance(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                       const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                       struct why *why) {
    AUTO(own_free) enum ledger_decision *hidden = alloc_zero(n, sizeof *hidden);
    FATED(inner.ops->advance(inner.self, at, asks, n, acks, acks_n, out, why),
          inner.ops->advance(inner.self, at, asks, n, acks, acks_n, hidden, NULL));
}

static enum rc verdicts(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                        struct ledger_verdict *out, struct why *why) {
    FATED_READ(inner.ops->verdicts(inner.self, at, asks, n, out, why));
}

static enum rc voids(void *self, struct ledger_at at, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                     struct why *why) {
    AUTO(own_free) struct ledger_verdict *hidden = alloc_zero(n, sizeof *hidden);
    FATED(inner.ops->voids(inner.self, at, asks, n, out, why), inner.ops->voids(inner.self, at, asks, n, hidden, NULL));
}

static enum rc claims(void *self, struct ledger_at at, const struct id *keys, size_t n, struct ledger_claim *out,
                      struct why *why) {
    FATED_READ(inner.ops->claims(inner.self, at, keys, n, out, why));
}

static enum rc job_failed(void *self, struct ledger_at at, struct ledger_stripe stripe, struct str reason,
                          uint32_t attempts_max, uint32_t *out_failures, struct why *why) {
    uint32_t hidden;
    FATED(inner.ops->job_failed(inner.self, at, stripe, reason, attempts_max, out_failures, why),
          inner.ops->job_failed(inner.self, at, stripe, reason, attempts_max, &hidden, NULL));
}

static enum rc durable(void *self, struct ledger_at at, struct ledger_batch batch, const struct ledger_durable *adds,
                       size_t n, struct why *why) {
    FATED(inner.ops->durable(inner.self, at, batch, adds, n, why),
          inner.ops->durable(inner.self, at, batch, adds, n, NULL));
}

static enum rc durable_next(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_index, struct why *why) {
    FATED_READ(inner.ops->durable_next(inner.self, at, partition, out_index, why));
}

static enum rc acknowledged(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_end, struct why *why) {
    FATED_READ(inner.ops->acknowledged(inner.self, at, partition, out_end, why));
}

static enum rc due(void *self, struct ledger_at at, size_t max, struct arena *arena, struct ledger_due **out,
                   size_t *out_n, struct why *why) {
    FATED_READ(inner.ops->due(inner.self, at, max, arena, out, out_n, why));
}

static enum rc receipted(void *self, struct ledger_at at, const struct ledger_close *files, size_t n, struct why *why) {
    FATED(inner.ops->receipted(inner.self, at, files, n, why), inner.ops->receipted(inner.self, at, files, n, NULL));
}

static enum rc list(void *self, struct ledger_at at, struct id after, size_t max, struct arena *arena,
                    struct ledger_listing **out, size_t *out_n, struct why *why) {
    FATED_READ(inner.ops->list(inner.self, at, after, max, arena, out, out_n, why));
}

static enum rc list_stripes(void *self, struct ledger_at at, struct id file, struct arena *arena,
                            struct ledger_stripe_listing **out, size_t *out_n, struct why *why) {
    FATED_READ(inner.ops->list_stripes(inner.self, at, file, arena, out, out_n, why));
}

static enum rc generations(void *self, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                           struct why *why) {
    FATED_READ(inner.ops->generations(inner.self, arena, out, out_n, why));
}

static enum rc forget(void *self, struct ledger_at at, size_t max, struct id *after, bool *out_done, struct why *why) {
    struct id hidden = *after;
    bool hidden_done;
    FATED(inner.ops->forget(inner.self, at, max, after, out_done, why),
          inner.ops->forget(inner.self, at, max, &hidden, &hidden_done, NULL));
}

static enum rc list_wons(void *self, struct ledger_at at, struct id file, struct arena *arena, struct ledger_wons *out,
                         struct why *why) {
    FATED_READ(inner.ops->list_wons(inner.self, at, file, arena, out, why));
}

static enum rc recover_begin(void *self, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                             struct why *why) {
    uint64_t hidden;
    FATED(inner.ops->recover_begin(inner.self, seen, token, out_target, why),
          inner.ops->recover_begin(inner.self, seen, token, &hidden, NULL));
}

static enum rc recover_next(void *self, struct id token, uint64_t generation, uint32_t partition, uint64_t *out_index,
                            struct why *why) {
    FATED_READ(inner.ops->recover_next(inner.self, token, generation, partition, out_index, why));
}

static enum rc recover_winners(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                               struct why *why) {
    FATED(inner.ops->recover_winners(inner.self, token, winners, n, why),
          inner.ops->recover_winners(inner.self, token, winners, n, NULL));
}

static enum rc recover_reset_durable(void *self, struct id token, uint64_t generation, struct why *why) {
    FATED(inner.ops->recover_reset_durable(inner.self, token, generation, why),
          inner.ops->recover_reset_durable(inner.self, token, generation, NULL));
}

static enum rc save(void *self, struct ledger_at at, struct ledger_save_ask ask, struct arena *arena,
                    struct saved_file **out, size_t *out_n, struct why *why) {
    FATED_READ(inner.ops->save->save(inner.self, at, ask, arena, out, out_n, why));
}

static enum rc recover_files(void *self, struct id token, uint64_t generation, const struct saved_file *files, size_t n,
                             struct why *why) {
    FATED(inner.ops->save->recover_files(inner.self, token, generation, files, n, why),
          inner.ops->save->recover_files(inner.self, token, generation, files, n, NULL));
}

static enum rc recover_counters(void *self, struct id token, const struct saved_counter *counters, size_t n,
                                struct why *why) {
    FATED(inner.ops->save->recover_counters(inner.self, token, counters, n, why),
          inner.ops->save->recover_counters(inner.self, token, counters, n, NULL));
}

static enum rc recover_end(void *self, struct id token, uint64_t *out_epoch, struct why *why) {
    uint64_t hidden;
    FATED(inner.ops->recover_end(inner.self, token, out_epoch, why),
          inner.ops->recover_end(inner.self, token, &hidden, NULL));
}

static void fault_free(void *self) {
    struct ledger_fault *fault = self;
    (void)pthread_mutex_destroy(&fault->lock);
    free(fault);
}

static const struct ledger_save_ops save_ops = {save, recover_files, recover_counters};
static const struct ledger_ops ops = {identity,    lookup,        enroll,       amend,           close_files,
                                      checkpoints, advance,       verdicts,     voids,           claims,
                                      job_failed,  durable,       durable_next, acknowledged,    due,
                                      receipted,   list,          list_stripes, generations,     forget,
                                      list_wons,   recover_begin, recover_next, recover_winners, recover_reset_durable,
                                      recover_end, &save_ops,     fault_free};

struct ledger ledger_fault_new(struct ledger inner, struct ledger_fault **out_fault) {
    struct ledger_fault *fault = ALLOC(struct ledger_fault);
    fault->inner = inner;
    MUST(pthread_mutex_init(&fault->lock, NULL) == 0);
    *out_fault = fault;
    return (struct ledger){&ops, fault, inner.at};
}

void ledger_fault_plan(struct ledger_fault *fault, struct ledger_fault_plan plan) {
    LOCKED(&fault->lock);
    fault->plan = plan;
}

void ledger_fault_by(struct ledger_fault *fault, ledger_fault_decide decide, void *context) {
    LOCKED(&fault->lock);
    fault->decide = decide;
    fault->context = context;
}

uint64_t ledger_fault_effects(struct ledger_fault *fault) {
    LOCKED(&fault->lock);
    return fault->effects;
}
