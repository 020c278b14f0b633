/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include "document_cut.h"
#include "document_parts.h"
#include "names.h"
#include "own.h"
#include "wire.h"
#include "wire_parts.h"

static RC check_object(const struct manifest_object *o, struct why *why) {
    TRY(wire_check_text(o->key, "key", 1, NAME_MAX_BYTES, why));
    TRY(check_output(o->output, o->rejects, why));
    TRY(check_time(o->has_time, o->time_min_ns, o->time_max_ns, why));
    for (size_t i = 0; i < o->parts_len; i++) {
        const struct manifest_part *p = &o->parts[i];
        if (id_is_none(p->file) || id_is_none(p->attempt) || p->from >= p->to)
            return why_set(why, RC_BAD, "parts[%zu]: no file, no attempt or no range", i);
    }
    return RC_OK;
}

static RC check_attempt_row(const struct manifest_attempt *a, struct why *why) {
    TRY(check_attempt(&a->attempt, why));
    TRY(check_counts(&a->counts, why));
    TRY(wire_check_text(a->source, "source", 1, SOURCE_BYTES_MAX, why));
    return wire_check_text(a->uri, "uri", 1, URI_BYTES_MAX, why);
}

static RC check_manifest(const struct manifest *m, struct why *why) {
    if (id_is_none(m->queue)) return why_set(why, RC_BAD, "no queue");
    if (m->start > m->end) return why_set(why, RC_BAD, "end is before start");
    if (m->given_up && m->objects_len) return why_set(why, RC_BAD, "it gives blocks up and has objects");
    TRY(check_settings(&m->settings, why));
    for (size_t i = 0; i < m->objects_len; i++) {
        enum rc rc = check_object(&m->objects[i], why);
        if (rc != RC_OK) return why_wrap(why, rc, "objects[%zu]", i);
    }
    for (size_t i = 0; i < m->attempts_len; i++) {
        enum rc rc = check_attempt_row(&m->attempts[i], why);
        if (rc != RC_OK) return why_wrap(why, rc, "attempts[%zu]", i);
    }
    return RC_OK;
}

static void put_part(struct json_out *json, const struct manifest_part *p) {
    document_line(json);
    json_open(json, '{');
    document_put_id(json, "file", p->file);
    json_key_u64(json, STR("stripe"), p->stripe);
    json_key_u64(json, STR("from"), p->from);
    json_key_u64(json, STR("to"), p->to);
    document_put_id(json, "attempt", p->attempt);
    json_key_u64(json, STR("blocks"), p->blocks);
    json_key_u64(json, STR("records"), p->records);
    json_key_u64(json, STR("raw_bytes"), p->raw_bytes);
    json_close(json, '}');
}

static void put_time(struct json_out *json, const struct manifest_object *o) {
    if (!o->has_time) return;
    json_key(json, STR("time_min_ns"));
    json_i64(json, o->time_min_ns);
    json_key(json, STR("time_max_ns"));
    json_i64(json, o->time_max_ns);
}

static void put_object(struct json_out *json, const struct manifest_object *o) {
    document_line(json);
    json_open(json, '{');
    json_key_str(json, STR("key"), o->key);
    json_key_str(json, STR("output"), o->output);
    json_key_bool(json, STR("rejects"), o->rejects);
    json_key_u64(json, STR("bytes"), o->bytes);
    json_key_u64(json, STR("raw_bytes"), o->raw_bytes);
    json_key_u64(json, STR("records"), o->records);
    json_key_u64(json, STR("blocks"), o->blocks);
    put_time(json, o);
    document_put_hash(json, "checksum", o->checksum);
    json_key(json, STR("parts"));
    json_open(json, '[');
    for (size_t i = 0; i < o->parts_len; i++) put_part(json, &o->parts[i]);
    json_close(json, ']');
    if (o->footer_base64.len) json_key_str(json, STR("footer_base64"), o->footer_base64);
    json_close(json, '}');
}

static void put_attempt(struct json_out *json, const struct manifest_attempt *a) {
    document_line(json);
    json_open(json, '{');
    document_put_id(json, "file", a->attempt.file);
    json_key_u64(json, STR("stripe"), a->attempt.stripe);
    json_key_u64(json, STR("from"), a->attempt.from);
    json_key_u64(json, STR("to"), a->attempt.to);
    document_put_id(json, "attempt", a->attempt.id);
    document_put_id(json, "predecessor", a->attempt.predecessor);
    json_key_u64(json, STR("generation"), a->attempt.generation);
    json_key_u64(json, STR("epoch"), a->attempt.epoch);
    document_put_counts(json, &a->counts);
    json_key_u64(json, STR("blocks"), a->blocks);
    json_key_str(json, STR("source"), a->source);
    json_key_str(json, STR("uri"), a->uri);
    json_close(json, '}');
}

