/* SPDX-License-Identifier: Apache-2.0 */
/* frame_zst: zstd behind frame.h; the only file of this module that sees zstd.h. Threads: one at a time for each
 * context. Contracts as the functions of the same names in frame.h. */
#ifndef SLUICE_FRAME_ZST_H
#define SLUICE_FRAME_ZST_H

#include "buf.h"

struct frame_zst_encoder;
struct frame_zst_decoder;

const char *frame_zst_version(void);
struct frame_zst_encoder *frame_zst_encoder_new(int level);
void frame_zst_encoder_free(struct frame_zst_encoder *encoder);
size_t frame_zst_encoder_bytes(const struct frame_zst_encoder *encoder);
RC frame_zst_encode(struct frame_zst_encoder *encoder, struct str raw, struct buf *out);
size_t frame_zst_bound(size_t raw_bytes);

struct frame_zst_decoder *frame_zst_decoder_new(void);
void frame_zst_decoder_free(struct frame_zst_decoder *decoder);
/* The first frame of `bytes`. */
RC frame_zst_decode(struct frame_zst_decoder *decoder, struct str bytes, size_t raw_bytes_max, struct buf *out,
                    size_t *out_taken, struct why *why);

/* What the ends of a frame say without decompressing it: content size, and the low 32 bits of XXH64 of the content,
 * which are the frame's checksum and that of its entry in a seek table. RC_BROKEN for a frame without them, or anything
 * but exactly one frame. */
RC frame_zst_look(struct str frame, uint64_t *out_raw_bytes, uint32_t *out_checksum, struct why *why);

#endif
