/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_frame.h"

#include "num.h"

enum { MARK = 0x1E };

struct header {
    size_t bytes; /* of the header alone */
    size_t address, path, data;
    uint64_t ms;
};

enum sight { SEES_HEADER, SEES_NONE, SEES_TOO_LITTLE };

static uint64_t little(const unsigned char *at, size_t bytes) {
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;) value = value << 8 | at[i];
    return value;
}

/* What is at a mark. */
static enum sight look(enum telemetry_framing framing, struct str at, struct header *out, const char **out_why) {
    const unsigned char *p = (const unsigned char *)at.at;
    size_t v2 = framing == TELEMETRY_V2 ? 1 : 0;
    *out_why = "a record that is cut off";
    if (at.len < 15 + v2) return SEES_TOO_LITTLE;
    *out = (struct header){.bytes = 15 + v2,
                           .address = v2 ? p[1] : 0,
                           .path = (size_t)little(p + 1 + v2, 2),
                           .data = (size_t)little(p + 3 + v2, 4),
                           .ms = little(p + 7 + v2, 8)};
    *out_why = "a header with too long a path";
    if (out->path > TELEMETRY_PATH_MAX) return SEES_NONE;
    *out_why = "a header with too much data";
    return out->data > TELEMETRY_DATA_MAX ? SEES_NONE : SEES_HEADER;
}

static size_t whole(const struct header *h) { return h->bytes + h->address + h->path + h->data; }

/* Where a run of bytes without a record ends that goes on at `from`. */
static size_t run_end(enum telemetry_framing framing, struct str bytes, size_t from, bool closed) {
    size_t most = MIN(bytes.len, (size_t)TELEMETRY_STRETCH_MAX);
    const char *why;
    struct header header;
    while (from < most) {
        const char *mark = memchr(bytes.at + from, MARK, most - from);
        if (!mark) break;
        size_t at = (size_t)(mark - bytes.at);
        enum sight sight = look(framing, str_sub(bytes, at, bytes.len), &header, &why);
        if (sight == SEES_TOO_LITTLE && !closed) return 0;
        bool fits = sight == SEES_HEADER && at + whole(&header) <= bytes.len;
        if (sight == SEES_HEADER && (fits || !closed)) return at;
        from = at + 1;
    }
    return most == TELEMETRY_STRETCH_MAX || closed ? most : 0;
}

size_t telemetry_frame_end(enum telemetry_framing framing, struct str bytes, bool closed) {
    struct header header;
    const char *why;
    if (!bytes.len) return 0;
    if ((unsigned char)bytes.at[0] != MARK) return run_end(framing, bytes, 0, closed);
    enum sight sight = look(framing, bytes, &header, &why);
    if (sight == SEES_HEADER && whole(&header) <= bytes.len) return whole(&header);
    if (sight != SEES_NONE && !closed) return 0;
    return run_end(framing, bytes, 1, closed);
}

RC telemetry_frame_read(enum telemetry_framing framing, struct str stretch, struct telemetry_frame *out,
                        const char **out_why) {
    struct header h;
    *out_why = "bytes between records";
    if (!stretch.len || (unsigned char)stretch.at[0] != MARK) return RC_BAD;
    if (look(framing, stretch, &h, out_why) != SEES_HEADER) return RC_BAD;
    *out_why = "a record that is cut off";
    if (whole(&h) != stretch.len) return RC_BAD;
    size_t path = h.bytes + h.address, data = path + h.path;
    *out = (struct telemetry_frame){
        .ms = h.ms, .path = str_sub(stretch, path, data), .data = str_sub(stretch, data, stretch.len)};
    return RC_OK;
}
