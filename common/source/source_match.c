/* SPDX-License-Identifier: Apache-2.0 */
#include "source_match.h"

#include "alloc.h"

#include <stdlib.h>

/* Excluded is a file that an exclude names, or that lies below a directory that one names and a glob found. */
static bool is_excluded(const struct source_glob *excludes, size_t len, const char *path, size_t spelled_out) {
    for (size_t to = spelled_out + 1; path[to - 1]; to++) {
        if (path[to] != '/' && path[to] != '\0') continue;
        for (size_t i = 0; i < len; i++)
            if (source_glob_match(&excludes[i], (struct str){path, to})) return true;
    }
    return false;
}

/* How much of `path` the glob spells out in directories. */
static size_t spelled_out(const struct source_glob *glob, const char *path) {
    size_t at = 0;
    for (size_t i = 0; i + 1 < glob->len && glob->parts[i].kind == SOURCE_PART_NAME; i++) {
        at += strspn(path + at, "/");
        at += strcspn(path + at, "/");
    }
    return at;
}

void source_match_done(struct source_match *match) {
    if (!match) return;
    for (size_t i = 0; match->paths && i < match->paths_len; i++) source_glob_done(&match->paths[i]);
    for (size_t i = 0; match->excludes && i < match->excludes_len; i++) source_glob_done(&match->excludes[i]);
    free(match->paths);
    free(match->excludes);
    *match = (struct source_match){0};
}

RC source_match_parse(const struct source_pattern *pattern, struct source_match *out, struct why *why) {
    *out = (struct source_match){.paths = alloc_zero(pattern->paths_len, sizeof *out->paths),
                                 .excludes = alloc_zero(pattern->excludes_len, sizeof *out->excludes),
                                 .paths_len = pattern->paths_len,
                                 .excludes_len = pattern->excludes_len};
    for (size_t i = 0; i < pattern->paths_len; i++)
        TRY(source_glob_parse(pattern->paths[i], false, &out->paths[i], why));
    for (size_t i = 0; i < pattern->excludes_len; i++)
        TRY(source_glob_parse(pattern->excludes[i], true, &out->excludes[i], why));
    return RC_OK;
}

bool source_match_wants(const struct source_match *match, size_t i, const char *path) {
    if (!source_glob_match(&match->paths[i], str_of(path))) return false;
    size_t from = spelled_out(&match->paths[i], path);
    return !is_excluded(match->excludes, match->excludes_len, path, from);
}

bool source_match_any(const struct source_match *match, const char *path) {
    for (size_t i = 0; i < match->paths_len; i++)
        if (source_match_wants(match, i, path)) return true;
    return false;
}
