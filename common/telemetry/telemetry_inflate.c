/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_inflate.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>
#include <zlib.h>

struct telemetry_inflate {
    z_stream stream;
};

enum { STEP = 32 * 1024, GZIP = 16 + MAX_WBITS };

bool telemetry_inflate_wanted(struct str data) { return str_starts(data, STR("\x1f\x8b")); }

struct telemetry_inflate *telemetry_inflate_new(void) {
    struct telemetry_inflate *i = ALLOC(struct telemetry_inflate);
    MUST(inflateInit2(&i->stream, GZIP) == Z_OK); /* fails by running out of memory alone */
    return i;
}

void telemetry_inflate_free(struct telemetry_inflate *i) {
    if (!i) return;
    (void)inflateEnd(&i->stream);
    free(i);
}

static RC one_member(z_stream *z, struct buf *out) {
    if (inflateReset(z) != Z_OK) return RC_BAD;
    for (;;) {
        size_t room = MIN((size_t)STEP, out->cap - out->len);
        /* One byte more than may be tells a bomb from what just fits. */
        unsigned char one;
        if (room) TRY(buf_reserve(out, room));
        z->next_out = room ? (unsigned char *)out->at + out->len : &one;
        z->avail_out = room ? (unsigned)room : 1;
        int got = inflate(z, Z_NO_FLUSH);
        size_t made = (room ? room : 1) - z->avail_out;
        if (!room && made) return RC_LIMIT;
        out->len += made;
        if (got == Z_STREAM_END) return RC_OK;
        if (got != Z_OK || (!made && !z->avail_in)) return RC_BAD;
    }
}

RC telemetry_inflate(struct telemetry_inflate *i, struct str data, struct buf *out) {
    z_stream *z = &i->stream;
    buf_reset(out);
    z->next_in = (unsigned char *)(uintptr_t)data.at;
    z->avail_in = (unsigned)data.len;
    while (z->avail_in) {
        TRY(one_member(z, out));
        while (z->avail_in && *z->next_in == 0) {
            z->next_in++;
            z->avail_in--;
        }
    }
    return RC_OK;
}
