/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include "document.h"
#include "own.h"
#include "wire.h"

static RC check(const struct identity *i, struct why *why) {
    TRY(wire_check_text(i->pipeline, "pipeline", 1, IDENTITY_PIPELINE_MAX, why));
    if (id_is_none(i->ledger) || id_is_none(i->queue)) return why_set(why, RC_BAD, "no ledger or no queue");
    return i->partitions ? RC_OK : why_set(why, RC_BAD, "no partitions");
}

RC identity_encode(const struct identity *identity, struct buf *out) {
    TRY(check(identity, NULL));
    struct json_out json = {.to = out};
    document_begin(&json, "identity");
    json_key_str(&json, STR("pipeline"), identity->pipeline);
    document_put_id(&json, "ledger", identity->ledger);
    document_put_id(&json, "queue", identity->queue);
    json_key_u64(&json, STR("partitions"), identity->partitions);
    json_close(&json, '}');
    buf_add_char(out, '\n');
    return buf_rc(out);
}

static RC read_identity(struct document *d, struct str bytes, struct arena *arena, struct identity *out,
                        struct why *why) {
    struct identity i = {0};
    if (bytes.len > IDENTITY_BYTES_MAX) return why_set(why, RC_BAD, "%zu bytes", bytes.len);
    TRY(document_open(d, bytes, "identity", arena, why));
    TRY(document_text(d, d->root, "pipeline", &i.pipeline, why));
    TRY(document_id(d->root, "ledger", &i.ledger, why));
    TRY(document_id(d->root, "queue", &i.queue, why));
    TRY(document_u32(d->root, "partitions", &i.partitions, why));
    TRY(check(&i, why));
    *out = i;
    return RC_OK;
}

RC identity_decode(struct str bytes, struct arena *arena, struct identity *out, struct why *why) {
    AUTO(document_done) struct document d = {0};
    enum rc rc = read_identity(&d, bytes, arena, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "identity");
}
