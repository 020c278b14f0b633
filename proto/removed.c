/* SPDX-License-Identifier: Apache-2.0 */
#include "removed.h"

#include "document.h"
#include "own.h"

static RC check(const struct removed *r, struct why *why) {
    return id_is_none(r->queue) ? why_set(why, RC_BAD, "no queue") : RC_OK;
}

RC removed_encode(const struct removed *removed, struct buf *out) {
    TRY(check(removed, NULL));
    struct json_out json = {.to = out};
    document_begin(&json, "removed");
    document_put_id(&json, "queue", removed->queue);
    json_key_u64(&json, STR("generation"), removed->generation);
    json_key(&json, STR("removed_ns"));
    json_i64(&json, removed->removed_ns);
    json_close(&json, '}');
    buf_add_char(out, '\n');
    return buf_rc(out);
}

static RC read_removed(struct document *d, struct str bytes, struct arena *arena, struct removed *out,
                       struct why *why) {
    struct removed r = {0};
    if (bytes.len > REMOVED_BYTES_MAX) return why_set(why, RC_BAD, "%zu bytes", bytes.len);
    TRY(document_open(d, bytes, "removed", arena, why));
    TRY(document_id(d->root, "queue", &r.queue, why));
    TRY(document_u64(d->root, "generation", &r.generation, why));
    TRY(document_i64(d->root, "removed_ns", &r.removed_ns, why));
    TRY(check(&r, why));
    *out = r;
    return RC_OK;
}

RC removed_decode(struct str bytes, struct arena *arena, struct removed *out, struct why *why) {
    AUTO(document_done) struct document d = {0};
    enum rc rc = read_removed(&d, bytes, arena, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "removed");
}
