/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_codec.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* What one call of the library made is lost where it fails, and how much it does in one call depends on how much it is
 * given. So it gets no more than one block or one header at a time. The last byte of each comes alone: so each is
 * gathered in the library's own buffer, and what lies behind it in ours makes no difference where it is damaged. */
enum { BLOCK_HEADER = 3 };

struct zstd {
    ZSTD_DCtx *context;
    size_t hint; /* what it says that it takes next, with the header behind it; 0: not known */
    bool full;   /* it may have more text than there was room for */
};

static void *zstd_begin(size_t memory_max) {
    struct zstd *z = ALLOC(struct zstd);
    z->context = ZSTD_createDCtx();
    MUST(z->context);
    int log = 10;
    while (log < 31 && ((size_t)2 << log) <= memory_max) log++;
    MUST(!ZSTD_isError(ZSTD_DCtx_setParameter(z->context, ZSTD_d_windowLogMax, log)));
    return z;
}

static void zstd_again(void *self) {
    struct zstd *z = self;
    MUST(!ZSTD_isError(ZSTD_DCtx_reset(z->context, ZSTD_reset_session_only)));
    z->hint = 0;
    z->full = false;
}

static void zstd_end(void *self) {
    struct zstd *z = self;
    (void)ZSTD_freeDCtx(z->context);
    free(z);
}

static enum codec_result zstd_step(void *self, struct decode_piece *piece, const char **out_words) {
    struct zstd *z = self;
    if (!piece->in_len && !z->full) return CODEC_MORE; /* it fails when it is asked in vain too often */
    size_t most = z->hint > BLOCK_HEADER + 1 ? z->hint - BLOCK_HEADER - 1 : 1;
    ZSTD_inBuffer in = {piece->in, MIN(piece->in_len, most), 0};
    ZSTD_outBuffer out = {piece->out, piece->out_room, 0};
    size_t left = ZSTD_decompressStream(z->context, &out, &in);
    piece->in += in.pos;
    piece->in_len -= in.pos;
    piece->out += out.pos;
    piece->out_room -= out.pos;
    z->hint = left;
    z->full = out.pos == out.size;
    if (!ZSTD_isError(left)) return left ? CODEC_MORE : CODEC_END;
    *out_words = ZSTD_getErrorName(left);
    ZSTD_ErrorCode code = ZSTD_getErrorCode(left);
    MUST(code != ZSTD_error_memory_allocation);
    return code == ZSTD_error_frameParameter_windowTooLarge ? CODEC_MEMORY : CODEC_BAD;
}

const struct codec decode_zstd = {zstd_begin, zstd_again, zstd_step, zstd_end, false};
