/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_codec.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <bzlib.h>
#include <stdlib.h>

enum { PIECE_MAX = 1 << 30 };

static void *bzip2_begin(size_t memory_max) {
    (void)memory_max;
    bz_stream *b = ALLOC(bz_stream);
    MUST(BZ2_bzDecompressInit(b, 0, 0) == BZ_OK);
    return b;
}

static void bzip2_again(void *self) {
    bz_stream *b = self;
    (void)BZ2_bzDecompressEnd(b);
    *b = (bz_stream){0};
    MUST(BZ2_bzDecompressInit(b, 0, 0) == BZ_OK);
}

static void bzip2_end(void *self) {
    (void)BZ2_bzDecompressEnd(self);
    free(self);
}

static enum codec_result bzip2_step(void *self, struct decode_piece *piece, const char **out_words) {
    bz_stream *b = self;
    unsigned in = (unsigned)MIN(piece->in_len, (size_t)PIECE_MAX),
             room = (unsigned)MIN(piece->out_room, (size_t)PIECE_MAX);
    b->next_in = (char *)(uintptr_t)piece->in;
    b->avail_in = in;
    b->next_out = piece->out;
    b->avail_out = room;
    int code = BZ2_bzDecompress(b);
    piece->in += in - b->avail_in;
    piece->in_len -= in - b->avail_in;
    piece->out += room - b->avail_out;
    piece->out_room -= room - b->avail_out;
    if (code == BZ_OK) return CODEC_MORE;
    if (code == BZ_STREAM_END) return CODEC_END;
    MUST(code == BZ_DATA_ERROR || code == BZ_DATA_ERROR_MAGIC);
    *out_words = "its data are corrupt";
    return CODEC_BAD;
}

const struct codec decode_bzip2 = {bzip2_begin, bzip2_again, bzip2_step, bzip2_end, true};
