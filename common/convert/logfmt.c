/* SPDX-License-Identifier: Apache-2.0 */
/* logfmt: key=value pairs between blanks, as Go's programs write them. A key without '=' is true. A value in quotes has
 * the escapes of JSON; an unknown one stays as it is written. A value without quotes goes up to the next blank,
 * whatever it holds (url=/a?b=c). A key that stands twice is key and key_2. */
#include "alloc.h"
#include "columns.h"
#include "names.h"
#include "scan.h"
#include "utf8.h"

#include <stdlib.h>

enum {
    GROWTH = 8, /* "a " becomes ,"a_255":true; a value's byte at most 6 */
    EXTRA = 64,
};

struct pair {
    struct str key, value; /* .value.at NULL: without '=' */
};

struct cursor {
    const char *at, *end;
    char *decoded;
    const char *problem;
};

static bool is_blank(char c) { return (unsigned char)c <= ' '; }

static int hex4(const char *at, const char *end) {
    int value = 0;
    if (end - at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, uint32_t c) {
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* \u0000 at *at (behind the u), a pair of surrogates as one character, half a pair as U+FFFD. */
static char *put_code(const char **at, const char *end, char *to) {
    int first = hex4(*at, end);
    if (first < 0) {
        *to++ = '\\';
        *to++ = 'u';
        return to;
    }
    *at += 4;
    uint32_t code = (uint32_t)first;
    if (code >= 0xd800 && code < 0xe000) {
        bool pair = code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u';
        int second = pair ? hex4(*at + 2, end) : -1;
        if (second >= 0xdc00 && second < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)second - 0xdc00);
            *at += 6;
        } else {
            code = 0xfffd;
        }
    }
    return put_utf8(to, code);
}

/* One escape at *at (behind its backslash, and not at the end); never longer than it is written. */
static char *put_escape(const char **at, const char *end, char *to) {
    static const char from_c[] = "ntrbf\"\\/", to_c[] = "\n\t\r\b\f\"\\/";
    char c = *(*at)++;
    const char *found = c ? strchr(from_c, c) : NULL;
    if (c == 'u') return put_code(at, end, to);
    if (!found) *to++ = '\\';
    *to++ = found ? to_c[found - from_c] : c;
    return to;
}

/* "…": the cursor is behind the opening quote. */
static bool quoted(struct cursor *c, struct str *out) {
    const char *at = c->at;
    char *to = c->decoded;
    bool escapes = false;
    for (;;) {
        size_t clean = scan_special(at, (size_t)(c->end - at));
        if (escapes) memmove(to, at, clean);
        to += escapes ? clean : 0;
        at += clean;
        if (at >= c->end) return false;
        if (*at == '"') break;
        if (*at != '\\') { /* a control character is data */
            if (escapes) *to++ = *at;
            at++;
            continue;
        }
        if (!escapes) {
            memcpy(to, c->at, (size_t)(at - c->at));
            to += at - c->at;
        }
        escapes = true;
        if (++at >= c->end) return false;
        to = put_escape(&at, c->end, to);
    }
    *out = escapes ? (struct str){c->decoded, (size_t)(to - c->decoded)} : (struct str){c->at, (size_t)(at - c->at)};
    if (escapes) c->decoded = to;
    c->at = at + 1;
    return true;
}

static bool next_value(struct cursor *c, struct str *out) {
    if (c->at < c->end && *c->at == '"') {
        c->at++;
        if (!quoted(c, out)) {
            c->problem = "a quote is open at the end of the line";
            return false;
        }
        if (c->at == c->end || is_blank(*c->at)) return true;
        c->problem = "no blank behind a closing quote";
        return false;
    }
    const char *from = c->at;
    while (c->at < c->end && !is_blank(*c->at)) c->at++;
    *out = (struct str){from, (size_t)(c->at - from)};
    return true;
}

