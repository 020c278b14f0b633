/* SPDX-License-Identifier: Apache-2.0 */
/* frame_gz: gzip members (RFC 1952) by zlib behind frame.h; the only file of this module that sees zlib.h. Threads: one
 * at a time for each context. Contracts as the functions of the same names in frame.h. */
#ifndef SLUICE_FRAME_GZ_H
#define SLUICE_FRAME_GZ_H

#include "buf.h"

struct frame_gz_encoder;
struct frame_gz_decoder;

const char *frame_gz_version(void);
struct frame_gz_encoder *frame_gz_encoder_new(int level);
void frame_gz_encoder_free(struct frame_gz_encoder *encoder);
size_t frame_gz_encoder_bytes(void);
RC frame_gz_encode(struct frame_gz_encoder *encoder, struct str raw, struct buf *out);
size_t frame_gz_bound(size_t raw_bytes);

struct frame_gz_decoder *frame_gz_decoder_new(void);
void frame_gz_decoder_free(struct frame_gz_decoder *decoder);
/* The first member of `bytes`. */
RC frame_gz_decode(struct frame_gz_decoder *decoder, struct str bytes, size_t raw_bytes_max, struct buf *out,
                   size_t *out_taken, struct why *why);

#endif
