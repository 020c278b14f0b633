/* SPDX-License-Identifier: Apache-2.0 */
#include "document.h"

#include <stdio.h>

enum { HASH_DIGITS = 16, NIBBLE = 4 };

void document_done(struct document *d) {
    if (!d) return;
    json_parser_free(d->parser);
    buf_done(&d->text);
}

RC document_parse(struct document *d, struct str bytes, struct why *why) {
    buf_reset(&d->text);
    TRY(buf_reserve(&d->text, bytes.len + JSON_PADDING));
    buf_add(&d->text, bytes);
    memset(d->text.at + bytes.len, 0, JSON_PADDING);
    return json_parse(d->parser, buf_str(&d->text), &d->root, why) == RC_OK ? RC_OK : RC_BAD;
}

RC document_open(struct document *d, struct str bytes, const char *kind, struct arena *arena, struct why *why) {
    d->arena = arena;
    d->parser =
        json_parser_new((struct json_parser_limits){.bytes_max = DOCUMENT_BYTES_MAX, .depth_max = DOCUMENT_DEPTH});
    d->text = BUF_INIT(DOCUMENT_BYTES_MAX + JSON_PADDING);
    TRY(document_parse(d, bytes, why));
    if (json_type(d->root) != JSON_OBJECT) return why_set(why, RC_BAD, "not an object");
    struct str is;
    struct json_node node;
    if (json_get(d->root, STR("kind"), &node) != RC_OK || json_get_str(node, &is) != RC_OK ||
        !str_equal(is, str_of(kind)))
        return why_set(why, RC_BAD, "kind is not \"%s\"", kind);
    uint64_t version = 0;
    TRY(document_u64(d->root, "version", &version, why));
    return version == DOCUMENT_VERSION ? RC_OK : why_set(why, RC_BAD, "version %llu", (unsigned long long)version);
}

static RC find(struct json_node object, const char *key, struct json_node *out, struct why *why) {
    if (json_get(object, str_of(key), out) == RC_OK) return RC_OK;
    return why_set(why, RC_BAD, "%s is missing", key);
}

static RC wrong(struct why *why, const char *key, const char *expected) {
    return why_set(why, RC_BAD, "%s is not %s", key, expected);
}

RC document_u64(struct json_node object, const char *key, uint64_t *out, struct why *why) {
    struct json_node node;
    TRY(find(object, key, &node, why));
    return json_get_u64(node, out) == RC_OK ? RC_OK : wrong(why, key, "a number from 0 to 2^64 - 1");
}

RC document_u32(struct json_node object, const char *key, uint32_t *out, struct why *why) {
    uint64_t value = 0;
    TRY(document_u64(object, key, &value, why));
    if (value > UINT32_MAX) return wrong(why, key, "a number from 0 to 2^32 - 1");
    *out = (uint32_t)value;
    return RC_OK;
}

RC document_i64(struct json_node object, const char *key, int64_t *out, struct why *why) {
    struct json_node node;
    TRY(find(object, key, &node, why));
    return json_get_i64(node, out) == RC_OK ? RC_OK : wrong(why, key, "a 64-bit number");
}

RC document_bool(struct json_node object, const char *key, bool *out, struct why *why) {
    struct json_node node;
    TRY(find(object, key, &node, why));
    return json_get_bool(node, out) == RC_OK ? RC_OK : wrong(why, key, "true or false");
}

static RC text(struct json_node object, const char *key, struct str *out, struct why *why) {
    struct json_node node;
    TRY(find(object, key, &node, why));
    return json_get_str(node, out) == RC_OK ? RC_OK : wrong(why, key, "a string");
}

RC document_text(const struct document *d, struct json_node object, const char *key, struct str *out, struct why *why) {
    struct str found;
    TRY(text(object, key, &found, why));
    *out = arena_str(d->arena, found);
    return RC_OK;
}

static bool has_upper(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] >= 'A' && s.at[i] <= 'Z') return true;
    return false;
}

RC document_id(struct json_node object, const char *key, struct id *out, struct why *why) {
    struct str found;
    struct id id = {0};
    TRY(text(object, key, &found, why));
    if (found.len && (has_upper(found) || id_parse(found.at, found.len, &id) != RC_OK || id_is_none(id)))
        return wrong(why, key, "an id");
    *out = id;
    return RC_OK;
}

RC document_hash(struct json_node object, const char *key, uint64_t *out, struct why *why) {
    static const char digits[] = "0123456789abcdef";
    struct str found;
    uint64_t value = 0;
    TRY(text(object, key, &found, why));
    if (found.len != HASH_DIGITS) return wrong(why, key, "16 hexadecimal digits");
    for (size_t i = 0; i < found.len; i++) {
        const char *digit = memchr(digits, found.at[i], HASH_DIGITS);
        if (!digit) return wrong(why, key, "16 hexadecimal digits");
        value = value << NIBBLE | (uint64_t)(digit - digits);
    }
    *out = value;
    return RC_OK;
}

RC document_object(struct json_node object, const char *key, struct json_node *out, struct why *why) {
    TRY(find(object, key, out, why));
    return json_type(*out) == JSON_OBJECT ? RC_OK : wrong(why, key, "an object");
}

RC document_array(const struct document *d, struct json_node object, const char *key, struct json_node *out,
                  size_t *out_count, struct why *why) {
    TRY(find(object, key, out, why));
    if (json_type(*out) != JSON_ARRAY) return wrong(why, key, "a list");
    size_t count = json_count(*out);
    if (count > d->text.len / DOCUMENT_ELEMENT_MIN) return wrong(why, key, "a list of objects");
    *out_count = count;
    return RC_OK;
}

bool document_has(struct json_node object, const char *key) {
    struct json_node node;
    return json_get(object, str_of(key), &node) == RC_OK;
}

void document_begin(struct json_out *json, const char *kind) {
    json_open(json, '{');
    json_key_str(json, STR("kind"), str_of(kind));
    json_key_u64(json, STR("version"), DOCUMENT_VERSION);
}

/* The comma comes in front of the new line, and json_out does not know of it. */
void document_line(struct json_out *json) {
    if (json->need_comma) buf_add_char(json->to, ',');
    json->need_comma = false;
    buf_add_char(json->to, '\n');
}

void document_put_id(struct json_out *json, const char *key, struct id id) {
    char hex[ID_TEXT];
    json_key_str(json, str_of(key), id_is_none(id) ? STR("") : str_of(id_format(id, hex)));
}

void document_put_hash(struct json_out *json, const char *key, uint64_t hash) {
    char hex[HASH_DIGITS + 1];
    (void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)hash);
    json_key_str(json, str_of(key), str_of(hex));
}