RC manifest_encode(const struct manifest *m, struct buf *out) {
    TRY(check_manifest(m, NULL));
    struct json_out json = {.to = out};
    document_begin(&json, "manifest");
    document_put_id(&json, "queue", m->queue);
    json_key_u64(&json, STR("generation"), m->generation);
    json_key_u64(&json, STR("partition"), m->partition);
    json_key_u64(&json, STR("index"), m->index);
    json_key_u64(&json, STR("start"), m->start);
    json_key_u64(&json, STR("end"), m->end);
    json_key_u64(&json, STR("epoch"), m->epoch);
    if (m->given_up) json_key_u64(&json, STR("given_up"), m->given_up);
    json_key(&json, STR("settings"));
    json_open(&json, '{');
    document_put_settings(&json, &m->settings);
    json_close(&json, '}');
    document_line(&json);
    json_key(&json, STR("objects"));
    json_open(&json, '[');
    for (size_t i = 0; i < m->objects_len; i++) put_object(&json, &m->objects[i]);
    json_close(&json, ']');
    document_line(&json);
    json_key(&json, STR("attempts"));
    json_open(&json, '[');
    for (size_t i = 0; i < m->attempts_len; i++) put_attempt(&json, &m->attempts[i]);
    json_close(&json, ']');
    json_close(&json, '}');
    buf_add_char(out, '\n');
    return buf_rc(out);
}

static RC read_part(struct json_node node, struct manifest_part *out, struct why *why) {
    TRY(document_id(node, "file", &out->file, why));
    TRY(document_u64(node, "stripe", &out->stripe, why));
    TRY(document_u64(node, "from", &out->from, why));
    TRY(document_u64(node, "to", &out->to, why));
    TRY(document_id(node, "attempt", &out->attempt, why));
    TRY(document_u64(node, "blocks", &out->blocks, why));
    TRY(document_u64(node, "records", &out->records, why));
    return document_u64(node, "raw_bytes", &out->raw_bytes, why);
}

static RC read_parts(struct document *d, const struct document_list *list, struct manifest_object *out,
                     struct why *why) {
    out->parts = ARENA_ARRAY(d->arena, struct manifest_part, list->len);
    out->parts_len = list->len;
    for (size_t i = 0; i < list->len; i++) {
        enum rc rc = document_parse(d, list->elements[i], why);
        if (rc == RC_OK) rc = read_part(d->root, &out->parts[i], why);
        if (rc != RC_OK) return why_wrap(why, rc, "parts[%zu]", i);
    }
    return RC_OK;
}

/* Lists that are cut out are lists there, and nothing of them is left. */
static RC check_cut(const struct document *d, const char *key, struct why *why) {
    struct json_node list;
    size_t left = 0;
    TRY(document_array(d, d->root, key, &list, &left, why));
    return left ? why_set(why, RC_BAD, "%s is not the first of its name", key) : RC_OK;
}

static RC read_object_head(const struct document *d, struct manifest_object *out, struct why *why) {
    struct json_node node = d->root;
    TRY(document_text(d, node, "key", &out->key, why));
    TRY(document_text(d, node, "output", &out->output, why));
    TRY(document_bool(node, "rejects", &out->rejects, why));
    TRY(document_u64(node, "bytes", &out->bytes, why));
    TRY(document_u64(node, "raw_bytes", &out->raw_bytes, why));
    TRY(document_u64(node, "records", &out->records, why));
    TRY(document_u64(node, "blocks", &out->blocks, why));
    TRY(document_hash(node, "checksum", &out->checksum, why));
    out->has_time = document_has(node, "time_min_ns");
    if (out->has_time) {
        TRY(document_i64(node, "time_min_ns", &out->time_min_ns, why));
        TRY(document_i64(node, "time_max_ns", &out->time_max_ns, why));
    }
    if (document_has(node, "footer_base64")) TRY(document_text(d, node, "footer_base64", &out->footer_base64, why));
    return check_cut(d, "parts", why);
}

