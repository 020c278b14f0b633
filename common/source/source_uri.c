/* SPDX-License-Identifier: Apache-2.0 */
#include "source_uri.h"

#include "own.h"

/* 1: stands for itself. Unreserved, sub-delims, ':' and '@' of RFC 3986, and '/'. */
static const unsigned char plain[256] = {
    ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1,
    ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1,
    ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1,
    ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1,
    ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1,
    ['y'] = 1, ['z'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
    ['8'] = 1, ['9'] = 1, ['-'] = 1, ['.'] = 1, ['_'] = 1, ['~'] = 1, ['!'] = 1, ['$'] = 1, ['&'] = 1, ['\''] = 1,
    ['('] = 1, [')'] = 1, ['*'] = 1, ['+'] = 1, [','] = 1, [';'] = 1, ['='] = 1, [':'] = 1, ['@'] = 1, ['/'] = 1,
};

size_t source_uri_encode_piece(struct str path, char *out) {
    static const char digits[] = "0123456789ABCDEF";
    char *to = out;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char byte = (unsigned char)path.at[i];
        if (plain[byte]) {
            *to++ = (char)byte;
            continue;
        }
        *to++ = '%';
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    return (size_t)(to - out);
}

RC source_uri_encode(struct str path, struct buf *out) {
    if (path.len == 0 || path.at[0] != '/' || memchr(path.at, '\0', path.len)) return RC_BAD;
    if (path.len > SOURCE_PATH_MAX) return RC_LIMIT;
    char piece[3 * SOURCE_PATH_MAX];
    size_t len = source_uri_encode_piece(path, piece);
    buf_add(out, STR("file://"));
    buf_add(out, (struct str){piece, len});
    return buf_rc(out);
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The byte at uri.at[*at], which moves behind it; RC_BAD for what cannot stand in a path. */
static RC decode_byte(struct str uri, size_t *at, char *out) {
    char c = uri.at[(*at)++];
    if (c == '\0' || c == '?' || c == '#') return RC_BAD;
    if (c == '%') {
        if (uri.len - *at < 2) return RC_BAD;
        int high = digit_of(uri.at[*at]), low = digit_of(uri.at[*at + 1]);
        if (high < 0 || low < 0 || high + low == 0) return RC_BAD;
        c = (char)(high * 16 + low);
        *at += 2;
    }
    *out = c;
    return RC_OK;
}

enum { SHOWN_MAX = 300 }; /* as much of a URI as a message shows */

static enum rc no_uri(struct str uri, struct why *why) {
    struct str shown = uri.len > SHOWN_MAX ? str_sub(uri, 0, SHOWN_MAX) : uri;
    return why_set(why, RC_BAD, "'%.*s' is no URI of a file (file:///absolute/path)", STR_ARG(shown));
}

RC source_uri_decode_piece(struct str uri, size_t at, struct buf *out) {
    char path[SOURCE_PATH_MAX];
    size_t len = 0;
    while (at < uri.len) {
        if (len == sizeof path) return RC_LIMIT;
        TRY(decode_byte(uri, &at, &path[len++]));
    }
    buf_add(out, (struct str){path, len});
    return buf_rc(out);
}

RC source_uri_decode(struct str uri, struct buf *out, struct why *why) {
    size_t at = 0;
    if (str_starts(uri, STR("file:///")))
        at = sizeof "file://" - 1;
    else if (str_starts(uri, STR("file://localhost/")))
        at = sizeof "file://localhost" - 1;
    else
        return no_uri(uri, why);
    enum rc rc = source_uri_decode_piece(uri, at, out);
    if (rc == RC_BAD) return no_uri(uri, why);
    return rc == RC_OK ? RC_OK : why_set(why, rc, "the path of a URI is longer than %d bytes", SOURCE_PATH_MAX);
}

bool source_uri_names(struct str asked, struct str uri) {
    if (!asked.len) return false;
    if (str_equal(asked, uri)) return true;
    AUTO(buf_done) struct buf path = BUF_INIT(uri.len);
    if (source_uri_decode(uri, &path, NULL) != RC_OK) {
        buf_reset(&path);
        buf_add(&path, uri);
    }
    struct str whole = buf_str(&path);
    if (!str_ends(whole, asked)) return false;
    return whole.len == asked.len || asked.at[0] == '/' || whole.at[whole.len - asked.len - 1] == '/';
}
