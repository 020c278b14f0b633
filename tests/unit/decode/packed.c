/* SPDX-License-Identifier: Apache-2.0 */
#include "packed.h"

#include "alloc.h"
#include "must.h"
#include "own.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

static size_t pack_gzip(struct str text, char *to, size_t room) {
    z_stream z = {0};
    MUST(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text.at;
    z.avail_in = (uInt)text.len;
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    MUST(deflate(&z, Z_FINISH) == Z_STREAM_END);
    (void)deflateEnd(&z);
    return room - z.avail_out;
}

static size_t pack_zstd(struct str text, char *to, size_t room) {
    ZSTD_CCtx *z = ZSTD_createCCtx();
    MUST(z && !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1)));
    size_t len = ZSTD_compress2(z, to, room, text.at, text.len);
    (void)ZSTD_freeCCtx(z);
    MUST(!ZSTD_isError(len));
    return len;
}

static size_t pack_xz(struct str text, char *to, size_t room) {
    size_t len = 0;
    MUST(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (const uint8_t *)text.at, text.len, (uint8_t *)to, &len,
                                 room) == LZMA_OK);
    return len;
}

static size_t pack_bzip2(struct str text, char *to, size_t room) {
    unsigned len = (unsigned)room;
    MUST(BZ2_bzBuffToBuffCompress(to, &len, (char *)(uintptr_t)text.at, (unsigned)text.len, 1, 0, 0) == BZ_OK);
    return len;
}

void packed_add(enum decode_kind kind, struct str text, struct buf *out) {
    size_t room = text.len + text.len / 50 + 2048, len = 0;
    AUTO(own_free) char *to = alloc_bytes(room);
    if (kind == DECODE_GZIP) len = pack_gzip(text, to, room);
    if (kind == DECODE_ZSTD) len = pack_zstd(text, to, room);
    if (kind == DECODE_XZ) len = pack_xz(text, to, room);
    if (kind == DECODE_BZIP2) len = pack_bzip2(text, to, room);
    buf_add(out, (struct str){to, len});
}
