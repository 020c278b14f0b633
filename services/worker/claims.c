/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include "alloc.h"
#include "own.h"

RC claims_look_up(struct kept *kept, struct ledger ledger, struct ledger_stripe stripe, bool *out_again,
                  struct why *why) {
    struct str claims = kept_claims(kept);
    size_t n = claims_count(claims);
    *out_again = false;
    if (!n) return RC_OK;
    if (n > CLAIMS_MAX)
        return why_set(why, RC_BAD, "a line makes more than %d records that are kept once", CLAIMS_MAX - KEPT_SLICE);
    AUTO(own_free) struct id *keys = alloc_zero(n, sizeof *keys);
    AUTO(own_free) struct ledger_claim *stored = alloc_zero(n, sizeof *stored);
    for (size_t i = 0; i < n; i++) keys[i] = claims_at(claims, i).key;
    TRY(ledger_claims(ledger, keys, n, stored, why));
    for (size_t i = 0; i < n; i++) {
        struct claim_place own = {stripe.file, stripe.stripe, claims_at(claims, i).offset};
        if (!stored[i].found || claim_place_equal(&stored[i].place, &own)) continue;
        bool of_stripe = id_equal(stored[i].place.file, own.file) && stored[i].place.stripe == own.stripe;
        if (of_stripe)
            kept_only(kept, keys[i], stored[i].place.offset);
        else
            kept_other(kept, keys[i]);
        *out_again = true;
    }
    return RC_OK;
}
