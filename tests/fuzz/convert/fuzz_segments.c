/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file whose lines go together: whoever sees only what is there so far, byte by byte, cuts the same
 * segments as who sees it all; every line is counted once, and every record and reject is JSON. The first byte chooses
 * the rule and its bounds. */
#include "lines_fuzz.h"

#include "num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t lines_in(struct str bytes) {
    uint64_t n = bytes.len && bytes.at[bytes.len - 1] != '\n';
    for (size_t i = 0; i < bytes.len; i++) n += bytes.at[i] == '\n';
    return n;
}

/* What the one is sure of who sees `seen` bytes of an open file is what there is. */
static void check_seen(struct segments *segments, const struct segments_ask *all, struct segments_state state,
                       size_t seen, size_t bytes) {
    struct segments_ask ask = *all;
    bool closed = false;
    size_t end = 0;
    ask.window.len = seen;
    ask.ready = ask.at + seen;
    ask.end = UINT64_MAX;
    enum segments_found found = segments_next(segments, &state, &ask, &end, &closed);
    MUST(found != SEGMENTS_LONGER && (found != SEGMENTS_WHOLE || end == bytes));
}

static void run(struct slice *slice, struct converter *converter, struct str bytes) {
    struct segments *segments = converter_segments(converter);
    struct segments_state state = {0};
    uint64_t end = bytes.len;
    for (size_t at = 0, len = 0; at < bytes.len; at += len) {
        struct segments_ask ask = {str_sub(bytes, at, bytes.len), at, false, end, end};
        struct segments_state before = state;
        bool closed = false;
        MUST(segments_next(segments, &state, &ask, &len, &closed) == SEGMENTS_WHOLE && len > 0);
        MUST(closed == (at + len == bytes.len));
        for (size_t seen = 0; seen <= MIN(ask.window.len, len + 80); seen++)
            check_seen(segments, &ask, before, seen, len);
        slice_add_segment(slice, str_sub(ask.window, 0, len), at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct slice *slice;
    static struct converter *converters[4];
    for (size_t i = 0; i < 4 && !converters[i]; i++) {
        bool cri = i & 1, small = i & 2;
        struct converter_settings settings = {
            .kind = cri ? CONVERTER_CRI : CONVERTER_REGEX,
            .source = STR("fuzz"),
            .partition = STR(""),
            .pattern = STR("(?s)^(?<all>.*)"),
            .time_optional = true,
            .line_bytes_max = small ? 40 : 0,
            .record = {.kind = SEGMENTS_START, .start = STR("^[0-9H]"), .lines_max = 3, .bytes_max = small ? 60 : 0}};
        MUST(converter_new(&settings, &converters[i], NULL) == RC_OK);
    }
    if (!slice) slice = slice_new((struct slice_limits){0});
    if (size == 0 || size > 4096) return 0;
    struct converter *converter = converters[data[0] & 3];
    AUTO(own_free) char *bytes = alloc_bytes(size - 1 + JSON_PADDING);
    memcpy(bytes, data + 1, size - 1);
    memset(bytes + size - 1, '"', JSON_PADDING);
    struct slice_place place = {.uri = STR("/fuzz")};
    slice_begin(slice, converter, &place);
    run(slice, converter, (struct str){bytes, size - 1});
    const struct slice_result *result = slice_result(slice);
    const struct slice_counts *c = &result->counts;
    MUST(c->lines == lines_in((struct str){bytes, size - 1}));
    MUST(c->lines == c->converted + c->rejects + c->blank + c->filtered);
    uint64_t rejects = 0;
    for (size_t i = 0; i < result->output_count; i++) {
        const struct slice_output *output = &result->outputs[i];
        if (output->is_reject) rejects += output->records;
        for (const struct slice_pieces *p = output->pieces; p; p = p->next)
            for (uint32_t j = 0; j < p->count; j++) lines_fuzz_check_json(output, &p->at[j]);
    }
    MUST(rejects == c->rejects);
    return 0;
}
