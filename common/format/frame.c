/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include "alloc.h"
#include "frame_gz.h"
#include "frame_zst.h"
#include "must.h"
#include "num.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    struct str name;
    enum block_codec codec;
    int level_max;
} formats[] = {
    [FRAME_ZST] = {{"jsonl.zst", 9}, BLOCK_ZSTD, FRAME_ZST_LEVEL_MAX},
    [FRAME_GZ] = {{"jsonl.gz", 8}, BLOCK_GZIP, FRAME_GZ_LEVEL_MAX},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

RC frame_format_parse(struct str name, enum frame_format *out) {
    for (int i = 0; i < FORMATS; i++)
        if (str_equal(name, formats[i].name)) {
            *out = (enum frame_format)i;
            return RC_OK;
        }
    return RC_BAD;
}

struct str frame_format_name(enum frame_format format) {
    return formats[format].name;
}
enum block_codec frame_codec(enum frame_format format) { return formats[format].codec; }
int frame_level_max(enum frame_format format) { return formats[format].level_max; }

/* The version texts are the libraries' constants; put together once. */
static char library_text[FORMATS][32];
static void make_library_text(void) {
    (void)snprintf(library_text[FRAME_ZST], sizeof library_text[0], "zstd %s", frame_zst_version());
    (void)snprintf(library_text[FRAME_GZ], sizeof library_text[0], "zlib %s", frame_gz_version());
}

struct str frame_library(enum frame_format format) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_library_text);
    return str_of(library_text[format]);
}

struct frame_encoder {
    enum frame_format format;
    struct frame_zst_encoder *zst;
    struct frame_gz_encoder *gz;
    struct buf gathered;
};

struct frame_encoder *frame_encoder_new(enum frame_format format, int level) {
    MUST(level >= FRAME_LEVEL_MIN && level <= frame_level_max(format));
    struct frame_encoder *e = ALLOC(struct frame_encoder);
    e->format = format;
    e->gathered = BUF_INIT(FRAME_RAW_MAX);
    if (format == FRAME_ZST)
        e->zst = frame_zst_encoder_new(level);
    else
        e->gz = frame_gz_encoder_new(level);
    return e;
}

void frame_encoder_free(struct frame_encoder *e) {
    if (!e) return;
    frame_zst_encoder_free(e->zst);
    frame_gz_encoder_free(e->gz);
    buf_done(&e->gathered);
    free(e);
}

size_t frame_encoder_bytes(const struct frame_encoder *e) {
    size_t context = e->format == FRAME_ZST ? frame_zst_encoder_bytes(e->zst) : frame_gz_encoder_bytes();
    return context + e->gathered.room;
}

/* Do the pieces lie behind one another? Those of an output that has the input to itself do. */
static bool contiguous(const struct str *pieces, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (pieces[i - 1].at + pieces[i - 1].len != pieces[i].at) return false;
    return true;
}

/* The cache lines of a piece, as far as they are worth it: behind them the processor sees by itself what comes. */
static inline void ask_for(struct str piece) {
    enum { LINE = 64, MOST = 512 };
    for (size_t at = 0; at < MIN(piece.len, (size_t)MOST); at += LINE) __builtin_prefetch(piece.at + at);
}

void frame_gather(const struct str *pieces, size_t count, char *to) {
    enum { AHEAD = 12 };
    for (size_t i = 0; i < MIN(count, (size_t)AHEAD); i++) ask_for(pieces[i]);
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count) ask_for(pieces[i + AHEAD]);
        if (pieces[i].len) memcpy(to, pieces[i].at, pieces[i].len);
        to += pieces[i].len;
    }
}

/* Copying the pieces together and compressing at once is 6 to 14% faster than giving a stream one record after the
 * other, although zstd then reads from its own copy of the window. */
static struct str gather(struct frame_encoder *e, const struct str *pieces, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += pieces[i].len;
    if (count && contiguous(pieces, count)) return (struct str){pieces[0].at, sum};
    buf_reset(&e->gathered);
    MUST(buf_reserve(&e->gathered, sum) == RC_OK);
    frame_gather(pieces, count, e->gathered.at);
    e->gathered.len = sum;
    return buf_str(&e->gathered);
}

RC frame_encode(struct frame_encoder *e, const struct str *pieces, size_t count, struct buf *out,
                struct frame_facts *out_facts) {
    struct str raw = gather(e, pieces, count);
    MUST(raw.len <= FRAME_RAW_MAX);
    TRY(e->format == FRAME_ZST ? frame_zst_encode(e->zst, raw, out) : frame_gz_encode(e->gz, raw, out));
    if (out_facts) *out_facts = (struct frame_facts){raw.len, hash_bytes(raw)};
    return RC_OK;
}

size_t frame_bound(enum frame_format format, size_t raw_bytes) {
    return format == FRAME_ZST ? frame_zst_bound(raw_bytes) : frame_gz_bound(raw_bytes);
}

struct frame_decoder {
    enum frame_format format;
    struct frame_zst_decoder *zst;
    struct frame_gz_decoder *gz;
};

struct frame_decoder *frame_decoder_new(enum frame_format format) {
    struct frame_decoder *d = ALLOC(struct frame_decoder);
    d->format = format;
    if (format == FRAME_ZST)
        d->zst = frame_zst_decoder_new();
    else
        d->gz = frame_gz_decoder_new();
    return d;
}

void frame_decoder_free(struct frame_decoder *d) {
    if (!d) return;
    frame_zst_decoder_free(d->zst);
    frame_gz_decoder_free(d->gz);
    free(d);
}

RC frame_decode_first(struct frame_decoder *d, struct str bytes, size_t raw_bytes_max, struct buf *out,
                      size_t *out_taken, struct why *why) {
    if (d->format == FRAME_ZST) return frame_zst_decode(d->zst, bytes, raw_bytes_max, out, out_taken, why);
    return frame_gz_decode(d->gz, bytes, raw_bytes_max, out, out_taken, why);
}

RC frame_decode(struct frame_decoder *d, struct str frame, size_t raw_bytes_max, struct buf *out, struct why *why) {
    size_t len = out->len, taken = 0;
    TRY(frame_decode_first(d, frame, raw_bytes_max, out, &taken, why));
    if (taken == frame.len) return RC_OK;
    out->len = len;
    return why_set(why, RC_BROKEN, "%zu bytes behind a frame", frame.len - taken);
}
