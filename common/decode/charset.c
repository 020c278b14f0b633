/* SPDX-License-Identifier: Apache-2.0 */
#include "charset.h"

#include "decode.h"
#include "must.h"
#include "num.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

enum { CHARACTER_MAX = 8 /* bytes of a character in any of them, and of what it becomes */ };

static const char *const names[CHARSETS] = {"utf-8",     "utf-16", "utf-16le", "utf-16be", "latin-1", "windows-1252",
                                            "shift_jis", "euc-jp", "gbk",      "gb18030",  "big5",    "euc-kr"};

const char *charset_name(enum charset charset) { return names[charset]; }

static bool is_utf16(enum charset charset) { return charset >= CHARSET_UTF16 && charset <= CHARSET_UTF16BE; }

static size_t put_utf8(uint32_t code, char out[4]) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(marks[len] | code);
    return len;
}

static size_t put_wrong(const struct charset_state *s, char out[CHARACTER_MAX]) {
    if (s->replace) return put_utf8(0xFFFD, out);
    out[0] = (char)0xFF;
    return 1;
}

static uint32_t unit_at(const struct charset_state *s, const char *at) {
    const unsigned char *b = (const unsigned char *)at;
    return s->big ? (uint32_t)b[0] << 8 | b[1] : (uint32_t)b[1] << 8 | b[0];
}

/* One character of `in`: its length there, 0: it is not whole. *out_len bytes of UTF-8 come of it. */
static size_t one_utf16(struct charset_state *s, struct str in, char out[CHARACTER_MAX], size_t *out_len) {
    if (in.len < 2) return 0;
    uint32_t unit = unit_at(s, in.at);
    bool high = unit >= 0xD800 && unit < 0xDC00, low = unit >= 0xDC00 && unit < 0xE000;
    if (high && in.len < 4) return 0;
    uint32_t next = high ? unit_at(s, in.at + 2) : 0;
    if (high && next >= 0xDC00 && next < 0xE000) {
        *out_len = put_utf8(0x10000 + ((unit - 0xD800) << 10) + (next - 0xDC00), out);
        return 4;
    }
    *out_len = high || low ? put_wrong(s, out) : put_utf8(unit, out);
    return 2;
}

/* How many bytes the shortest beginning of `in` has that iconv takes whole, tried from one on: so what is wrong is one
 * byte, and what comes behind it does not matter. */
static size_t one_iconv(struct charset_state *s, struct str in, char out[CHARACTER_MAX], size_t *out_len) {
    for (size_t len = 1; len <= MIN(in.len, (size_t)4); len++) {
        char *from = (char *)(uintptr_t)in.at, *to = out;
        size_t left = len, room = CHARACTER_MAX;
        (void)iconv(s->iconv, NULL, NULL, NULL, NULL);
        size_t done = iconv(s->iconv, &from, &left, &to, &room);
        if (done != (size_t)-1 && !left) {
            *out_len = CHARACTER_MAX - room;
            return len;
        }
        if (errno != EINVAL) break;
        if (len == in.len && len < 4) return 0;
    }
    *out_len = put_wrong(s, out);
    return 1;
}

static size_t one(struct charset_state *s, struct str in, char out[CHARACTER_MAX], size_t *out_len) {
    unsigned char byte = (unsigned char)in.at[0];
    if (is_utf16(s->charset)) return one_utf16(s, in, out, out_len);
    if (byte < 0x80 || s->charset == CHARSET_LATIN1) {
        *out_len = put_utf8(byte, out);
        return 1;
    }
    return one_iconv(s, in, out, out_len);
}

static bool needs_iconv(enum charset charset) { return charset > CHARSET_LATIN1; }

bool charset_is_known(enum charset charset) {
    if (!needs_iconv(charset)) return true;
    iconv_t found = iconv_open("UTF-8", names[charset]);
    if (found == (iconv_t)-1) return false;
    (void)iconv_close(found);
    return true;
}

/* True: the mark was seen, or there is none. */
static bool begin(struct charset_state *s, struct decode_piece *piece) {
    s->big = s->charset == CHARSET_UTF16BE;
    if (is_utf16(s->charset)) {
        if (piece->in_len < 2) return false;
        const unsigned char *b = (const unsigned char *)piece->in;
        bool little = b[0] == 0xFF && b[1] == 0xFE, big = b[0] == 0xFE && b[1] == 0xFF;
        if (s->charset == CHARSET_UTF16) s->big = big;
        if ((s->big && big) || (!s->big && little)) {
            piece->in += 2;
            piece->in_len -= 2;
        }
    } else if (needs_iconv(s->charset)) {
        s->iconv = iconv_open("UTF-8", names[s->charset]);
        MUST(s->iconv != (iconv_t)-1); /* charset_is_known() said so */
    }
    return s->begun = true;
}

void charset_step(struct charset_state *s, struct decode_piece *piece) {
    char made[CHARACTER_MAX];
    if (piece->in_len && !s->begun && !begin(s, piece)) return;
    while (piece->in_len && piece->out_room) {
        size_t len = 0, taken = one(s, (struct str){piece->in, piece->in_len}, made, &len);
        if (!taken || len > piece->out_room) return;
        memcpy(piece->out, made, len);
        piece->in += taken;
        piece->in_len -= taken;
        piece->out += len;
        piece->out_room -= len;
    }
}

void charset_done(struct charset_state *s) {
    if (s->iconv) (void)iconv_close(s->iconv);
    s->iconv = NULL;
}
