/* SPDX-License-Identifier: Apache-2.0 */
/* regex: regular expressions of PCRE2 with its JIT, which stay behind this header.
 *
 * Patterns and texts are UTF-8. Whatever the pattern and the text, a match ends: its work is bounded (REGEX_STEPS), and
 * it begins in the first REGEX_START_MAX bytes of the text; what would need more is REGEX_LIMIT, for the same text
 * always. `^` and `$` are the ends of the text; (?i) and the like stand in the pattern. \C is refused.
 *
 * Memory: the compiled pattern, its machine code and a stack of at most 512 KiB. Threads: one at a time. Limits:
 * REGEX_PATTERN_MAX, REGEX_GROUPS_MAX. Fails: RC_BAD with the place in the pattern. */
#ifndef SLUICE_REGEX_H
#define SLUICE_REGEX_H

#include "str.h"

enum {
    REGEX_PATTERN_MAX = 4096,
    REGEX_GROUPS_MAX = 256,
    REGEX_STEPS = 20000, /* calls of match() for one place where it may begin; a line of a log needs some hundred */
    REGEX_START_MAX = 4096,
};

enum regex_verdict { REGEX_MATCH, REGEX_NO, REGEX_LIMIT };

struct regex;

/* RC_BAD: "at character 7 of the pattern: missing closing parenthesis". */
RC regex_new(struct str pattern, struct regex **out, struct why *why);
void regex_free(struct regex *regex);
static inline void regex_done(struct regex **regex) { regex_free(*regex); }
/* Its named groups, in the order in which they open. */
size_t regex_group_count(const struct regex *regex);
struct str regex_group_name(const struct regex *regex, size_t group);
/* `text` is valid UTF-8. On a match *out_groups (of regex_group_count(); NULL: of no interest) are the named groups, in
 * `text`; .at NULL: took no part. */
enum regex_verdict regex_match(struct regex *regex, struct str text, struct str *out_groups);

#endif
