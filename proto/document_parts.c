/* SPDX-License-Identifier: Apache-2.0 */
#include "document_parts.h"

#include "wire_parts.h"

#include <limits.h>

void document_put_counts(struct json_out *json, const struct counts *c) {
    json_key_u64(json, STR("lines"), c->lines);
    json_key_u64(json, STR("converted"), c->converted);
    json_key_u64(json, STR("rejects"), c->rejects);
    json_key_u64(json, STR("filtered"), c->filtered);
    json_key_u64(json, STR("blank"), c->blank);
    json_key_u64(json, STR("records"), c->records);
}

RC document_counts(struct json_node object, struct counts *out, struct why *why) {
    struct counts c;
    TRY(document_u64(object, "lines", &c.lines, why));
    TRY(document_u64(object, "converted", &c.converted, why));
    TRY(document_u64(object, "rejects", &c.rejects, why));
    TRY(document_u64(object, "filtered", &c.filtered, why));
    TRY(document_u64(object, "blank", &c.blank, why));
    TRY(document_u64(object, "records", &c.records, why));
    TRY(check_counts(&c, why));
    *out = c;
    return RC_OK;
}

void document_put_settings(struct json_out *json, const struct settings *s) {
    json_key_str(json, STR("format"), s->format);
    json_key(json, STR("level"));
    json_i64(json, s->level);
    json_key_u64(json, STR("object_bytes"), s->object_bytes);
    json_key_u64(json, STR("block_bytes"), s->block_bytes);
    json_key_str(json, STR("encoder"), s->encoder);
}

RC document_settings(const struct document *d, struct json_node object, struct settings *out, struct why *why) {
    struct settings s = {0};
    int64_t level = 0;
    TRY(document_text(d, object, "format", &s.format, why));
    TRY(document_i64(object, "level", &level, why));
    TRY(document_u64(object, "object_bytes", &s.object_bytes, why));
    TRY(document_u64(object, "block_bytes", &s.block_bytes, why));
    TRY(document_text(d, object, "encoder", &s.encoder, why));
    if (level < INT_MIN || level > INT_MAX) return why_set(why, RC_BAD, "level is out of range");
    s.level = (int)level;
    TRY(check_settings(&s, why));
    *out = s;
    return RC_OK;
}

void document_put_facts(struct json_out *json, const struct facts *f) {
    json_key_str(json, STR("source"), f->source);
    json_key_str(json, STR("uri"), f->uri);
    json_key_u64(json, STR("inode"), f->inode);
    json_key(json, STR("birth_ns"));
    json_i64(json, f->birth_ns);
    json_key_u64(json, STR("volume"), f->volume);
    json_key_u64(json, STR("prefix_len"), f->prefix_len);
    document_put_hash(json, "prefix_hash", f->prefix_hash);
    json_key_u64(json, STR("stripe_bytes"), f->stripe_bytes);
}

RC document_facts(const struct document *d, struct json_node object, struct facts *out, struct why *why) {
    struct facts f = {0};
    TRY(document_text(d, object, "source", &f.source, why));
    TRY(document_text(d, object, "uri", &f.uri, why));
    TRY(document_u64(object, "inode", &f.inode, why));
    TRY(document_i64(object, "birth_ns", &f.birth_ns, why));
    TRY(document_u64(object, "volume", &f.volume, why));
    TRY(document_u32(object, "prefix_len", &f.prefix_len, why));
    TRY(document_hash(object, "prefix_hash", &f.prefix_hash, why));
    TRY(document_u64(object, "stripe_bytes", &f.stripe_bytes, why));
    TRY(check_facts(&f, why));
    *out = f;
    return RC_OK;
}
