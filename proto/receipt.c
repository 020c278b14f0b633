/* SPDX-License-Identifier: Apache-2.0 */
#include "receipt.h"

#include "document_parts.h"
#include "names.h"
#include "own.h"
#include "wire.h"
#include "wire_parts.h"

static RC check(const struct receipt *r, struct why *why) {
    if (id_is_none(r->file)) return why_set(why, RC_BAD, "no file");
    TRY(check_facts(&r->facts, why));
    TRY(check_counts(&r->counts, why));
    for (size_t i = 0; i < r->objects_len; i++) TRY(wire_check_text(r->objects[i].key, "key", 1, NAME_MAX_BYTES, why));
    return RC_OK;
}

static void put_object(struct json_out *json, const struct receipt_object *o) {
    document_line(json);
    json_open(json, '{');
    json_key_str(json, STR("key"), o->key);
    json_key_bool(json, STR("rejects"), o->rejects);
    json_key_u64(json, STR("records"), o->records);
    json_close(json, '}');
}

RC receipt_encode(const struct receipt *r, struct buf *out) {
    TRY(check(r, NULL));
    struct json_out json = {.to = out};
    document_begin(&json, "receipt");
    document_put_id(&json, "file", r->file);
    document_put_facts(&json, &r->facts);
    json_key_u64(&json, STR("generation"), r->generation);
    json_key_u64(&json, STR("end"), r->end);
    json_key_u64(&json, STR("stripes"), r->stripes);
    document_line(&json);
    document_put_counts(&json, &r->counts);
    json_key(&json, STR("written_ns"));
    json_i64(&json, r->written_ns);
    document_line(&json);
    json_key(&json, STR("objects"));
    json_open(&json, '[');
    for (size_t i = 0; i < r->objects_len; i++) put_object(&json, &r->objects[i]);
    json_close(&json, ']');
    json_close(&json, '}');
    buf_add_char(out, '\n');
    return buf_rc(out);
}

static RC read_object(const struct document *d, struct json_node node, struct receipt_object *out, struct why *why) {
    TRY(document_text(d, node, "key", &out->key, why));
    TRY(document_bool(node, "rejects", &out->rejects, why));
    return document_u64(node, "records", &out->records, why);
}

static RC read_objects(const struct document *d, struct receipt *r, struct why *why) {
    struct json_node list, node;
    TRY(document_array(d, d->root, "objects", &list, &r->objects_len, why));
    r->objects = ARENA_ARRAY(d->arena, struct receipt_object, r->objects_len);
    struct json_iter each = json_each(list);
    for (size_t i = 0; i < r->objects_len && json_next(&each, NULL, &node); i++) {
        enum rc rc = read_object(d, node, &r->objects[i], why);
        if (rc != RC_OK) return why_wrap(why, rc, "objects[%zu]", i);
    }
    return RC_OK;
}

static RC read_receipt(struct document *d, struct str bytes, struct arena *arena, struct receipt *out,
                       struct why *why) {
    struct receipt r = {0};
    if (bytes.len > RECEIPT_BYTES_MAX) return why_set(why, RC_BAD, "%zu bytes", bytes.len);
    TRY(document_open(d, bytes, "receipt", arena, why));
    TRY(document_id(d->root, "file", &r.file, why));
    TRY(document_facts(d, d->root, &r.facts, why));
    TRY(document_u64(d->root, "generation", &r.generation, why));
    TRY(document_u64(d->root, "end", &r.end, why));
    TRY(document_u64(d->root, "stripes", &r.stripes, why));
    TRY(document_counts(d->root, &r.counts, why));
    TRY(document_i64(d->root, "written_ns", &r.written_ns, why));
    TRY(read_objects(d, &r, why));
    TRY(check(&r, why));
    *out = r;
    return RC_OK;
}

RC receipt_decode(struct str bytes, struct arena *arena, struct receipt *out, struct why *why) {
    AUTO(document_done) struct document d = {0};
    enum rc rc = read_receipt(&d, bytes, arena, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "receipt");
}
