/* SPDX-License-Identifier: Apache-2.0 */
/* frame: compresses the records of one block into one frame that any reader of the format can decompress alone: a zstd
 * frame (jsonl.zst) or a gzip member (jsonl.gz), and reads such a frame back.
 *
 * A zstd frame carries its content size and its checksum. The compression parameters are those of the level for large
 * input, whatever the size of a block (zstd picks others for small input, which are worse once frames are joined), so
 * the same bytes, level and library give the same frame. A gzip member has no name and no time in its header.
 *
 * Memory: an encoder holds one compression context (frame_encoder_bytes(): about 1 MiB at level 1, 4 MiB at level 3,
 * up to 700 MiB at 19) and a buffer as large as the largest frame's raw bytes when it gathers pieces; both are kept
 * for the next frame. Threads: one at a time for each encoder or decoder. Fails: RC_LIMIT over the cap of the buf that
 * is written to; reading: RC_BROKEN for what is not one whole frame with a right checksum, RC_LIMIT for one that holds
 * more than it may. */
#ifndef SLUICE_FRAME_H
#define SLUICE_FRAME_H

#include "block.h"
#include "buf.h"

enum frame_format { FRAME_ZST, FRAME_GZ };

enum {
    FRAME_LEVEL_MIN = 1,
    FRAME_ZST_LEVEL_MAX = 19, /* above it zstd wants windows that readers refuse */
    FRAME_GZ_LEVEL_MAX = 9,
    FRAME_RAW_MAX = 1024 * 1024 * 1024, /* of one frame: the bound of zstd's seekable format */
};

/* What was compressed: goes to the block's header and to the footer. */
struct frame_facts {
    uint64_t raw_bytes;
    uint64_t raw_checksum; /* XXH3-64 of the raw bytes */
};

struct frame_encoder;
struct frame_decoder;

/* Copies the pieces one behind another to `to`, which has room for all. Records of interleaved outputs lie far apart,
 * where the processor does not expect them: they are asked for some pieces ahead. */
void frame_gather(const struct str *pieces, size_t count, char *to);

/* "jsonl.zst" and "jsonl.gz", as in the configuration, in names and in settings; else RC_BAD. */
RC frame_format_parse(struct str name, enum frame_format *out);
struct str frame_format_name(enum frame_format format);
/* The codec that a block has on the queue when it is a frame of this format. */
enum block_codec frame_codec(enum frame_format format);
/* Highest level of a format. */
int frame_level_max(enum frame_format format);
/* Library and version, for settings.encoder: "zstd 1.5.4". Valid for ever. */
struct str frame_library(enum frame_format format);

/* `level` is FRAME_LEVEL_MIN..frame_level_max(). */
struct frame_encoder *frame_encoder_new(enum frame_format format, int level);
void frame_encoder_free(struct frame_encoder *encoder);
/* For AUTO(frame_encoder_done) struct frame_encoder *e = NULL. */
static inline void frame_encoder_done(struct frame_encoder **encoder) { frame_encoder_free(*encoder); }
/* Memory that the encoder holds now, in bytes. */
size_t frame_encoder_bytes(const struct frame_encoder *encoder);
/* Appends one frame of the pieces, put together as they are (each record has its LF in there), to `out`. `pieces` are
 * at most FRAME_RAW_MAX bytes together. `out_facts` may be NULL. On failure `out` is as it was. */
RC frame_encode(struct frame_encoder *encoder, const struct str *pieces, size_t count, struct buf *out,
                struct frame_facts *out_facts);
/* The most bytes that a frame of `raw_bytes` takes: the cap for `out`. */
size_t frame_bound(enum frame_format format, size_t raw_bytes);

struct frame_decoder *frame_decoder_new(enum frame_format format);
void frame_decoder_free(struct frame_decoder *decoder);
static inline void frame_decoder_done(struct frame_decoder **decoder) { frame_decoder_free(*decoder); }
/* Appends the raw bytes of `frame`, which is exactly one frame, to `out`: RC_LIMIT when they are more than
 * `raw_bytes_max` or than `out` takes. On failure `out` is as it was. */
RC frame_decode(struct frame_decoder *decoder, struct str frame, size_t raw_bytes_max, struct buf *out,
                struct why *why);
/* How many bytes at the start of `bytes` are one frame, and what it holds; for objects without a footer. As
 * frame_decode(), and RC_BROKEN when the frame does not end in `bytes`. */
RC frame_decode_first(struct frame_decoder *decoder, struct str bytes, size_t raw_bytes_max, struct buf *out,
                      size_t *out_taken, struct why *why);

#endif
