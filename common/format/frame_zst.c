/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_zst.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>

/* For ZSTD_getCParams(). It is called an experimental part of zstd, but the shared library has exported it under this
 * name since 1.0. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

enum {
    /* A frame's window: as large as a block of 2 MiB. Levels 1 and 2 have less, for the sake of caches that a block
     * fits in anyway; with 2 MiB level 1 wins 0.1 to 0.8% in size on access logs at the same speed. */
    WINDOW_LOG_MIN = 21,
    CHECKSUM_BYTES = 4,
};

struct frame_zst_encoder {
    ZSTD_CCtx *context;
};
struct frame_zst_decoder {
    ZSTD_DCtx *context;
};

const char *frame_zst_version(void) { return ZSTD_versionString(); }

static void set(ZSTD_CCtx *context, ZSTD_cParameter parameter, unsigned value) {
    size_t rc = ZSTD_CCtx_setParameter(context, parameter, (int)value);
    MUST(!ZSTD_isError(rc));
}

/* The level's parameters for large input, so that a frame of 300 KB is compressed as one of 2 MB is. Blocks have a past
 * of 1 MiB on average where a stream has the whole window, which costs level 3 (double fast) 1.7 to 3.6% in size on
 * access logs; searching for matches of 6 bytes instead of 5 gives 1% of it back, and a short table of half the size 4%
 * of speed. Levels 1 and 2 (fast) step over one byte more where nothing matches: 6.5% less time for 1.3% more bytes;
 * literals are compressed all the same, which zstd stops with such steps. Measured with zstd 1.5.4, blocks of 2 MiB. */
static void set_level(ZSTD_CCtx *context, int level) {
    ZSTD_compressionParameters p = ZSTD_getCParams(level, 0, 0);
    p.windowLog = MAX(p.windowLog, (unsigned)WINDOW_LOG_MIN);
    if (p.strategy == ZSTD_fast) p.targetLength = MAX(p.targetLength, 2U);
    if (p.strategy == ZSTD_dfast) {
        p.minMatch = MAX(p.minMatch, 6U);
        p.chainLog -= 1;
    }
    set(context, ZSTD_c_compressionLevel, (unsigned)level);
    set(context, ZSTD_c_windowLog, p.windowLog);
    set(context, ZSTD_c_hashLog, p.hashLog);
    set(context, ZSTD_c_chainLog, p.chainLog);
    set(context, ZSTD_c_searchLog, p.searchLog);
    set(context, ZSTD_c_minMatch, p.minMatch);
    set(context, ZSTD_c_targetLength, p.targetLength);
    set(context, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
    set(context, ZSTD_c_strategy, p.strategy);
    set(context, ZSTD_c_contentSizeFlag, 1);
    set(context, ZSTD_c_checksumFlag, 1);
}

struct frame_zst_encoder *frame_zst_encoder_new(int level) {
    struct frame_zst_encoder *e = ALLOC(struct frame_zst_encoder);
    e->context = ZSTD_createCCtx();
    MUST(e->context != NULL);
    set_level(e->context, level);
    return e;
}

void frame_zst_encoder_free(struct frame_zst_encoder *e) {
    if (e) (void)ZSTD_freeCCtx(e->context);
    free(e);
}

size_t frame_zst_encoder_bytes(const struct frame_zst_encoder *e) { return ZSTD_sizeof_CCtx(e->context); }

size_t frame_zst_bound(size_t raw_bytes) { return ZSTD_compressBound(raw_bytes); }

RC frame_zst_encode(struct frame_zst_encoder *e, struct str raw, struct buf *out) {
    size_t room = MIN(ZSTD_compressBound(raw.len), out->cap - out->len);
    TRY(buf_reserve(out, room));
    size_t n = ZSTD_compress2(e->context, out->at + out->len, room, raw.at, raw.len);
    if (ZSTD_isError(n)) {
        MUST(ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall);
        return RC_LIMIT;
    }
    out->len += n;
    return RC_OK;
}

struct frame_zst_decoder *frame_zst_decoder_new(void) {
    struct frame_zst_decoder *d = ALLOC(struct frame_zst_decoder);
    d->context = ZSTD_createDCtx();
    MUST(d->context != NULL);
    return d;
}

void frame_zst_decoder_free(struct frame_zst_decoder *d) {
    if (d) (void)ZSTD_freeDCtx(d->context);
    free(d);
}

/* The header of a frame that we would write. zstd takes skippable frames, too, and frames without checksum. */
static RC read_header(struct str bytes, ZSTD_frameHeader *out, struct why *why) {
    size_t rc = ZSTD_getFrameHeader(out, bytes.at, bytes.len);
    if (rc != 0 || out->frameType != ZSTD_frame) return why_set(why, RC_BROKEN, "no zstd frame");
    if (out->frameContentSize == ZSTD_CONTENTSIZE_UNKNOWN || !out->checksumFlag)
        return why_set(why, RC_BROKEN, "a zstd frame without content size or checksum");
    return out->dictID ? why_set(why, RC_BROKEN, "a zstd frame that wants a dictionary") : RC_OK;
}

RC frame_zst_decode(struct frame_zst_decoder *d, struct str bytes, size_t raw_bytes_max, struct buf *out,
                    size_t *out_taken, struct why *why) {
    ZSTD_frameHeader header;
    TRY(read_header(bytes, &header, why));
    if (header.frameContentSize > raw_bytes_max)
        return why_set(why, RC_LIMIT, "a zstd frame of %llu bytes inflated, at most %zu", header.frameContentSize,
                       raw_bytes_max);
    size_t taken = ZSTD_findFrameCompressedSize(bytes.at, bytes.len);
    if (ZSTD_isError(taken)) return why_set(why, RC_BROKEN, "zstd: %s", ZSTD_getErrorName(taken));
    if (buf_reserve(out, (size_t)header.frameContentSize) != RC_OK) {
        out->over = false;
        return why_set(why, RC_LIMIT, "a zstd frame of %llu bytes inflated is too large here", header.frameContentSize);
    }
    size_t n = ZSTD_decompressDCtx(d->context, out->at + out->len, (size_t)header.frameContentSize, bytes.at, taken);
    if (ZSTD_isError(n)) return why_set(why, RC_BROKEN, "zstd: %s", ZSTD_getErrorName(n));
    if (n != header.frameContentSize)
        return why_set(why, RC_BROKEN, "a zstd frame of %zu bytes inflated that announces %llu", n,
                       header.frameContentSize);
    out->len += n;
    *out_taken = taken;
    return RC_OK;
}

RC frame_zst_look(struct str frame, uint64_t *out_raw_bytes, uint32_t *out_checksum, struct why *why) {
    ZSTD_frameHeader header;
    TRY(read_header(frame, &header, why));
    if (ZSTD_findFrameCompressedSize(frame.at, frame.len) != frame.len)
        return why_set(why, RC_BROKEN, "not exactly one zstd frame");
    uint32_t checksum = 0;
    for (size_t i = 0; i < CHECKSUM_BYTES; i++)
        checksum |= (uint32_t)(uint8_t)frame.at[frame.len - CHECKSUM_BYTES + i] << 8 * i;
    *out_raw_bytes = header.frameContentSize;
    *out_checksum = checksum;
    return RC_OK;
}
