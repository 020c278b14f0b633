/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"
#include "manifest.h"
#include "own.h"

RC manifest_footer(const struct manifest_object *object, struct arena *arena, struct str *out) {
    struct str text = object->footer_base64;
    if (!text.len) return RC_ABSENT;
    AUTO(buf_done) struct buf bytes = BUF_INIT(text.len);
    TRY(base64_decode(text, &bytes));
    *out = arena_str(arena, buf_str(&bytes));
    return RC_OK;
}
