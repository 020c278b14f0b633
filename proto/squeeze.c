/* SPDX-License-Identifier: Apache-2.0 */
#include "squeeze.h"

#include "must.h"
#include "own.h"

#include <zstd.h>

enum { SQUEEZE_LEVEL = 3 }; /* zstd's default: seals and footers are small, and much of them is random ids */

static void context_done(ZSTD_CCtx **context) { (void)ZSTD_freeCCtx(*context); }

RC squeeze(struct str bytes, struct buf *out) {
    AUTO(context_done) ZSTD_CCtx *context = ZSTD_createCCtx();
    MUST(context != NULL);
    MUST(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, SQUEEZE_LEVEL)));
    MUST(!ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
    size_t room = ZSTD_compressBound(bytes.len);
    TRY(buf_reserve(out, room));
    size_t n = ZSTD_compress2(context, out->at + out->len, room, bytes.at, bytes.len);
    MUST(!ZSTD_isError(n));
    out->len += n;
    return RC_OK;
}

RC unsqueeze(struct str frame, size_t bytes_max, struct buf *out, struct why *why) {
    unsigned long long bytes = ZSTD_getFrameContentSize(frame.at, frame.len);
    if (bytes == ZSTD_CONTENTSIZE_ERROR || bytes == ZSTD_CONTENTSIZE_UNKNOWN)
        return why_set(why, RC_BAD, "no zstd frame with a content size");
    if (bytes > bytes_max) return why_set(why, RC_BAD, "%llu bytes inflated, at most %zu", bytes, bytes_max);
    if (ZSTD_findFrameCompressedSize(frame.at, frame.len) != frame.len)
        return why_set(why, RC_BAD, "not exactly one zstd frame");
    TRY(buf_reserve(out, (size_t)bytes));
    size_t n = ZSTD_decompress(out->at + out->len, (size_t)bytes, frame.at, frame.len);
    if (ZSTD_isError(n)) return why_set(why, RC_BAD, "zstd: %s", ZSTD_getErrorName(n));
    if (n != bytes) return why_set(why, RC_BAD, "%zu bytes inflated, %llu announced", n, bytes);
    out->len += n;
    return RC_OK;
}
