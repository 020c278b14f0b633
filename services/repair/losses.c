/* SPDX-License-Identifier: Apache-2.0 */
#include "losses.h"

#include "names.h"
#include "own.h"

static RC loss_key(uint64_t generation, const struct lost_attempt *a, struct buf *out) {
    struct name_loss loss = {.generation = generation,
                             .file = a->attempt.file,
                             .stripe = a->won.stripe,
                             .from = a->won.from,
                             .to = a->won.to,
                             .attempt = a->won.attempt,
                             .lines = a->won.counts.lines};
    return name_loss(&loss, out);
}

RC losses_note(struct store store, uint64_t generation, const struct lost_attempt *attempt, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    TRY(loss_key(generation, attempt, &key));
    enum rc rc = store_put_absent(store, buf_str(&key), attempt->facts.uri, why);
    return rc == RC_STALE ? RC_OK : rc;
}

RC losses_forget(struct store store, uint64_t generation, const struct lost_attempt *attempt, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    TRY(loss_key(generation, attempt, &key));
    enum rc rc = store_remove(store, buf_str(&key), why);
    return rc == RC_ABSENT ? RC_OK : rc;
}
