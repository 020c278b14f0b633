/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: is it UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF), and what is in it. Threads:
 * pure. */
#ifndef SLUICE_UTF8_H
#define SLUICE_UTF8_H

#include "buf.h"
#include "str.h"

/* How many bytes at the start of `s` are valid UTF-8; s.len when all are. */
size_t utf8_valid_prefix(struct str s);
static inline bool utf8_valid(struct str s) { return utf8_valid_prefix(s) == s.len; }
/* The character at the start of `s` (s.len > 0) and its length. A byte that starts no valid sequence is U+FFFD of
 * length 1 (the real U+FFFD has length 3). */
uint32_t utf8_decode(struct str s, size_t *out_len);
/* Adds the text with U+FFFD in the place of what is not UTF-8: one for each longest run of bytes that a character could
 * begin with (Unicode 15, chapter 3, "maximal subpart"; so Python and browsers do it). */
void utf8_replace(struct str s, struct buf *to);
/* Must not reach a terminal or a line of text as it is: control characters (C0, DEL, C1), line and paragraph
 * separators, and the marks that turn the direction of what follows. */
bool utf8_is_control(uint32_t c);

#endif
