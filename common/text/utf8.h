/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: is it UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF)? Threads: pure. */
#ifndef SLUICE_UTF8_H
#define SLUICE_UTF8_H

#include "str.h"

/* How many bytes at the start of `s` are valid UTF-8; s.len when all are. */
size_t utf8_valid_prefix(struct str s);
static inline bool utf8_valid(struct str s) { return utf8_valid_prefix(s) == s.len; }

#endif
