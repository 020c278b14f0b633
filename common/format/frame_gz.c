/* SPDX-License-Identifier: Apache-2.0 */
#include "frame_gz.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

enum {
    WINDOW_BITS = 15 + 16, /* 32 KiB; 16 says gzip instead of zlib's own wrapping */
    MEM_LEVEL = 9,         /* 128 KiB more than zlib's default, and a few percent faster */
    WRAP_BYTES = 18,       /* gzip's header and trailer */
    FIRST_ROOM = 256 * 1024,
};

struct frame_gz_encoder {
    z_stream stream;
};
struct frame_gz_decoder {
    z_stream stream;
};

const char *frame_gz_version(void) { return zlibVersion(); }

struct frame_gz_encoder *frame_gz_encoder_new(int level) {
    struct frame_gz_encoder *e = ALLOC(struct frame_gz_encoder);
    MUST(deflateInit2(&e->stream, level, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
    return e;
}

void frame_gz_encoder_free(struct frame_gz_encoder *e) {
    if (e) (void)deflateEnd(&e->stream);
    free(e);
}

/* zconf.h: (1 << (windowBits + 2)) + (1 << (memLevel + 9)), and a few kilobytes. */
size_t frame_gz_encoder_bytes(void) { return (1U << (WINDOW_BITS - 16 + 2)) + (1U << (MEM_LEVEL + 9)) + 8 * 1024; }

/* deflateBound()'s formula for these settings, which it gives for a stream only; one stored block of 5 bytes each 16
 * KiB is the worst case. */
size_t frame_gz_bound(size_t raw_bytes) {
    return raw_bytes + (raw_bytes >> 12) + (raw_bytes >> 14) + (raw_bytes >> 25) + 13 + WRAP_BYTES;
}

RC frame_gz_encode(struct frame_gz_encoder *e, struct str raw, struct buf *out) {
    MUST(deflateReset(&e->stream) == Z_OK);
    size_t room = MIN(frame_gz_bound(raw.len), out->cap - out->len);
    TRY(buf_reserve(out, room));
    e->stream.next_in = (const Bytef *)raw.at;
    e->stream.avail_in = (uInt)raw.len;
    e->stream.next_out = (Bytef *)out->at + out->len;
    e->stream.avail_out = (uInt)room;
    int rc = deflate(&e->stream, Z_FINISH);
    if (rc != Z_STREAM_END) {
        MUST(rc == Z_OK || rc == Z_BUF_ERROR);
        return RC_LIMIT;
    }
    out->len += room - e->stream.avail_out;
    return RC_OK;
}

struct frame_gz_decoder *frame_gz_decoder_new(void) {
    struct frame_gz_decoder *d = ALLOC(struct frame_gz_decoder);
    MUST(inflateInit2(&d->stream, WINDOW_BITS) == Z_OK);
    return d;
}

void frame_gz_decoder_free(struct frame_gz_decoder *d) {
    if (d) (void)inflateEnd(&d->stream);
    free(d);
}

/* Room for more output: as much as there is already, within the caps; a member does not say how large it is. */
static size_t more_room(const struct buf *out, size_t made, size_t raw_bytes_max) {
    size_t want = MAX(made, (size_t)FIRST_ROOM);
    return MIN(want, MIN(raw_bytes_max - made, out->cap - out->len - made));
}

static RC inflate_member(z_stream *stream, size_t raw_bytes_max, struct buf *out, size_t *out_made, struct why *why) {
    size_t made = 0;
    for (;;) {
        size_t room = more_room(out, made, raw_bytes_max);
        TRY(buf_reserve(out, made + room));
        /* One byte of our own where nothing may come, to tell a full buffer from a member that ends here. */
        Bytef spare = 0;
        stream->next_out = room ? (Bytef *)out->at + out->len + made : &spare;
        stream->avail_out = room ? (uInt)room : 1;
        int rc = inflate(stream, Z_NO_FLUSH);
        size_t now = (room ? room : 1) - stream->avail_out;
        if (!room && now) return why_set(why, RC_LIMIT, "a gzip member of over %zu bytes inflated", made);
        made += now;
        if (rc == Z_STREAM_END) break;
        if (rc != Z_OK || (!now && !stream->avail_in))
            return why_set(why, RC_BROKEN, "gzip: %s", stream->msg ? stream->msg : "a member that is cut off");
    }
    *out_made = made;
    return RC_OK;
}

RC frame_gz_decode(struct frame_gz_decoder *d, struct str bytes, size_t raw_bytes_max, struct buf *out,
                   size_t *out_taken, struct why *why) {
    MUST(inflateReset(&d->stream) == Z_OK);
    uInt given = (uInt)MIN(bytes.len, (size_t)UINT32_MAX);
    d->stream.next_in = (const Bytef *)(given ? bytes.at : "");
    d->stream.avail_in = given;
    size_t made = 0;
    TRY(inflate_member(&d->stream, raw_bytes_max, out, &made, why));
    out->len += made;
    *out_taken = given - d->stream.avail_in;
    return RC_OK;
}
