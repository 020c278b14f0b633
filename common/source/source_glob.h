/* SPDX-License-Identifier: Apache-2.0 */
/* source_glob: path patterns, matched one component at a time while a tree is walked, so that a directory is read once
 * whatever `**` may stand for, and one that cannot lead to a match is never opened.
 *
 * In a component `*`, `?` and `[..]` mean what they mean in the shell (fnmatch(3); a backslash takes the meaning away);
 * a component that is just `**` stands for any number of directories, at the end for all files below. As in the shell,
 * nothing but a '.' matches a '.' at the start of a name: hidden files and directories have to be asked for.
 *
 * The walk keeps a set of states, one bit a component: bit i says "component i comes next". Threads: pure once parsed.
 * Memory: about the pattern's length and 32 bytes a component. Limits: SOURCE_GLOB_PARTS components, names of 1,024
 * bytes. Fails: RC_BAD, RC_LIMIT. */
#ifndef SLUICE_SOURCE_GLOB_H
#define SLUICE_SOURCE_GLOB_H

#include "str.h"

enum { SOURCE_GLOB_PARTS = 64 }; /* the bits of a state set */

enum source_part_kind {
    SOURCE_PART_NAME, /* spelled out */
    SOURCE_PART_STAR, /* one '*' and nothing else special: the usual case, compared without fnmatch */
    SOURCE_PART_GLOB,
    SOURCE_PART_DEEP, /* ** */
};

struct source_part {
    enum source_part_kind kind;
    struct str text; /* with a NUL behind it */
    size_t star;     /* where the one '*' is */
};

struct source_glob {
    struct source_part *parts;
    size_t len;
    char *text;
    bool name_only; /* an exclude without '/': matches by the last component alone */
};

/* An absolute path pattern; with `allow_name` also one without any '/' (name_only). Empty and "." components do not
 * count. */
RC source_glob_parse(struct str pattern, bool allow_name, struct source_glob *out, struct why *why);
void source_glob_done(struct source_glob *glob);

/* The states in which nothing has been read. */
uint64_t source_glob_start(const struct source_glob *glob);
/* Reads one name (with a NUL behind it): the states below it, and whether a file of that name matches. 0 and false: no
 * way on. */
uint64_t source_glob_step(const struct source_glob *glob, uint64_t states, struct str name, bool *out_match);
/* The component that comes next if it is the only one that can and is spelled out, else NULL. */
const struct source_part *source_glob_only_name(const struct source_glob *glob, uint64_t states);
/* Does the whole path match? name_only globs look at the last component. */
bool source_glob_match(const struct source_glob *glob, struct str path);

#endif
