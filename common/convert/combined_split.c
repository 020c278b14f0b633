/* SPDX-License-Identifier: Apache-2.0 */
/* Apache: LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\""; its escapes are those of
 * ap_escape_logitem() in the manual of mod_log_config ("\xhh" sequences, C-style white space). nginx's `combined` has
 * the same shape and escapes as \xHH. */
#include "combined_split.h"

#include "scan.h"
#include "utf8.h"

#define NAMES(X)                                                                                                       \
    X(REMOTE, "remote", "{")                                                                                           \
    X(IDENT, "ident", ",")                                                                                             \
    X(USER, "user", ",")                                                                                               \
    X(TIME, "time", ",")                                                                                               \
    X(METHOD, "method", ",")                                                                                           \
    X(PATH, "path", ",")                                                                                               \
    X(PROTOCOL, "protocol", ",")                                                                                       \
    X(REQUEST, "request", ",")                                                                                         \
    X(STATUS, "status", ",")                                                                                           \
    X(BYTES, "bytes", ",")                                                                                             \
    X(REFERER, "referer", ",")                                                                                         \
    X(AGENT, "agent", ",")
#define NAME(field, name, before) [COMBINED_##field] = {name, sizeof(name) - 1},
#define KEY(field, name, before) [COMBINED_##field] = {sizeof(before "\"" name "\":") - 1, before "\"" name "\":"},

const struct str combined_names[COMBINED_FIELDS] = {NAMES(NAME)};
const struct combined_key combined_keys[COMBINED_FIELDS] = {NAMES(KEY)};

struct cursor {
    const char *at, *end;
    char *decoded; /* free space */
};

