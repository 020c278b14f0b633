/* SPDX-License-Identifier: Apache-2.0 */
#include "json_out.h"

#include "num.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void comma(struct json_out *json) {
    if (json->need_comma) buf_add_char(json->to, ',');
    json->need_comma = true;
}

void json_open(struct json_out *json, char bracket) {
    comma(json);
    buf_add_char(json->to, bracket);
    json->need_comma = false;
}

void json_close(struct json_out *json, char bracket) {
    buf_add_char(json->to, bracket);
    json->need_comma = true;
}

static void escape(struct buf *to, unsigned char c) {
    static const char short_form[] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c < sizeof short_form && short_form[c]) {
        buf_add_char(to, '\\');
        buf_add_char(to, short_form[c]);
    } else {
        buf_add_format(to, "\\u%04x", c);
    }
}

/* Valid UTF-8 with the characters that JSON wants escaped. */
static void add_escaped(struct buf *to, struct str s) {
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buf_add(to, str_sub(s, from, i));
        escape(to, c);
        from = i + 1;
    }
    buf_add(to, str_sub(s, from, s.len));
}

static void add_string(struct buf *to, struct str s) {
    buf_add_char(to, '"');
    while (s.len) {
        size_t good = utf8_valid_prefix(s);
        add_escaped(to, str_sub(s, 0, good));
        if (good == s.len) break;
        buf_add(to, STR("\xef\xbf\xbd"));
        s = str_sub(s, good + 1, s.len);
    }
    buf_add_char(to, '"');
}

void json_key(struct json_out *json, struct str key) {
    comma(json);
    add_string(json->to, key);
    buf_add_char(json->to, ':');
    json->need_comma = false;
}

void json_str(struct json_out *json, struct str value) {
    comma(json);
    add_string(json->to, value);
}

void json_u64(struct json_out *json, uint64_t value) {
    comma(json);
    buf_add_format(json->to, "%" PRIu64, value);
}

void json_i64(struct json_out *json, int64_t value) {
    comma(json);
    buf_add_format(json->to, "%" PRId64, value);
}

void json_double(struct json_out *json, double value) {
    comma(json);
    if (!isfinite(value)) {
        buf_add(json->to, STR("null"));
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    buf_add(json->to, str_of(text));
}

void json_bool(struct json_out *json, bool value) {
    comma(json);
    buf_add(json->to, value ? STR("true") : STR("false"));
}

void json_null(struct json_out *json) { json_raw(json, STR("null")); }

void json_raw(struct json_out *json, struct str value) {
    comma(json);
    buf_add(json->to, value);
}

void json_base64(struct json_out *json, struct str bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    comma(json);
    buf_add_char(json->to, '"');
    const unsigned char *p = (const unsigned char *)bytes.at;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = MIN(bytes.len - i, (size_t)3);
        uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)(n > 1 ? p[i + 1] : 0) << 8 | (n > 2 ? p[i + 2] : 0);
        char out[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=',
                       n > 2 ? digits[v & 63] : '='};
        buf_add(json->to, (struct str){out, 4});
    }
    buf_add_char(json->to, '"');
}
