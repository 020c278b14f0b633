/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_codec.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>
#include <zlib.h>

enum { GZIP_ONLY = 15 + 16, PIECE_MAX = 1 << 30 };

static void *gzip_begin(size_t memory_max) {
    (void)memory_max;
    z_stream *z = ALLOC(z_stream);
    MUST(inflateInit2(z, GZIP_ONLY) == Z_OK);
    return z;
}

static void gzip_again(void *self) { MUST(inflateReset(self) == Z_OK); }

static void gzip_end(void *self) {
    (void)inflateEnd(self);
    free(self);
}

static enum codec_result gzip_step(void *self, struct decode_piece *piece, const char **out_words) {
    z_stream *z = self;
    uInt in = (uInt)MIN(piece->in_len, (size_t)PIECE_MAX), room = (uInt)MIN(piece->out_room, (size_t)PIECE_MAX);
    z->next_in = (Bytef *)(uintptr_t)piece->in;
    z->avail_in = in;
    z->next_out = (Bytef *)piece->out;
    z->avail_out = room;
    int code = inflate(z, Z_NO_FLUSH);
    piece->in += in - z->avail_in;
    piece->in_len -= in - z->avail_in;
    piece->out += room - z->avail_out;
    piece->out_room -= room - z->avail_out;
    if (code == Z_OK || code == Z_BUF_ERROR) return CODEC_MORE;
    if (code == Z_STREAM_END) return CODEC_END;
    MUST(code != Z_STREAM_ERROR && code != Z_MEM_ERROR);
    *out_words = z->msg ? z->msg : "it asks for a dictionary";
    return CODEC_BAD;
}

const struct codec decode_gzip = {gzip_begin, gzip_again, gzip_step, gzip_end, false};
