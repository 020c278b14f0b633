/* SPDX-License-Identifier: Apache-2.0 */
/* scan: the two inner loops of making JSON out of text, 16 bytes a step: find what needs escaping, and copy. Both touch
 * up to SCAN_SLACK bytes behind what they are given, which must be readable (and writable at the target).
 * Threads: pure. */
#ifndef SLUICE_SCAN_H
#define SLUICE_SCAN_H

#include "str.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { SCAN_STEP = 16, SCAN_SLACK = 15 };

/* Where the first '"', '\' or control character is in the `len` bytes at `at`; `len` when there is none. */
static inline size_t scan_special(const char *at, size_t len) {
#if defined(__SSE2__)
    for (size_t i = 0; i < len; i += SCAN_STEP) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i quote = _mm_cmpeq_epi8(b, _mm_set1_epi8('"')), slash = _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(b, _mm_set1_epi8(0x1f)), b);
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
        if (!mask) continue;
        size_t found = i + (size_t)__builtin_ctz((unsigned)mask);
        return found < len ? found : len;
    }
    return len;
#else
    size_t i = 0;
    while (i < len && (unsigned char)at[i] >= 0x20 && at[i] != '"' && at[i] != '\\') i++;
    return i;
#endif
}

/* Copies `len` bytes that do not overlap; gives the end of the copy. */
static inline char *scan_copy(char *to, const char *from, size_t len) {
    for (size_t i = 0; i < len; i += SCAN_STEP) memcpy(to + i, from + i, SCAN_STEP);
    return to + len;
}

#endif