static bool skip(struct cursor *c, char wanted) {
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static bool is_plain(struct str text) { return scan_special(text.at, text.len) == text.len; }

static void set(struct combined_line *line, enum combined_field f, struct str text, bool plain) {
    bool dash = text.len == 1 && text.at[0] == '-';
    line->fields[f] = dash ? (struct str){0} : text;
    line->plain[f] = plain;
}

/* Up to the next space, at least one byte. */
static bool word(struct cursor *c, struct combined_line *line, enum combined_field f) {
    const char *space = memchr(c->at, ' ', (size_t)(c->end - c->at));
    if (!space || space == c->at) return false;
    struct str text = {c->at, (size_t)(space - c->at)};
    set(line, f, text, is_plain(text));
    c->at = space + 1;
    return true;
}

/* Up to " [": a user's name can hold spaces. */
static bool user(struct cursor *c, struct combined_line *line) {
    const char *bracket = memmem(c->at, (size_t)(c->end - c->at), " [", 2);
    if (!bracket || bracket == c->at) return false;
    struct str text = {c->at, (size_t)(bracket - c->at)};
    set(line, COMBINED_USER, text, is_plain(text));
    c->at = bracket + 2;
    return true;
}

static bool time_text(struct cursor *c, struct combined_line *line) {
    const char *bracket = memchr(c->at, ']', (size_t)(c->end - c->at));
    if (!bracket) return false;
    line->clf = (struct str){c->at, (size_t)(bracket - c->at)};
    c->at = bracket + 1;
    return true;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One escape at *at (behind its backslash) to one byte; an unknown one stays, backslash and all. */
static char *unescape_one(const char **at, const char *end, char *to) {
    static const char from_c[] = "ntrbfv\"\\", to_c[] = "\n\t\r\b\f\v\"\\";
    char c = *(*at)++;
    const char *found = c ? strchr(from_c, c) : NULL;
    if (found) {
        *to++ = to_c[found - from_c];
    } else if (c == 'x' && end - *at >= 2 && hex((*at)[0]) >= 0 && hex((*at)[1]) >= 0) {
        *to++ = (char)(hex((*at)[0]) << 4 | hex((*at)[1]));
        *at += 2;
    } else {
        *to++ = '\\';
        *to++ = c;
    }
    return to;
}

/* The decoded text; as it is written when that would not be UTF-8. Every escape has at least 2 bytes, and a backslash
 * is followed by one, so it never grows. */
static struct str unescape(struct cursor *c, struct str text) {
    char *to = c->decoded;
    const char *at = text.at, *end = text.at + text.len;
    while (at < end) {
        if (*at != '\\' || at + 1 == end) {
            *to++ = *at++;
            continue;
        }
        at++;
        to = unescape_one(&at, end, to);
    }
    struct str out = {c->decoded, (size_t)(to - c->decoded)};
    if (!utf8_valid(out)) return text;
    c->decoded = to;
    return out;
}

/* "…" up to a quote without a backslash in front. */
static bool quoted(struct cursor *c, struct str *out, bool *out_plain) {
    if (!skip(c, '"')) return false;
    const char *from = c->at, *at = from;
    bool escapes = false, controls = false;
    for (;;) {
        if (at >= c->end) return false;
        at += scan_special(at, (size_t)(c->end - at));
        if (at >= c->end) return false;
        if (*at == '"') break;
        bool slash = *at == '\\';
        escapes = escapes || slash;
        controls = controls || !slash;
        at += slash ? 2 : 1; /* what stands behind a backslash is no end, whatever it is */
    }
    c->at = at + 1;
    struct str text = {from, (size_t)(at - from)};
    *out_plain = !escapes && !controls;
    *out = escapes ? unescape(c, text) : text;
    return true;
}

/* METHOD PATH PROTOCOL; spaces in the path belong to it. */
static void split_request(struct combined_line *line, struct str text, bool plain) {
    const char *first = memchr(text.at, ' ', text.len), *last = memrchr(text.at, ' ', text.len);
    struct str protocol = last ? (struct str){last + 1, (size_t)(text.at + text.len - last - 1)} : (struct str){0};
    line->request_splits =
        first && first > text.at && last > first + 1 && protocol.len > 5 && str_starts(protocol, STR("HTTP/"));
    if (!line->request_splits) {
        set(line, COMBINED_REQUEST, text, plain);
        return;
    }
    set(line, COMBINED_METHOD, (struct str){text.at, (size_t)(first - text.at)}, plain);
    set(line, COMBINED_PATH, (struct str){first + 1, (size_t)(last - first - 1)}, plain);
    set(line, COMBINED_PROTOCOL, protocol, plain);
}

/* Digits without leading zeros (JSON), or '-'; up to a space or the end. */
static bool number(struct cursor *c, struct combined_line *line, enum combined_field f, size_t digits_max) {
    const char *from = c->at;
    if (c->at < c->end && *c->at == '-') {
        c->at++;
        line->fields[f] = (struct str){0};
    } else {
        while (c->at < c->end && *c->at >= '0' && *c->at <= '9') c->at++;
        size_t len = (size_t)(c->at - from);
        if (len == 0 || len > digits_max) return false;
        while (len > 1 && *from == '0') from++, len--;
        line->fields[f] = (struct str){from, len};
    }
    return c->at == c->end || *c->at == ' ';
}

bool combined_split(struct str text, char *decoded, struct combined_line *out) {
    struct cursor c = {text.at, text.at + text.len, decoded};
    *out = (struct combined_line){0};
    while (c.end > c.at && c.end[-1] == ' ') c.end--;
    if (!word(&c, out, COMBINED_REMOTE) || !word(&c, out, COMBINED_IDENT) || !user(&c, out)) return false;
    struct str request;
    bool plain = false;
    if (!time_text(&c, out) || !skip(&c, ' ') || !quoted(&c, &request, &plain)) return false;
    split_request(out, request, plain);
    /* 18 digits always fit 64 bits. */
    if (!skip(&c, ' ') || !number(&c, out, COMBINED_STATUS, 3)) return false;
    if (!skip(&c, ' ') || !number(&c, out, COMBINED_BYTES, 18)) return false;
    if (c.at == c.end) return true;
    out->is_combined = true;
    struct str referer, agent;
    bool referer_plain = false, agent_plain = false;
    if (!skip(&c, ' ') || !quoted(&c, &referer, &referer_plain)) return false;
    if (!skip(&c, ' ') || !quoted(&c, &agent, &agent_plain)) return false;
    set(out, COMBINED_REFERER, referer, referer_plain);
    set(out, COMBINED_AGENT, agent, agent_plain);
    return c.at == c.end;
}
