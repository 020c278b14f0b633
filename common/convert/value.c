/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include "num.h"
#include "scan.h"

#include <strings.h>

RC value_type_of(struct str name, enum value_type *out) {
    static const char *const names[] = {"text", "integer", "number", "boolean", "auto"};
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        if (!str_equal(name, str_of(names[i]))) continue;
        *out = (enum value_type)i;
        return RC_OK;
    }
    return RC_BAD;
}

static char *escaped(char *to, unsigned char c) {
    static const char short_form[] = {
        ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char digits[] = "0123456789abcdef";
    *to++ = '\\';
    if (c < sizeof short_form && short_form[c]) {
        *to++ = short_form[c];
        return to;
    }
    char code[] = {'u', '0', '0', digits[c >> 4], digits[c & 15]};
    memcpy(to, code, sizeof code);
    return to + sizeof code;
}

char *value_plain(char *to, struct str text) {
    *to++ = '"';
    to = scan_copy(to, text.at, text.len);
    *to++ = '"';
    return to;
}

char *value_string(char *to, struct str text) {
    *to++ = '"';
    for (;;) {
        size_t clean = scan_special(text.at, text.len);
        to = scan_copy(to, text.at, clean);
        if (clean == text.len) break;
        to = escaped(to, (unsigned char)text.at[clean]);
        text = str_sub(text, clean + 1, text.len);
    }
    *to++ = '"';
    return to;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits_at(struct str s, size_t from) {
    size_t i = from;
    while (i < s.len && is_digit(s.at[i])) i++;
    return i - from;
}

/* The end of a fraction and an exponent at `i`; 0 when they are malformed. */
static size_t behind_integer(struct str s, size_t i) {
    if (i < s.len && s.at[i] == '.') {
        size_t n = digits_at(s, i + 1);
        if (!n) return 0;
        i += n + 1;
    }
    if (i < s.len && (s.at[i] == 'e' || s.at[i] == 'E')) {
        i++;
        if (i < s.len && (s.at[i] == '+' || s.at[i] == '-')) i++;
        size_t n = digits_at(s, i);
        if (!n) return 0;
        i += n;
    }
    return i;
}

static bool is_json_number(struct str s) {
    size_t i = s.len && s.at[0] == '-', n = digits_at(s, i);
    return n && (n == 1 || s.at[i] != '0') && behind_integer(s, i + n) == s.len;
}

static char *write_number(char *to, struct str s, bool integer) {
    bool minus = s.at[0] == '-';
    size_t i = minus || s.at[0] == '+', n = digits_at(s, i);
    size_t end = n == 0 ? 0 : integer ? i + n : behind_integer(s, i + n);
    if (end != s.len) return NULL;
    for (; n > 1 && s.at[i] == '0'; n--) i++;
    if (minus) *to++ = '-';
    return scan_copy(to, s.at + i, s.len - i);
}

static char *write_boolean(char *to, struct str s) {
    bool one = s.len == 1 && s.at[0] == '1', zero = s.len == 1 && s.at[0] == '0';
    if (one || (s.len == 4 && strncasecmp(s.at, "true", 4) == 0)) {
        memcpy(to, "true", 4);
        return to + 4;
    }
    if (!zero && (s.len != 5 || strncasecmp(s.at, "false", 5) != 0)) return NULL;
    memcpy(to, "false", 5);
    return to + 5;
}

static bool is_literal(struct str s) {
    return str_equal(s, STR("true")) || str_equal(s, STR("false")) || str_equal(s, STR("null"));
}

static char *write_null(char *to, struct str *out_written) {
    *out_written = (struct str){0};
    memcpy(to, "null", 4);
    return to + 4;
}

static char *write_literal(char *to, struct str text, enum value_type type) {
    switch (type) {
    case VALUE_INTEGER: return write_number(to, text, true);
    case VALUE_NUMBER: return write_number(to, text, false);
    case VALUE_BOOLEAN: return write_boolean(to, text);
    default: return scan_copy(to, text.at, text.len);
    }
}

char *value_write(char *to, struct str text, enum value_type type, bool plain, struct str *out_written) {
    if (type == VALUE_AUTO && !is_json_number(text) && !is_literal(text)) type = VALUE_TEXT;
    if (type == VALUE_TEXT) {
        *out_written = text;
        return plain ? value_plain(to, text) : value_string(to, text);
    }
    if (type == VALUE_RAW) {
        *out_written = (struct str){0};
        return scan_copy(to, text.at, text.len);
    }
    if (text.len == 0 || (type == VALUE_AUTO && text.at[0] == 'n')) return write_null(to, out_written);
    char *end = write_literal(to, text, type);
    if (end) *out_written = (struct str){to, (size_t)(end - to)};
    return end;
}
