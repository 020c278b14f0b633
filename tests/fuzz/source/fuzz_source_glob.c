/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: no pattern and no path (before and behind the first newline) harms the matcher, and a pattern without
 * special bytes matches its own text. */
#include "must.h"
#include "own.h"
#include "source_glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(struct str text, const char *bytes) {
    for (; *bytes; bytes++)
        if (memchr(text.at, *bytes, text.len)) return true;
    return false;
}

static bool long_name(struct str path) {
    struct str name;
    while (str_cut(&path, '/', &name))
        if (name.len > 255) return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { SIZE_MAX_HERE = 64 }; /* fnmatch takes exponential time for many stars; patterns are the administrator's */
    AUTO(source_glob_done) struct source_glob glob = {0};
    struct str path = {(const char *)data, size}, pattern;
    if (size > SIZE_MAX_HERE || !str_cut(&path, '\n', &pattern)) return 0;
    if (source_glob_parse(pattern, true, &glob, NULL) != RC_OK) return 0;
    if (path.len) (void)source_glob_match(&glob, path);
    bool plain = !has(pattern, "*?[\\") && !long_name(pattern);
    MUST(!plain || glob.name_only || source_glob_match(&glob, pattern) || has(pattern, "."));
    return 0;
}
