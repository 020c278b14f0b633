/* SPDX-License-Identifier: Apache-2.0 */
#include "slice_impl.h"

#include "json_out.h"
#include "must.h"
#include "num.h"
#include "utf8.h"

/* The line's first bytes, and whether the rest of it is missing. A character that the cut goes through goes whole. */
static struct str head_of(const struct slice_reject *reject, bool *out_truncated) {
    struct str head = {reject->head.at, MIN(reject->head.len, (size_t)SLICE_RAW_MAX)};
    *out_truncated = head.len < reject->length;
    if (*out_truncated) {
        size_t valid = utf8_valid_prefix(head);
        if (head.len - valid < 4) head.len = valid;
    }
    return head;
}

static struct str detail_of(const struct slice_reject *reject) {
    return str_sub(reject->detail, 0, MIN(reject->detail.len, (size_t)SLICE_DETAIL_MAX));
}

void slice_reject(struct slice *slice, const struct slice_reject *reject) {
    const struct slice_place *place = &slice->place;
    char file[ID_TEXT];
    bool truncated = false;
    struct str head = head_of(reject, &truncated);
    buf_reset(&slice->reject);
    struct json_out json = {.to = &slice->reject};
    json_open(&json, '{');
    json_key_str(&json, STR("source"), converter_source(slice->converter));
    json_key_str(&json, STR("uri"), place->uri);
    json_key_str(&json, STR("file"), str_of(id_format(place->file, file)));
    json_key_u64(&json, STR("generation"), place->generation);
    json_key_u64(&json, STR("stripe"), place->stripe);
    json_key_u64(&json, STR("line_in_stripe"), place->line_in_stripe);
    json_key_u64(&json, STR("offset"), reject->offset);
    json_key_u64(&json, STR("length"), reject->length);
    if (reject->in_record) json_key_u64(&json, STR("record_offset"), reject->record_offset);
    json_key_str(&json, STR("reason"), str_of(converter_reason_name(reject->reason)));
    if (reject->detail.len) json_key_str(&json, STR("detail"), detail_of(reject));
    if (utf8_valid(head)) {
        json_key_str(&json, STR("raw"), head);
    } else {
        json_key(&json, STR("raw_base64"));
        json_base64(&json, head);
    }
    if (truncated) json_key_bool(&json, STR("truncated"), true);
    json_close(&json, '}');
    buf_add_char(&slice->reject, '\n');
    MUST(buf_rc(&slice->reject) == RC_OK); /* its cap is the longest there can be */
    struct str record = buf_str(&slice->reject);
    char *to = slice_text_room(&slice->text, record.len);
    memcpy(to, record.at, record.len);
    slice_text_take(&slice->text, record.len);
    slice_put(slice, slice_reject_route(slice), to, record.len);
    slice->result.counts.rejects++;
    slice->result.counts.reasons[reject->reason]++;
}
