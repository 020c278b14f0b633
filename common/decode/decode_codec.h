/* SPDX-License-Identifier: Apache-2.0 */
/* decode_codec: what a library does for decode.c: one member at a time. Not for others. */
#ifndef SLUICE_DECODE_CODEC_H
#define SLUICE_DECODE_CODEC_H

#include "decode.h"

enum codec_result {
    CODEC_MORE,  /* input or room is used up */
    CODEC_END,   /* the member is whole; what is behind it was not taken */
    CODEC_BAD,   /* what was made before it counts */
    CODEC_MEMORY /* it asks for a window over the limit */
};

struct codec {
    void *(*begin)(size_t memory_max); /* a first member */
    void (*again)(void *self);         /* another one */
    enum codec_result (*step)(void *self, struct decode_piece *piece, const char **out_words);
    void (*end)(void *self);
    /* What comes before damage depends on how much room and input there was: see DESIGN.md. */
    bool unsteady;
};

extern const struct codec decode_gzip, decode_zstd, decode_xz, decode_bzip2;

#endif
