/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a framed file: its stretches are its bytes, a range of them is cut alike again, and what becomes of a
 * ping is a JSON object. The first byte chooses the framing. */
#include "alloc.h"
#include "must.h"
#include "own.h"
#include "telemetry_frame.h"
#include "telemetry_inflate.h"
#include "telemetry_ping.h"
#include "utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 1 << 20 };

static enum rc library(void *self, struct str revision, struct buf *out, struct why *why) {
    (void)self;
    if (revision.at[0] == 'f') return why_set(why, RC_ABSENT, "none");
    buf_add(out, STR("{\"A\":{\"kind\":\"flag\"},\"HTTP_B\":{\"kind\":\"exponential\",\"low\":2,\"high\":\"10 * 10\","
                     "\"n_buckets\":9},\"C\":{\"kind\":\"linear\",\"high\":0,\"n_buckets\":5},\"D\":{}}"));
    return RC_OK;
}

static void convert(struct str text) {
    static struct json_parser *parser, *checker;
    static struct telemetry_ping ping = {.cache.library = {library, NULL}, .has_uuid = true};
    if (!parser) {
        parser = json_parser_new((struct json_parser_limits){.bytes_max = BYTES_MAX, .any_number = true});
        checker = json_parser_new((struct json_parser_limits){.bytes_max = BYTES_MAX * 4, .any_number = true});
    }
    AUTO(buf_done) struct buf in = BUF_INIT(BYTES_MAX), out = BUF_INIT(BYTES_MAX * 3);
    struct json_out json = {.to = &out};
    struct json_node root;
    if (str_starts(text, STR("\xEF\xBB\xBF"))) return;
    utf8_replace(text, &in);
    size_t len = in.len;
    MUST(buf_reserve(&in, JSON_PADDING) == RC_OK);
    if (json_parse(parser, (struct str){in.at, len}, &root, NULL) != RC_OK) return;
    json_open(&json, '{');
    json_key_str(&json, STR("uuid"), STR("u"));
    if (telemetry_ping_convert(&ping, root, (struct str){in.at, len}, &json) != TELEMETRY_DONE) return;
    len = out.len;
    MUST(buf_reserve(&out, JSON_PADDING) == RC_OK && !memchr(out.at, '\n', len));
    MUST(json_parse(checker, (struct str){out.at, len}, &root, NULL) == RC_OK && json_type(root) == JSON_OBJECT);
    (void)telemetry_ping_info(&ping, STR("appName"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct telemetry_inflate *inflate;
    if (!inflate) inflate = telemetry_inflate_new();
    if (!size || size > BYTES_MAX / 8) return 0;
    enum telemetry_framing framing = data[0] & 1 ? TELEMETRY_V2 : TELEMETRY_V1;
    AUTO(own_free) char *copy = alloc_zero(1, size + JSON_PADDING);
    AUTO(buf_done) struct buf inflated = BUF_INIT(BYTES_MAX / 4);
    memcpy(copy, data, size);
    struct str rest = {copy + 1, size - 1};
    convert(rest); /* as a payload without a frame, which mutations find more easily */
    while (rest.len) {
        struct telemetry_frame frame;
        const char *why;
        size_t open = telemetry_frame_end(framing, rest, false), end = telemetry_frame_end(framing, rest, true);
        MUST(end > 0 && end <= rest.len && end <= TELEMETRY_STRETCH_MAX);
        MUST(!open || telemetry_frame_end(framing, str_sub(rest, 0, open), true) == open);
        struct str stretch = str_sub(rest, 0, end);
        rest = str_sub(rest, end, rest.len);
        if (telemetry_frame_read(framing, stretch, &frame, &why) != RC_OK) continue;
        if (!telemetry_inflate_wanted(frame.data))
            convert(frame.data);
        else if (telemetry_inflate(inflate, frame.data, &inflated) == RC_OK)
            convert(buf_str(&inflated));
    }
    return 0;
}
