/* SPDX-License-Identifier: Apache-2.0 */
/* uploader_judge: what the ledger says of the attempts, and whether the batch is to be sealed. */
#include "uploader_inner.h"

#include "log.h"
#include "metric.h"
#include "num.h"

enum {
    JUDGE_WAIT_MS = 50,  /* between two looks at attempts that are undecided */
    IDLE_WAIT_MS = 1000, /* the longest wait without anything to do */
};

static uint64_t patience_ms(const struct uploader *u, const struct batch_attempt *attempt, uint32_t voids) {
    if (attempt->first_offset < u->settings.abandoned_before) return 0;
    return u->settings.void_after_ms << MIN(voids, (uint32_t)10);
}

/* Attempts that nobody decides are voided, one call for all whose time is up. */
static RC void_overdue(struct uploader *u, struct batch_attempt **open, const struct ledger_verdict *verdicts, size_t n,
                       uint64_t now_ms, struct why *why) {
    struct attempt asks[UPLOADER_VERDICTS];
    struct batch_attempt *which[UPLOADER_VERDICTS];
    struct ledger_verdict answers[UPLOADER_VERDICTS];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (verdicts[i].decision != LEDGER_UNDECIDED) continue;
        if (now_ms - open[i]->undecided_since_ms < patience_ms(u, open[i], verdicts[i].voids)) continue;
        which[len] = open[i];
        asks[len++] = open[i]->attempt;
    }
    if (!len) return RC_OK;
    TRY(ledger_voids(u->ports.ledger, asks, len, answers, why));
    for (size_t i = 0; i < len; i++) {
        if (answers[i].decision == LEDGER_UNDECIDED) continue;
        batch_decide(&u->batch, which[i], answers[i].decision);
        metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_VOID, 1);
        if (which[i]->first_offset >= u->settings.abandoned_before)
            LOG_WARN("attempt voided: nobody finished it", F_ID("attempt", which[i]->attempt.id),
                     F_STR("file", which[i]->facts.uri), F_U64("stripe", which[i]->attempt.stripe),
                     F_U64("offset", which[i]->attempt.from));
    }
    return RC_OK;
}

/* A file that the ledger does not know was forgotten when it was set back: what an older epoch made of it, and recovery
 * did not find to be won, never will be. */
static RC verdicts_singly(struct uploader *u, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                          struct why *why) {
    for (size_t i = 0; i < n; i++) {
        enum rc rc = ledger_verdicts(u->ports.ledger, &asks[i], 1, &out[i], why);
        if (rc == RC_ABSENT && asks[i].epoch >= u->ports.ledger.at.epoch)
            return why_wrap(why, RC_BROKEN, "the ledger was set back and has to be recovered");
        if (rc == RC_ABSENT)
            out[i] = (struct ledger_verdict){.decision = LEDGER_LOST};
        else if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* One call to the ledger for up to UPLOADER_VERDICTS attempts, from the first undecided on. */
static RC ask_verdicts(struct uploader *u, uint64_t now_ms, size_t *out_open, struct why *why) {
    struct batch_attempt *open[UPLOADER_VERDICTS];
    struct attempt asks[UPLOADER_VERDICTS];
    struct ledger_verdict verdicts[UPLOADER_VERDICTS];
    size_t n = batch_undecided(&u->batch, open, UPLOADER_VERDICTS), left = 0;
    *out_open = 0;
    if (!n) return RC_OK;
    for (size_t i = 0; i < n; i++) asks[i] = open[i]->attempt;
    enum rc rc = ledger_verdicts(u->ports.ledger, asks, n, verdicts, why);
    if (rc == RC_ABSENT) rc = verdicts_singly(u, asks, n, verdicts, why);
    if (rc != RC_OK) return rc;
    for (size_t i = 0; i < n; i++) {
        if (!open[i]->asked) open[i]->undecided_since_ms = now_ms;
        open[i]->asked = true;
        if (verdicts[i].decision != LEDGER_UNDECIDED)
            batch_decide(&u->batch, open[i], verdicts[i].decision);
        else
            left++;
    }
    *out_open = left;
    return left ? void_overdue(u, open, verdicts, n, now_ms, why) : RC_OK;
}

static bool wants_seal(struct uploader *u, uint64_t now_ms) {
    uint64_t end = batch_decided_end(&u->batch);
    if (end <= u->batch.start || !u->batch.blocks_len) return false;
    if (u->flush_to > u->batch.start) return end >= MIN(u->flush_to, u->batch.position);
    return uploader_batch_is_full(u) || now_ms - u->batch.first_ms >= u->settings.flush_ms;
}

static uint64_t wait_for(const struct uploader *u, size_t open, uint64_t now_ms) {
    if (u->batch.position < u->log_end && !uploader_batch_is_full(u)) return 0;
    if (open) return JUDGE_WAIT_MS;
    if (!u->batch.blocks_len) return IDLE_WAIT_MS;
    uint64_t age = now_ms - u->batch.first_ms;
    return age >= u->settings.flush_ms ? 0 : MIN(u->settings.flush_ms - age, (uint64_t)IDLE_WAIT_MS);
}

RC uploader_judge(struct uploader *u, uint64_t now_ms, uint64_t *out_wait_ms, struct why *why) {
    size_t open = 0;
    TRY(ask_verdicts(u, now_ms, &open, why));
    u->phase = wants_seal(u, now_ms) ? SEAL : READ;
    if (u->phase == READ) *out_wait_ms = u->flush ? 0 : wait_for(u, open, now_ms);
    return RC_OK;
}
