/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include "names.h"
#include "own.h"
#include "tombstone.h"

static RC get(const struct chain *c, struct str key, uint64_t max, struct buf *out, struct why *why) {
    enum rc rc = store_get(c->store, key, 0, max, out, why);
    return rc == RC_OK || rc == RC_ABSENT ? rc : why_wrap(why, rc, "%.*s", STR_ARG(key));
}

RC chain_get_seal(const struct chain *c, uint64_t index, struct arena *arena, struct seal *out, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(SEAL_BYTES_MAX);
    TRY(name_seal(c->queue, c->generation, c->partition, index, &key));
    TRY(get(c, buf_str(&key), SEAL_BYTES_MAX, &bytes, why));
    enum rc rc = seal_decode(buf_str(&bytes), arena, out, why);
    if (rc != RC_OK) return why_wrap(why, RC_BROKEN, "seal %s", buf_text(&key));
    bool mine = id_equal(out->queue, c->queue) && out->generation == c->generation && out->partition == c->partition &&
                out->index == index;
    return mine ? RC_OK : why_set(why, RC_BROKEN, "seal %s is one of another queue or place", buf_text(&key));
}

RC chain_get_manifest(const struct chain *c, uint64_t index, struct arena *arena, struct manifest *out,
                      struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(MANIFEST_BYTES_MAX);
    TRY(name_manifest(c->queue, c->generation, c->partition, index, &key));
    TRY(get(c, buf_str(&key), MANIFEST_BYTES_MAX, &bytes, why));
    enum rc rc = manifest_decode(buf_str(&bytes), arena, out, why);
    return rc == RC_OK ? RC_OK : why_wrap(why, RC_BROKEN, "manifest %s", buf_text(&key));
}

RC chain_has_manifest(const struct chain *c, uint64_t index, bool *out, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    TRY(name_manifest(c->queue, c->generation, c->partition, index, &key));
    uint64_t bytes = 0;
    enum rc rc = store_size(c->store, buf_str(&key), &bytes, why);
    if (rc != RC_OK && rc != RC_ABSENT) return why_wrap(why, rc, "%s", buf_text(&key));
    *out = rc == RC_OK;
    return RC_OK;
}

RC chain_check_removed(const struct chain *c, struct why *why) {
    return tombstone_check(c->store, c->queue, c->generation, RC_DENIED, why);
}

RC chain_put_seal(const struct chain *c, const struct seal *seal, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(SEAL_BYTES_MAX);
    TRY(name_seal(c->queue, c->generation, c->partition, seal->index, &key));
    enum rc rc = seal_encode(seal, &bytes);
    if (rc == RC_OK) rc = store_put_absent(c->store, buf_str(&key), buf_str(&bytes), why);
    return rc == RC_OK || rc == RC_STALE ? rc : why_wrap(why, rc, "%s", buf_text(&key));
}

RC chain_put_manifest(const struct chain *c, const struct manifest *manifest, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(MANIFEST_BYTES_MAX);
    TRY(name_manifest(c->queue, c->generation, c->partition, manifest->index, &key));
    enum rc rc = manifest_encode(manifest, &bytes);
    if (rc == RC_OK) rc = store_put_absent(c->store, buf_str(&key), buf_str(&bytes), why);
    return rc == RC_OK || rc == RC_STALE ? rc : why_wrap(why, rc, "%s", buf_text(&key));
}
