/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_parts: the calls that the table of operations names; what they do is told in ledger.h. Threads: any. */
#ifndef SLUICE_LEDGER_REDIS_PARTS_H
#define SLUICE_LEDGER_REDIS_PARTS_H

#include "ledger_redis_call.h"
#include "ledger_save.h"

/* Who the ledger is, and who recovers it. */
struct redis_meta {
    bool found;
    struct str was; /* as stored, for comparing */
    struct id ledger, queue, token;
    uint64_t epoch, target; /* target 0: nobody recovers */
    bool doubted;           /* the ledger's own winners have to be proven */
    bool applying;          /* an end had begun to store what it united */
    uint64_t *resets;       /* generations of which nothing is durable at the end */
    size_t resets_len;
};
/* While somebody recovers, the gate holds the target with this bit, so that nobody else's epoch can be it. */
#define REDIS_RECOVERING ((uint64_t)1 << 63)
/* What the gate holds for an epoch and a life. */
struct str redis_gate(struct redis_call *call, uint64_t epoch, const char *life);
/* RC_ABSENT where there is none. The call is not gated. */
RC redis_meta_load(struct redis_call *call, struct redis_meta *out, struct str *out_gate, struct why *why);
/* The same for a recoverer: RC_STALE where there is none. */
RC redis_meta_recovering(struct redis_call *call, struct redis_meta *out, struct str *out_gate, struct why *why);
/* Compares with what was loaded, and stores. */
void redis_meta_store(struct redis_call *call, const struct redis_meta *meta);

/* A partition's number: letter n is its next batch, a its acknowledged end. */
struct redis_part {
    char letter;
    uint32_t partition;
    uint64_t value;
    struct str was;
};
RC redis_part_load(struct redis_call *call, uint64_t generation, struct redis_part *part, struct why *why);
/* RC_STALE unless it is the recoverer's token; from here on the call is gated by the target and the server's life. */
RC redis_own(struct redis_call *call, struct id token, struct redis_meta *out, struct why *why);

/* Adds an incarnation as the newest of its key. */
void redis_file_add(struct redis_call *call, struct id id, const struct facts *facts, bool restored);
RC redis_check_facts(struct id id, const struct facts *facts, struct why *why);
void redis_end_add(struct redis_call *call, struct row *row, uint64_t end, bool gone);
RC redis_file_must(struct redis_call *call, struct id id, struct row **out, struct why *why);

enum rc ledger_redis_lookup(void *self, struct ledger_at at, const struct ledger_key *keys, size_t n,
                            struct arena *arena, struct ledger_file *out, struct why *why);
enum rc ledger_redis_enroll(void *self, struct ledger_at at, const struct ledger_enroll *asks, size_t n, enum rc *out,
                            struct why *why);
enum rc ledger_redis_amend(void *self, struct ledger_at at, const struct ledger_amend *asks, size_t n, enum rc *out,
                           struct why *why);
enum rc ledger_redis_close_files(void *self, struct ledger_at at, const struct ledger_close *asks, size_t n,
                                 enum rc *out, struct why *why);
enum rc ledger_redis_checkpoints(void *self, struct ledger_at at, const struct ledger_stripe *asks, size_t n,
                                 struct arena *arena, struct ledger_checkpoint *out, struct why *why);
enum rc ledger_redis_advance(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                             const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                             struct why *why);
enum rc ledger_redis_verdicts(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                              struct ledger_verdict *out, struct why *why);
enum rc ledger_redis_voids(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                           struct ledger_verdict *out, struct why *why);
enum rc ledger_redis_claims(void *self, struct ledger_at at, const struct id *keys, size_t n, struct ledger_claim *out,
                            struct why *why);
/* ---- claims: rows of a call like others ---- */

void redis_want_claims(struct redis_call *call, struct str claims);
/* Of rows that were loaded. */
RC redis_claims_agree(struct redis_call *call, const struct attempt *attempt, struct str claims, bool *out,
                      struct why *why);
void redis_claims_put(struct redis_call *call, const struct attempt *attempt, struct str claims);
/* For the end of a recovery, once the stripes are united: claims of places that no winner covers are removed. */
RC redis_claims_fallen(struct ledger_redis *l, struct id token, struct why *why);
/* Writes them over what is there, whatever that is. */
void redis_claims_force(struct redis_call *call, const struct attempt *attempt, struct str claims);

enum rc ledger_redis_job_failed(void *self, struct ledger_at at, struct ledger_stripe stripe, struct str reason,
                                uint32_t attempts_max, uint32_t *out_failures, struct why *why);
enum rc ledger_redis_durable(void *self, struct ledger_at at, struct ledger_batch batch,
                             const struct ledger_durable *adds, size_t n, struct why *why);
enum rc ledger_redis_durable_next(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_index,
                                  struct why *why);
enum rc ledger_redis_acknowledged(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_end,
                                  struct why *why);
enum rc ledger_redis_due(void *self, struct ledger_at at, size_t max, struct arena *arena, struct ledger_due **out,
                         size_t *out_n, struct why *why);
enum rc ledger_redis_receipted(void *self, struct ledger_at at, const struct ledger_close *files, size_t n,
                               struct why *why);
enum rc ledger_redis_list(void *self, struct ledger_at at, struct id after, size_t max, struct arena *arena,
                          struct ledger_listing **out, size_t *out_n, struct why *why);
enum rc ledger_redis_list_stripes(void *self, struct ledger_at at, struct id file, struct arena *arena,
                                  struct ledger_stripe_listing **out, size_t *out_n, struct why *why);
enum rc ledger_redis_generations(void *self, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                                 struct why *why);
enum rc ledger_redis_forget(void *self, struct ledger_at at, size_t max, struct id *after, bool *out_done,
                            struct why *why);
enum rc ledger_redis_list_wons(void *self, struct ledger_at at, struct id file, struct arena *arena,
                               struct ledger_wons *out, struct why *why);
enum rc ledger_redis_recover_begin(void *self, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                                   struct why *why);
enum rc ledger_redis_recover_next(void *self, struct id token, uint64_t generation, uint32_t partition,
                                  uint64_t *out_index, struct why *why);
enum rc ledger_redis_recover_winners(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                                     struct why *why);
enum rc ledger_redis_recover_reset_durable(void *self, struct id token, uint64_t generation, struct why *why);
enum rc ledger_redis_save_files(void *self, struct ledger_at at, struct ledger_save_ask ask, struct arena *arena,
                                struct saved_file **out, size_t *out_n, struct why *why);
enum rc ledger_redis_recover_files(void *self, struct id token, uint64_t generation, const struct saved_file *files,
                                   size_t n, struct why *why);
enum rc ledger_redis_recover_counters(void *self, struct id token, const struct saved_counter *counters, size_t n,
                                      struct why *why);
enum rc ledger_redis_recover_end(void *self, struct id token, uint64_t *out_epoch, struct why *why);

#endif
