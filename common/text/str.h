/* SPDX-License-Identifier: Apache-2.0 */
/* str: bytes that somebody else owns (a borrowed slice); may hold NUL, need not end in one. Valid as long as the
 * owner's. Threads: pure. */
#ifndef SLUICE_STR_H
#define SLUICE_STR_H

#include "rc.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *at;
    size_t len;
};

struct str_pair {
    struct str name, value;
};

/* STR("literal") */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).len, (s).at

static inline struct str str_of(const char *text) { return (struct str){text, text ? strlen(text) : 0}; }
static inline struct str str_sub(struct str s, size_t from, size_t to) { return (struct str){s.at + from, to - from}; }
static inline bool str_equal(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
static inline bool str_starts(struct str s, struct str with) {
    return s.len >= with.len && (with.len == 0 || memcmp(s.at, with.at, with.len) == 0);
}
static inline bool str_ends(struct str s, struct str with) {
    return s.len >= with.len && (with.len == 0 || memcmp(s.at + s.len - with.len, with.at, with.len) == 0);
}
/* As memcmp, then the shorter first. */
int str_compare(struct str a, struct str b);
/* Without the spaces and tabs (CR too) at both ends. */
struct str str_trim(struct str s);
/* Cuts at the first `separator`: *out_head is what is before it, the rest stays in *rest; false when *rest is used up.
 */
bool str_cut(struct str *rest, char separator, struct str *out_head);
/* Whole text, decimal, no sign, no blanks, in range; else RC_BAD. */
RC str_parse_u64(struct str s, uint64_t *out);
RC str_parse_i64(struct str s, int64_t *out);
/* "64MiB", "10k", "1GB", "4096": bytes; k, M, G, T with iB are powers of 1024, with B or alone powers of 1000. */
RC str_parse_bytes(struct str s, uint64_t *out);
/* "10m", "500ms", "1h30m", "0": milliseconds; units ms, s, m, h, d. */
RC str_parse_duration_ms(struct str s, uint64_t *out);
/* Levenshtein distance, for "did you mean"; texts over 64 bytes answer 64. */
size_t str_distance(struct str a, struct str b);

#endif