static RC read_object(struct document *d, struct str text, struct manifest_object *out, struct why *why) {
    AUTO(document_list_done) struct document_list parts = {.key = "parts"};
    AUTO(buf_done) struct buf rest = BUF_INIT(DOCUMENT_BYTES_MAX);
    TRY(document_cut(text, &parts, 1, &rest, why));
    TRY(document_parse(d, buf_str(&rest), why));
    TRY(read_object_head(d, out, why));
    return read_parts(d, &parts, out, why);
}

static RC read_attempt(const struct document *d, struct json_node node, struct manifest_attempt *out, struct why *why) {
    TRY(document_id(node, "file", &out->attempt.file, why));
    TRY(document_u64(node, "stripe", &out->attempt.stripe, why));
    TRY(document_u64(node, "from", &out->attempt.from, why));
    TRY(document_u64(node, "to", &out->attempt.to, why));
    TRY(document_id(node, "attempt", &out->attempt.id, why));
    TRY(document_id(node, "predecessor", &out->attempt.predecessor, why));
    TRY(document_u64(node, "generation", &out->attempt.generation, why));
    TRY(document_u64(node, "epoch", &out->attempt.epoch, why));
    TRY(document_counts(node, &out->counts, why));
    TRY(document_u32(node, "blocks", &out->blocks, why));
    TRY(document_text(d, node, "source", &out->source, why));
    return document_text(d, node, "uri", &out->uri, why);
}

static RC read_lists(struct document *d, const struct document_list *objects, const struct document_list *attempts,
                     struct manifest *m, struct why *why) {
    m->objects = ARENA_ARRAY(d->arena, struct manifest_object, objects->len);
    m->objects_len = objects->len;
    for (size_t i = 0; i < objects->len; i++) {
        enum rc rc = read_object(d, objects->elements[i], &m->objects[i], why);
        if (rc != RC_OK) return why_wrap(why, rc, "objects[%zu]", i);
    }
    m->attempts = ARENA_ARRAY(d->arena, struct manifest_attempt, attempts->len);
    m->attempts_len = attempts->len;
    for (size_t i = 0; i < attempts->len; i++) {
        enum rc rc = document_parse(d, attempts->elements[i], why);
        if (rc == RC_OK) rc = read_attempt(d, d->root, &m->attempts[i], why);
        if (rc != RC_OK) return why_wrap(why, rc, "attempts[%zu]", i);
    }
    return RC_OK;
}

static RC read_head(const struct document *d, struct manifest *m, struct why *why) {
    struct json_node settings;
    TRY(document_id(d->root, "queue", &m->queue, why));
    TRY(document_u64(d->root, "generation", &m->generation, why));
    TRY(document_u32(d->root, "partition", &m->partition, why));
    TRY(document_u64(d->root, "index", &m->index, why));
    TRY(document_u64(d->root, "start", &m->start, why));
    TRY(document_u64(d->root, "end", &m->end, why));
    TRY(document_u64(d->root, "epoch", &m->epoch, why));
    if (document_has(d->root, "given_up")) TRY(document_u64(d->root, "given_up", &m->given_up, why));
    TRY(document_object(d->root, "settings", &settings, why));
    TRY(document_settings(d, settings, &m->settings, why));
    TRY(check_cut(d, "objects", why));
    return check_cut(d, "attempts", why);
}

struct cut {
    struct document_list lists[2]; /* objects, attempts */
    struct buf rest;
};

static void cut_done(struct cut *cut) {
    document_list_done(&cut->lists[0]);
    document_list_done(&cut->lists[1]);
    buf_done(&cut->rest);
}

static RC read_manifest(struct document *d, struct str bytes, struct arena *arena, struct manifest *out,
                        struct why *why) {
    AUTO(cut_done) struct cut cut = {{{.key = "objects"}, {.key = "attempts"}}, BUF_INIT(DOCUMENT_BYTES_MAX)};
    struct manifest m = {0};
    if (bytes.len > MANIFEST_BYTES_MAX) return why_set(why, RC_BAD, "%zu bytes", bytes.len);
    TRY(document_cut(bytes, cut.lists, 2, &cut.rest, why));
    TRY(document_open(d, buf_str(&cut.rest), "manifest", arena, why));
    TRY(read_head(d, &m, why));
    TRY(read_lists(d, &cut.lists[0], &cut.lists[1], &m, why));
    TRY(check_manifest(&m, why));
    *out = m;
    return RC_OK;
}

RC manifest_decode(struct str bytes, struct arena *arena, struct manifest *out, struct why *why) {
    AUTO(document_done) struct document d = {0};
    enum rc rc = read_manifest(&d, bytes, arena, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "manifest");
}
