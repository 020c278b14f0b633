/* SPDX-License-Identifier: Apache-2.0 */
/* slice_again: lines that are rejects (slice_reject.c), converted again: the line that a reject holds becomes what it
 * would become in its file, and a reject of the same place where it still cannot be converted.
 *
 * What is not to be tried stays the reject that it is, byte for byte: what the file's name does not ask for
 * (reject_uri.h), what is held only in part, what is a part of a record of several lines, and all lines of a source
 * where a line means nothing without others of its file. */
#include "alloc.h"
#include "base64.h"
#include "converter_impl.h"
#include "json.h"
#include "lines.h"
#include "must.h"
#include "own.h"
#include "reject_uri.h"
#include "slice_impl.h"
#include "source_uri.h"

#include <stdlib.h>

struct slice_again {
    struct json_parser *json;
    struct buf record, raw; /* with the parsers' padding behind them */
    struct buf base64;
    struct reject_uri wanted;
    struct slice_place place; /* of the file of rejects */
};

/* One reject, as it is stored. */
struct stored_reject {
    struct slice_place place;
    struct str reason, raw;
    uint64_t offset;
    bool whole; /* the line is there, whole in its file too, and is a record by itself */
};

static struct slice_again *again_of(struct slice *slice) {
    if (slice->again) return slice->again;
    struct slice_again *a = slice->again = ALLOC(struct slice_again);
    a->json = json_parser_new((struct json_parser_limits){.bytes_max = SLICE_REJECT_BYTES_MAX});
    a->record = BUF_INIT(SLICE_REJECT_BYTES_MAX + JSON_PADDING);
    a->raw = BUF_INIT(SLICE_RAW_MAX + JSON_PADDING);
    a->base64 = BUF_INIT(SLICE_RAW_MAX);
    return a;
}

void slice_again_free(struct slice *slice) {
    struct slice_again *a = slice->again;
    if (!a) return;
    json_parser_free(a->json);
    buf_done(&a->record);
    buf_done(&a->raw);
    buf_done(&a->base64);
    free(a);
}

void slice_again_begin(struct slice *slice) {
    slice->is_again = reject_uri_is(slice->place.uri);
    if (!slice->is_again) return;
    struct slice_again *a = again_of(slice);
    a->place = slice->place;
    if (reject_uri_parse(slice->place.uri, &a->wanted) != RC_OK) a->wanted = (struct reject_uri){.reason = STR("none")};
}

static RC text_of(struct json_node root, struct str key, struct str *out) {
    struct json_node node;
    TRY(json_get(root, key, &node));
    return json_get_str(node, out);
}

static RC number_of(struct json_node root, struct str key, uint64_t *out) {
    struct json_node node;
    TRY(json_get(root, key, &node));
    return json_get_u64(node, out);
}

static RC read_raw(struct slice_again *a, struct json_node root, struct str *out) {
    struct str base64;
    if (text_of(root, STR("raw"), out) == RC_OK) return RC_OK;
    buf_reset(&a->base64);
    TRY(text_of(root, STR("raw_base64"), &base64));
    TRY(base64_decode(base64, &a->base64));
    *out = buf_str(&a->base64);
    return RC_OK;
}

static RC pad(struct buf *to, struct str text) {
    buf_reset(to);
    buf_add(to, text);
    TRY(buf_reserve(to, JSON_PADDING));
    memset(to->at + to->len, 0, JSON_PADDING);
    return RC_OK;
}

static RC read_reject(struct slice_again *a, struct str record, struct stored_reject *out) {
    struct json_node root, other;
    struct str file;
    uint64_t length = 0;
    TRY(pad(&a->record, record));
    TRY(json_parse(a->json, buf_str(&a->record), &root, NULL));
    out->place = a->place;
    TRY(text_of(root, STR("uri"), &out->place.uri));
    TRY(text_of(root, STR("reason"), &out->reason));
    TRY(text_of(root, STR("file"), &file));
    TRY(id_parse(file.at, file.len, &out->place.file));
    TRY(number_of(root, STR("generation"), &out->place.generation));
    TRY(number_of(root, STR("stripe"), &out->place.stripe));
    TRY(number_of(root, STR("line_in_stripe"), &out->place.line_in_stripe));
    TRY(number_of(root, STR("offset"), &out->offset));
    TRY(number_of(root, STR("length"), &length));
    TRY(read_raw(a, root, &out->raw));
    out->whole = json_get(root, STR("truncated"), &other) == RC_ABSENT &&
                 json_get(root, STR("record_offset"), &other) == RC_ABSENT && out->raw.len == length &&
                 !str_equal(out->reason, str_of(converter_reason_name(REASON_DAMAGED)));
    return RC_OK;
}

static bool is_wanted(const struct slice_again *a, const struct stored_reject *reject) {
    if (a->wanted.reason.len && !str_equal(a->wanted.reason, reject->reason)) return false;
    return !a->wanted.file.len || source_uri_names(a->wanted.file, reject->place.uri);
}

/* Do its lines stand for themselves? */
static bool converts_lines_alone(const struct converter *converter) {
    return !converter_needs_head(converter) && !converter_spans_lines(converter) && !converter_segments(converter);
}

static enum converter_reason reason_of(struct str name) {
    for (enum converter_reason r = REASON_NONE; r < REASON_COUNT; r++)
        if (str_equal(name, str_of(converter_reason_name(r)))) return r;
    return REASON_FORMAT;
}

static void put_as_it_is(struct slice *slice, struct str record, enum converter_reason reason) {
    char *to = slice_text_room(&slice->text, record.len + 1);
    memcpy(to, record.at, record.len);
    to[record.len] = '\n';
    slice_text_take(&slice->text, record.len + 1);
    slice_put(slice, slice_reject_route(slice), to, record.len + 1);
    slice->result.counts.lines++;
    slice->result.counts.rejects++;
    slice->result.counts.reasons[reason]++;
}

static void put_again(struct slice *slice, struct str record, uint64_t offset) {
    struct slice_again *a = slice->again;
    struct stored_reject reject = {.reason = STR("")};
    bool known = read_reject(a, record, &reject) == RC_OK;
    if (!known || !reject.whole || !is_wanted(a, &reject) || !converts_lines_alone(slice->converter) ||
        pad(&a->raw, reject.raw) != RC_OK) {
        put_as_it_is(slice, record, reason_of(reject.reason));
        return;
    }
    slice->place = reject.place;
    slice->again_offset = offset;
    converter_file(slice->converter, reject.place.uri);
    converter_batch(slice->converter, buf_str(&a->raw));
    slice_put_line(slice, &(struct slice_line){.text = buf_str(&a->raw), .offset = reject.offset});
    slice->place = a->place;
}

void slice_add_again(struct slice *slice, struct str bytes, uint64_t offset, size_t *out_taken) {
    size_t taken = 0;
    while (taken < bytes.len && (!taken || !slice_full(slice))) {
        struct str line = slice_line_at(bytes, taken);
        put_again(slice, lines_text(line), offset + taken);
        taken += line.len;
    }
    *out_taken = taken;
}

size_t slice_line_bytes_max(struct str uri, size_t max_line_bytes) {
    return reject_uri_is(uri) ? (size_t)SLICE_REJECT_BYTES_MAX : max_line_bytes;
}
