/* SPDX-License-Identifier: Apache-2.0 */
#include "shape.h"

#include "alloc.h"
#include "converter_impl.h"
#include "json_out.h"
#include "json_raw.h"
#include "names.h"
#include "once.h"
#include "own.h"
#include "where.h"

#include <stdlib.h>

struct shape {
    struct converter_shape settings; /* its lists are the configuration's */
    struct where *where;
    struct once *once;
    bool has_fields;
    struct json_parser *parser;
    struct buf in, out; /* `in`: the record with padding, where it is not followed by readable bytes */
    struct names names;
};

RC shape_new(const struct converter_shape *settings, struct str source, size_t record_bytes_max, struct shape **out,
             struct why *why) {
    bool has_fields = settings->keep_len || settings->drop_len || settings->rename_len || settings->add_len;
    *out = NULL;
    if (!has_fields && !settings->where.len && !settings->once.key_len) return RC_OK;
    AUTO(where_done) struct where *where = NULL;
    struct once *once = NULL;
    if (settings->where.len) TRY(where_new(settings->where, &where, why));
    TRY(once_new(&settings->once, source, &once, why));
    struct shape *s = ALLOC(struct shape);
    *s = (struct shape){.settings = *settings, .where = TAKE(where), .once = once, .has_fields = has_fields};
    s->parser = json_parser_new((struct json_parser_limits){.bytes_max = record_bytes_max, .any_number = true});
    s->in = BUF_INIT(record_bytes_max + JSON_PADDING);
    s->out = BUF_INIT(record_bytes_max);
    *out = s;
    return RC_OK;
}

void shape_free(struct shape *s) {
    if (!s) return;
    where_free(s->where);
    once_free(s->once);
    json_parser_free(s->parser);
    buf_done(&s->in);
    buf_done(&s->out);
    names_done(&s->names);
    free(s);
}

static bool is_one_of(const struct str *names, size_t count, struct str name) {
    for (size_t i = 0; i < count; i++)
        if (str_equal(names[i], name)) return true;
    return false;
}

static bool is_kept(const struct shape *s, struct str name) {
    if (s->settings.keep_len && !is_one_of(s->settings.keep, s->settings.keep_len, name)) return false;
    return !is_one_of(s->settings.drop, s->settings.drop_len, name);
}

static struct str renamed(const struct shape *s, struct str name) {
    for (size_t i = 0; i < s->settings.rename_len; i++)
        if (str_equal(s->settings.rename[i].name, name)) return s->settings.rename[i].value;
    return name;
}

static bool add_member(struct shape *s, struct json_out *json, struct str name, struct str value) {
    /* An empty name cannot be told apart by its first byte. */
    struct str own = name.len ? names_add(&s->names, name) : name;
    if (!own.at) return false;
    json_key(json, own);
    json_raw(json, value);
    return true;
}

static bool write_members(struct shape *s, struct json_node root, struct str record, struct json_out *json) {
    size_t at = json_raw_open(record);
    struct json_iter each = json_each(root);
    struct json_node node;
    struct str name;
    while (json_next(&each, &name, &node)) {
        struct str value = json_raw_next(record, &at, NULL);
        if (is_kept(s, name) && !add_member(s, json, renamed(s, name), value)) return false;
    }
    for (size_t i = 0; i < s->settings.add_len; i++) {
        const struct str_pair *add = &s->settings.add[i];
        if (is_one_of(s->names.at, s->names.count, add->name)) continue;
        if (!names_add(&s->names, add->name).at) return false;
        json_key_str(json, add->name, add->value);
    }
    return true;
}

static void write_record(struct shape *s, struct json_node root, struct str record, struct converted *out) {
    struct json_out json = {.to = &s->out};
    buf_reset(&s->out);
    names_reset(&s->names);
    json_open(&json, '{');
    bool fits = write_members(s, root, record, &json);
    json_close(&json, '}');
    if (!fits) {
        converter_reject(out, REASON_FIELDS);
        out->detail = STR("more than 256 fields");
    } else if (buf_rc(&s->out) != RC_OK) {
        converter_reject(out, REASON_TOO_LONG);
    } else {
        out->record = buf_str(&s->out);
        out->in_line = false;
    }
}

void shape_apply(struct shape *s, struct converted *out) {
    struct json_node root;
    buf_reset(&s->in);
    buf_add(&s->in, out->record);
    if (buf_reserve(&s->in, JSON_PADDING) != RC_OK) {
        converter_reject(out, REASON_TOO_LONG);
        return;
    }
    struct str record = buf_str(&s->in);
    if (json_parse(s->parser, record, &root, NULL) != RC_OK || json_type(root) != JSON_OBJECT) {
        converter_reject(out, REASON_JSON);
        return;
    }
    if (s->where && !where_holds(s->where, root)) {
        out->verdict = CONVERTER_FILTERED;
        return;
    }
    if (s->once) once_look(s->once, root, out);
    if (s->has_fields) write_record(s, root, record, out);
}
