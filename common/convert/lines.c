/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* 64 bytes a step. Returns the number of ends; *out_at is how far it looked. */
__attribute__((target("avx2"))) static size_t index_avx2(struct str bytes, uint32_t *out_ends, size_t room,
                                                         size_t *out_at) {
    const __m256i newline = _mm256_set1_epi8('\n');
    size_t n = 0, at = 0;
    /* A step can find 64. */
    for (; at + 64 <= bytes.len && n + 64 <= room; at += 64) {
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)(bytes.at + at));
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(bytes.at + at + 32));
        uint32_t low_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, newline));
        uint32_t high_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, newline));
        uint64_t mask = (uint64_t)high_mask << 32 | low_mask;
        for (; mask; mask &= mask - 1) out_ends[n++] = (uint32_t)at + (uint32_t)__builtin_ctzll(mask);
    }
    *out_at = at;
    return n;
}

static bool has_avx2(void) { return __builtin_cpu_supports("avx2"); }
#else
static size_t index_avx2(struct str bytes, uint32_t *out_ends, size_t room, size_t *out_at) {
    (void)bytes, (void)out_ends, (void)room;
    *out_at = 0;
    return 0;
}

static bool has_avx2(void) { return false; }
#endif

size_t lines_index(struct str bytes, uint32_t *out_ends, size_t room) {
    size_t at = 0;
    size_t n = has_avx2() ? index_avx2(bytes, out_ends, room, &at) : 0;
    while (n < room && at < bytes.len) {
        const char *end = memchr(bytes.at + at, '\n', bytes.len - at);
        if (!end) break;
        out_ends[n++] = (uint32_t)(end - bytes.at);
        at = (size_t)(end - bytes.at) + 1;
    }
    return n;
}

size_t lines_whole(struct str bytes) {
    const char *end = bytes.len ? memrchr(bytes.at, '\n', bytes.len) : NULL;
    return end ? (size_t)(end - bytes.at) + 1 : 0;
}

bool lines_blank(struct str line) {
    for (size_t i = 0; i < line.len; i++) {
        char c = line.at[i];
        if (c != ' ' && c != '\t' && c != '\r') return false;
    }
    return true;
}
