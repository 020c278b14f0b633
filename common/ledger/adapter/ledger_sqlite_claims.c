/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps the record of a key. */
#include "ledger_sqlite_parts.h"

#include "alloc.h"

static RC claim_get(struct ledger_sqlite *l, uint64_t generation, struct id key, struct ledger_claim *out,
                    struct why *why) {
    enum ledger_sql sql = SQL_CLAIM_GET;
    bool row = false;
    *out = (struct ledger_claim){0};
    TRY(ledger_db_first(l->db, &row, why, sql, "ud", generation, key));
    if (!row) return RC_OK;
    *out = (struct ledger_claim){
        true, {ledger_db_id(l->db, sql, 0), ledger_db_u64(l->db, sql, 1), ledger_db_u64(l->db, sql, 2)}};
    return RC_OK;
}

enum rc ledger_sqlite_claims(void *self, struct ledger_at at, const struct id *keys, size_t n, struct ledger_claim *out,
                             struct why *why) {
    struct ledger_sqlite *l = self;
    AUTO(own_free) struct ledger_claim *answers = alloc_zero(n, sizeof *answers);
    LOCKED(&l->lock);
    TRY(ledger_sqlite_begin_any(l, false, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = claim_get(l, at.generation, keys[i], &answers[i], why);
    TRY(ledger_db_end(l->db, rc, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

RC ledger_sqlite_claims_agree(struct ledger_sqlite *l, const struct attempt *attempt, struct str claims, bool *out,
                              struct why *why) {
    bool agree = true;
    for (size_t i = 0; i < claims_count(claims) && agree; i++) {
        struct claim claim = claims_at(claims, i);
        struct claim_place own = {attempt->file, attempt->stripe, claim.offset};
        struct ledger_claim stored;
        TRY(claim_get(l, attempt->generation, claim.key, &stored, why));
        agree = rules_claim_agrees(&stored, &own);
    }
    *out = agree;
    return RC_OK;
}

RC ledger_sqlite_claims_put(struct ledger_sqlite *l, uint64_t file, const struct attempt *attempt, struct str claims,
                            struct why *why) {
    for (size_t i = 0; i < claims_count(claims); i++) {
        struct claim claim = claims_at(claims, i);
        TRY(ledger_db_run(l->db, why, SQL_CLAIM_PUT, "uduuu", attempt->generation, claim.key, file, attempt->stripe,
                          claim.offset));
    }
    return RC_OK;
}
