/* SPDX-License-Identifier: Apache-2.0 */
#include "decode_codec.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <lzma.h>
#include <stdlib.h>

struct xz {
    lzma_stream stream;
    size_t memory_max;
};

static void xz_again(void *self) {
    struct xz *x = self;
    MUST(lzma_stream_decoder(&x->stream, x->memory_max, 0) == LZMA_OK);
}

static void *xz_begin(size_t memory_max) {
    struct xz *x = ALLOC(struct xz);
    x->stream = (lzma_stream)LZMA_STREAM_INIT;
    x->memory_max = memory_max;
    xz_again(x);
    return x;
}

static void xz_end(void *self) {
    struct xz *x = self;
    lzma_end(&x->stream);
    free(x);
}

/* Where a chunk is damaged the library goes on into the next one as far as its input goes. With one byte at a time that
 * is always as far; it costs some 50 ns a byte. */
static enum codec_result xz_step(void *self, struct decode_piece *piece, const char **out_words) {
    struct xz *x = self;
    size_t in = MIN(piece->in_len, (size_t)1);
    x->stream.next_in = (const uint8_t *)piece->in;
    x->stream.avail_in = in;
    x->stream.next_out = (uint8_t *)piece->out;
    x->stream.avail_out = piece->out_room;
    lzma_ret code = lzma_code(&x->stream, LZMA_RUN);
    piece->in += in - x->stream.avail_in;
    piece->in_len -= in - x->stream.avail_in;
    piece->out += piece->out_room - x->stream.avail_out;
    piece->out_room = x->stream.avail_out;
    switch (code) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: return CODEC_MORE;
    case LZMA_STREAM_END: return CODEC_END;
    case LZMA_MEMLIMIT_ERROR: *out_words = "its dictionary is too large"; return CODEC_MEMORY;
    case LZMA_OPTIONS_ERROR: *out_words = "it was made with options that are not known here"; return CODEC_BAD;
    default: break;
    }
    MUST(code != LZMA_MEM_ERROR && code != LZMA_PROG_ERROR);
    *out_words = "its data are corrupt";
    return CODEC_BAD;
}

const struct codec decode_xz = {xz_begin, xz_again, xz_step, xz_end, true};
