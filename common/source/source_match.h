/* SPDX-License-Identifier: Apache-2.0 */
/* source_match: does a whole path match a source_pattern? For sources that are given whole paths (a bucket, the
 * simulated disk) where a file system is walked name by name (source_glob.h).
 *
 * Excluded is a file that an exclude names, or that lies below a directory that one names and a glob found.
 * Threads: pure once parsed. Memory: a source_glob a path and exclude. Fails: as source_glob_parse(). */
#ifndef SLUICE_SOURCE_MATCH_H
#define SLUICE_SOURCE_MATCH_H

#include "source.h"
#include "source_glob.h"

struct source_match {
    struct source_glob *paths, *excludes;
    size_t paths_len, excludes_len;
};

/* Whatever comes of it, source_match_done(). */
RC source_match_parse(const struct source_pattern *pattern, struct source_match *out, struct why *why);
void source_match_done(struct source_match *match);
/* Does paths[i] want `path` (with a NUL behind it), and no exclude hides it? */
bool source_match_wants(const struct source_match *match, size_t i, const char *path);
/* Does any of the paths? */
bool source_match_any(const struct source_match *match, const char *path);

#endif
