/* SPDX-License-Identifier: Apache-2.0 */
/* decode: the text of a compressed file, and of one in another encoding than UTF-8, as a stream: bytes in, bytes out.
 *
 * Text is a function of the file's bytes alone. However the input is cut and however much room the output has, the same
 * bytes come out, also of a file that is damaged; and what comes out of a file is a prefix of what comes out when more
 * is appended to it. All that counts in bytes of the text (checkpoints, closed ends) rests on that. DESIGN.md has the
 * rules of each format.
 *
 * A file is members one after another (gzip members, zstd frames, streams of xz and bzip2), with zero bytes between and
 * behind them or not. Anything else there is damage. What is behind damage is not read.
 *
 * Memory: the window that the file asks for, up to memory_max (zstd, xz); 64 KiB (gzip), 4 MiB (bzip2). Threads: one at
 * a time. Fails: never; files do, see decode_state. */
#ifndef SLUICE_DECODE_H
#define SLUICE_DECODE_H

#include "charset.h"
#include "decode_kind.h"

#include <stdint.h>

enum { DECODE_HELD = 256 };

enum decode_status {
    DECODE_WHOLE,   /* at the end of a member, and of a character: a file may end here */
    DECODE_GOING,   /* in one: a file that ends here is cut off */
    DECODE_DAMAGED, /* no way on */
    DECODE_LIMIT    /* it would be more than a limit allows */
};

struct decode_settings {
    enum decode_kind kind;
    enum charset charset;
    bool replace;      /* what is no character of the charset becomes U+FFFD; else 0xFF, which is not UTF-8 */
    size_t memory_max; /* of a window; 0: 128 MiB */
};

struct decode_piece {
    const char *in; /* both are moved on by decode_step() */
    size_t in_len;
    char *out;
    size_t out_room;
};

struct decode_state {
    enum decode_status status;
    uint64_t raw_at;    /* bytes taken */
    uint64_t at;        /* bytes of the text made */
    uint64_t member_at; /* raw: where the present or last member begins, or what is none */
    const char *words;  /* of damage and limits, else "" */
};

struct decode;

struct decode *decode_new(const struct decode_settings *settings);
void decode_free(struct decode *decode);
/* No more than so many bytes of text, counted from the beginning; it may be raised later. UINT64_MAX to begin with. */
void decode_set_cap(struct decode *decode, uint64_t cap);
/* Goes on until the input is used up, the output full, or there is no way on. The room for output must be at least
 * CHARSET_BYTES_MAX. When no input is left it may still have text: call it until nothing comes. */
void decode_step(struct decode *decode, struct decode_piece *piece);
/* Some formats tell of damage late, so that up to DECODE_HELD bytes are held back until they are known to be right.
 * Where a file ends in the middle: gives them out, too. */
size_t decode_rest(struct decode *decode, struct decode_piece *piece);
struct decode_state decode_state(const struct decode *decode);

#endif
