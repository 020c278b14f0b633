/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_save.h"

RC ledger_identity(struct ledger ledger, struct ledger_identity *out, struct why *why) {
    return ledger.ops->identity(ledger.self, out, why);
}

RC ledger_lookup(struct ledger ledger, const struct ledger_key *keys, size_t n, struct arena *arena,
                 struct ledger_file *out, struct why *why) {
    return ledger.ops->lookup(ledger.self, ledger.at, keys, n, arena, out, why);
}

RC ledger_enroll(struct ledger ledger, const struct ledger_enroll *asks, size_t n, enum rc *out, struct why *why) {
    return ledger.ops->enroll(ledger.self, ledger.at, asks, n, out, why);
}

RC ledger_amend(struct ledger ledger, const struct ledger_amend *asks, size_t n, enum rc *out, struct why *why) {
    return ledger.ops->amend(ledger.self, ledger.at, asks, n, out, why);
}

RC ledger_close_files(struct ledger ledger, const struct ledger_close *asks, size_t n, enum rc *out, struct why *why) {
    return ledger.ops->close_files(ledger.self, ledger.at, asks, n, out, why);
}

RC ledger_checkpoints(struct ledger ledger, const struct ledger_stripe *asks, size_t n, struct arena *arena,
                      struct ledger_checkpoint *out, struct why *why) {
    return ledger.ops->checkpoints(ledger.self, ledger.at, asks, n, arena, out, why);
}

RC ledger_advance(struct ledger ledger, const struct ledger_advance *asks, size_t n,
                  const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out, struct why *why) {
    return ledger.ops->advance(ledger.self, ledger.at, asks, n, acks, acks_n, out, why);
}

RC ledger_verdicts(struct ledger ledger, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                   struct why *why) {
    return ledger.ops->verdicts(ledger.self, ledger.at, asks, n, out, why);
}

RC ledger_voids(struct ledger ledger, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                struct why *why) {
    return ledger.ops->voids(ledger.self, ledger.at, asks, n, out, why);
}

RC ledger_claims(struct ledger ledger, const struct id *keys, size_t n, struct ledger_claim *out, struct why *why) {
    return ledger.ops->claims(ledger.self, ledger.at, keys, n, out, why);
}

RC ledger_job_failed(struct ledger ledger, struct ledger_stripe stripe, struct str reason, uint32_t attempts_max,
                     uint32_t *out_failures, struct why *why) {
    return ledger.ops->job_failed(ledger.self, ledger.at, stripe, reason, attempts_max, out_failures, why);
}

RC ledger_durable(struct ledger ledger, struct ledger_batch batch, const struct ledger_durable *adds, size_t n,
                  struct why *why) {
    return ledger.ops->durable(ledger.self, ledger.at, batch, adds, n, why);
}

RC ledger_durable_next(struct ledger ledger, uint32_t partition, uint64_t *out_index, struct why *why) {
    return ledger.ops->durable_next(ledger.self, ledger.at, partition, out_index, why);
}

RC ledger_acknowledged(struct ledger ledger, uint32_t partition, uint64_t *out_end, struct why *why) {
    return ledger.ops->acknowledged(ledger.self, ledger.at, partition, out_end, why);
}

RC ledger_due(struct ledger ledger, size_t max, struct arena *arena, struct ledger_due **out, size_t *out_n,
              struct why *why) {
    return ledger.ops->due(ledger.self, ledger.at, max, arena, out, out_n, why);
}

RC ledger_receipted(struct ledger ledger, const struct ledger_close *files, size_t n, struct why *why) {
    return ledger.ops->receipted(ledger.self, ledger.at, files, n, why);
}

RC ledger_list(struct ledger ledger, struct id after, size_t max, struct arena *arena, struct ledger_listing **out,
               size_t *out_n, struct why *why) {
    return ledger.ops->list(ledger.self, ledger.at, after, max, arena, out, out_n, why);
}

RC ledger_list_stripes(struct ledger ledger, struct id file, struct arena *arena, struct ledger_stripe_listing **out,
                       size_t *out_n, struct why *why) {
    return ledger.ops->list_stripes(ledger.self, ledger.at, file, arena, out, out_n, why);
}

RC ledger_generations(struct ledger ledger, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                      struct why *why) {
    return ledger.ops->generations(ledger.self, arena, out, out_n, why);
}

RC ledger_forget(struct ledger ledger, size_t max, struct id *after, bool *out_done, struct why *why) {
    return ledger.ops->forget(ledger.self, ledger.at, max, after, out_done, why);
}

RC ledger_list_wons(struct ledger ledger, struct id file, struct arena *arena, struct ledger_wons *out,
                    struct why *why) {
    return ledger.ops->list_wons(ledger.self, ledger.at, file, arena, out, why);
}

RC ledger_recover_begin(struct ledger ledger, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                        struct why *why) {
    return ledger.ops->recover_begin(ledger.self, seen, token, out_target, why);
}

RC ledger_recover_next(struct ledger ledger, struct id token, uint32_t partition, uint64_t *out_index,
                       struct why *why) {
    return ledger.ops->recover_next(ledger.self, token, ledger.at.generation, partition, out_index, why);
}

RC ledger_recover_winners(struct ledger ledger, struct id token, const struct ledger_winner *winners, size_t n,
                          struct why *why) {
    return ledger.ops->recover_winners(ledger.self, token, winners, n, why);
}

RC ledger_recover_reset_durable(struct ledger ledger, struct id token, struct why *why) {
    return ledger.ops->recover_reset_durable(ledger.self, token, ledger.at.generation, why);
}

RC ledger_save(struct ledger ledger, struct ledger_save_ask ask, struct arena *arena, struct saved_file **out,
               size_t *out_n, struct why *why) {
    return ledger.ops->save->save(ledger.self, ledger.at, ask, arena, out, out_n, why);
}

RC ledger_recover_files(struct ledger ledger, struct id token, const struct saved_file *files, size_t n,
                        struct why *why) {
    return ledger.ops->save->recover_files(ledger.self, token, ledger.at.generation, files, n, why);
}

RC ledger_recover_counters(struct ledger ledger, struct id token, const struct saved_counter *counters, size_t n,
                           struct why *why) {
    return ledger.ops->save->recover_counters(ledger.self, token, counters, n, why);
}

RC ledger_recover_end(struct ledger ledger, struct id token, uint64_t *out_epoch, struct why *why) {
    return ledger.ops->recover_end(ledger.self, token, out_epoch, why);
}

void ledger_free(struct ledger ledger) {
    if (ledger.ops) ledger.ops->free(ledger.self);
}
