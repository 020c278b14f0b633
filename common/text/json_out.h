/* SPDX-License-Identifier: Apache-2.0 */
/* json_out: writes JSON into a buf, piece by piece; it puts the commas and escapes the strings.
 *
 *   struct json_out j = {.to = &buf};
 *   json_open(&j, '{'); json_key(&j, STR("lines")); json_u64(&j, 3); json_close(&j, '}');
 *
 * Strings must be UTF-8; bytes that are not are written as U+FFFD. Overflow: see buf_rc(). Threads: one at a time. */
#ifndef SLUICE_JSON_OUT_H
#define SLUICE_JSON_OUT_H

#include "buf.h"

struct json_out {
    struct buf *to;
    bool need_comma;
};

void json_open(struct json_out *json, char bracket);  /* '{' or '[' */
void json_close(struct json_out *json, char bracket); /* '}' or ']' */
void json_key(struct json_out *json, struct str key);
void json_str(struct json_out *json, struct str value);
void json_u64(struct json_out *json, uint64_t value);
void json_i64(struct json_out *json, int64_t value);
void json_double(struct json_out *json, double value); /* shortest of %.17g that reads back the same */
void json_bool(struct json_out *json, bool value);
void json_null(struct json_out *json);
/* Text that is already JSON. */
void json_raw(struct json_out *json, struct str value);
/* `bytes` in base64 (RFC 4648, with padding) as a string. */
void json_base64(struct json_out *json, struct str bytes);

static inline void json_key_str(struct json_out *json, struct str key, struct str value) {
    json_key(json, key);
    json_str(json, value);
}
static inline void json_key_u64(struct json_out *json, struct str key, uint64_t value) {
    json_key(json, key);
    json_u64(json, value);
}
static inline void json_key_bool(struct json_out *json, struct str key, bool value) {
    json_key(json, key);
    json_bool(json, value);
}

#endif
