/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_manifest: any text as each of the JSON documents in the store. What decodes can be encoded, and that decodes and
 * encodes to the same text again. */
#include "identity.h"
#include "manifest.h"
#include "must.h"
#include "own.h"
#include "receipt.h"

enum { CAP = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc again_manifest(struct str bytes, struct arena *arena, struct buf *out) {
    struct manifest manifest;
    enum rc rc = manifest_decode(bytes, arena, &manifest, NULL);
    if (rc != RC_OK) return rc;
    for (size_t i = 0; i < manifest.objects_len; i++) {
        struct str footer;
        rc = manifest_footer(&manifest.objects[i], arena, &footer);
        MUST(rc == RC_OK || rc == RC_BAD || rc == RC_ABSENT);
    }
    MUST(manifest_encode(&manifest, out) == RC_OK);
    return RC_OK;
}

static enum rc again_receipt(struct str bytes, struct arena *arena, struct buf *out) {
    struct receipt receipt;
    enum rc rc = receipt_decode(bytes, arena, &receipt, NULL);
    if (rc != RC_OK) return rc;
    MUST(receipt_encode(&receipt, out) == RC_OK);
    return RC_OK;
}

static enum rc again_identity(struct str bytes, struct arena *arena, struct buf *out) {
    struct identity identity;
    enum rc rc = identity_decode(bytes, arena, &identity, NULL);
    if (rc != RC_OK) return rc;
    MUST(identity_encode(&identity, out) == RC_OK);
    return RC_OK;
}

typedef enum rc (*again)(struct str bytes, struct arena *arena, struct buf *out);

static void try_as(struct str bytes, again again_as) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf once = BUF_INIT(CAP);
    AUTO(buf_done) struct buf twice = BUF_INIT(CAP);
    if (again_as(bytes, &arena, &once) != RC_OK) return;
    MUST(again_as(buf_str(&once), &arena, &twice) == RC_OK);
    MUST(str_equal(buf_str(&once), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    try_as(bytes, again_manifest);
    try_as(bytes, again_receipt);
    try_as(bytes, again_identity);
    return 0;
}
