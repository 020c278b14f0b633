/* SPDX-License-Identifier: Apache-2.0 */
/* charset: text of other encodings to UTF-8, a character at a time, so that nothing depends on how it is cut.
 *
 * A byte order mark at the file's start is left out. With CHARSET_UTF16 it says the order of the bytes; without one
 * they are little-endian. What is no character of the encoding (a surrogate alone, a byte that begins none) becomes
 * U+FFFD with `replace`; else the byte 0xFF, which is in no UTF-8, so that the line is a reject (`utf8`).
 *
 * Memory: iconv's for the encodings of the East, which is some KiB. Threads: one at a time. Fails: never. */
#ifndef SLUICE_CHARSET_H
#define SLUICE_CHARSET_H

#include "str.h"

enum charset {
    CHARSET_UTF8, /* nothing is done */
    CHARSET_UTF16,
    CHARSET_UTF16LE,
    CHARSET_UTF16BE,
    CHARSET_LATIN1,
    CHARSET_WINDOWS1252,
    CHARSET_SHIFT_JIS,
    CHARSET_EUC_JP,
    CHARSET_GBK,
    CHARSET_GB18030,
    CHARSET_BIG5,
    CHARSET_EUC_KR,
    CHARSETS
};

enum { CHARSET_BYTES_MAX = 4 /* of UTF-8, of a character */ };

struct charset_state {
    enum charset charset;
    bool replace;
    bool begun, big; /* of UTF-16 */
    void *iconv;     /* NULL before it is needed */
};

struct decode_piece;

/* Takes whole characters while there is room for each; a character that is not whole stays in the input. */
void charset_step(struct charset_state *state, struct decode_piece *piece);
void charset_done(struct charset_state *state);
/* Not all systems have all encodings. */
bool charset_is_known(enum charset charset);
/* The name that configurations use, "utf-16le"; it is iconv's name, too. */
const char *charset_name(enum charset charset);

#endif