/* False at the end of the line, and where ->problem is set. */
static bool next_pair(struct cursor *c, struct pair *out) {
    while (c->at < c->end && is_blank(*c->at)) c->at++;
    if (c->at == c->end) return false;
    const char *from = c->at;
    while (c->at < c->end && !is_blank(*c->at) && *c->at != '=' && *c->at != '"') c->at++;
    *out = (struct pair){.key = {from, (size_t)(c->at - from)}};
    if (c->at < c->end && *c->at == '"') {
        c->problem = "a quote in a key";
        return false;
    }
    if (!out->key.len) {
        c->problem = "no key before =";
        return false;
    }
    if (c->at == c->end || *c->at != '=') return true;
    c->at++;
    return next_value(c, &out->value);
}

static RC logfmt_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)settings, (void)why;
    c->self = ALLOC(struct names);
    return RC_OK;
}

static void logfmt_close(struct converter *c) {
    names_done(c->self);
    free(c->self);
}

static bool logfmt_gives(const struct converter *c, size_t field) {
    return partition_fields(c->partition)[field].step_count == 1;
}

static size_t logfmt_scratch_bytes(const struct converter *c, size_t line_bytes) {
    (void)c;
    return GROWTH * line_bytes + EXTRA + line_bytes + SCAN_STEP;
}

/* What the partition and the time want of this pair. */
static void keep_wanted(struct converter *c, struct str key, struct str value, struct str *time) {
    for (size_t i = 0; i < partition_field_count(c->partition); i++) {
        const struct json_path *path = &partition_fields(c->partition)[i];
        if (path->step_count == 1 && str_equal(json_path_step(path, 0), key)) c->fields[i] = value;
    }
    if (c->time_given && c->time_field.step_count == 1 && str_equal(json_path_step(&c->time_field, 0), key))
        *time = value;
}

static char *put_pair(struct converter *c, const struct pair *pair, char *to, struct str *out_written) {
    to = value_string(to, pair->key);
    *to++ = ':';
    if (!pair->value.at) {
        *out_written = STR("true");
        memcpy(to, "true", 4);
        return to + 4;
    }
    enum value_type type = c->types_len ? columns_type(c, pair->key) : VALUE_TEXT;
    return value_write(to, pair->value, type, false, out_written);
}

static void line_reset(struct converter *c) {
    names_reset(c->self);
    for (size_t i = 0; i < partition_field_count(c->partition); i++) c->fields[i] = (struct str){0};
}

/* The end of the object; NULL after a reject. */
static char *put_pairs(struct converter *c, struct cursor *cursor, char *to, struct str *time, struct converted *out) {
    struct names *names = c->self;
    struct pair pair;
    *to++ = '{';
    while (next_pair(cursor, &pair)) {
        struct str written = {0};
        if (names->count) *to++ = ',';
        pair.key = names_add(names, pair.key);
        if (!pair.key.at) {
            converter_reject(out, REASON_FIELDS);
            out->detail = STR("more than 256 keys");
            return NULL;
        }
        to = put_pair(c, &pair, to, &written);
        if (!to) {
            converter_reject(out, REASON_TYPE);
            out->detail = pair.key;
            return NULL;
        }
        keep_wanted(c, pair.key, written, time);
    }
    *to++ = '}';
    return to;
}

static void logfmt_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    struct str time = {0};
    if (!utf8_valid(line)) {
        converter_reject(out, REASON_UTF8);
        return;
    }
    line_reset(c);
    struct cursor cursor = {line.at, line.at + line.len, scratch + GROWTH * line.len + EXTRA, NULL};
    char *end = put_pairs(c, &cursor, scratch, &time, out);
    if (!end) return;
    if (cursor.problem) {
        converter_reject(out, REASON_FORMAT);
        out->detail = str_of(cursor.problem);
        return;
    }
    out->record = (struct str){scratch, (size_t)(end - scratch)};
    if (c->time_given) columns_time(c, &c->time_format, time, out);
}

const struct converter_ops logfmt_ops = {.name = "logfmt",
                                         .open = logfmt_open,
                                         .close = logfmt_close,
                                         .gives = logfmt_gives,
                                         .scratch_bytes = logfmt_scratch_bytes,
                                         .line = logfmt_line};
