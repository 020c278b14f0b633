/* SPDX-License-Identifier: Apache-2.0 */
/* json_path: the way to a value in a JSON document, as configurations write it. Memory: a plain value of 330 bytes.
 * Threads: pure. Limits: JSON_STEPS_MAX, JSON_PATH_MAX. Fails: RC_BAD when compiled. */
#ifndef SLUICE_JSON_PATH_H
#define SLUICE_JSON_PATH_H

#include "rc.h"
#include "str.h"

#include <stdint.h>

enum {
    JSON_STEPS_MAX = 16,
    JSON_PATH_MAX = 256, /* bytes of a path */
};

/* A way to a value: `user.country` (keys; no key may be empty or hold a dot), or a JSON Pointer (RFC 6901)
 * `/user/a~1b/0`. In an array a step is an index in decimal without leading zeros. A plain value: copy it. */
struct json_path {
    uint32_t step_count;
    struct {
        uint16_t from, to; /* in text */
    } steps[JSON_STEPS_MAX];
    char text[JSON_PATH_MAX]; /* unescaped steps, back to back */
};

/* RC_BAD with the position (from 1) in `text` and what is allowed; *out is then unchanged. */
RC json_path_compile(struct str text, struct json_path *out, struct why *why);
/* One step, unescaped. */
static inline struct str json_path_step(const struct json_path *path, uint32_t step) {
    return str_sub((struct str){path->text, sizeof path->text}, path->steps[step].from, path->steps[step].to);
}
/* The step as an index of an array: decimal, at most 9 digits, no leading zeros. False when it is none. */
bool json_path_index(struct str step, size_t *out);

#endif
