/* SPDX-License-Identifier: Apache-2.0 */
/* walk_files: the files of a walk, and the memory of everything that was ever in them. Threads: one. */
#ifndef SLUICE_WALK_FILES_H
#define SLUICE_WALK_FILES_H

#include "rng.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WALK_PATH_MAX = 256, WALK_NAMES_MAX = 10 };

/* What was in one file from its beginning or a cut on, until the next cut. */
struct walk_content {
    char *bytes;
    size_t len, room;
    size_t ends[64]; /* sizes at which sluice found the file at rest: a line ends there */
    size_t ends_len;
    size_t seen;   /* lines up to here could be read while sluice came to rest */
    size_t kept;   /* so much was taken over from `before`, which was cut there */
    size_t before; /* of .kept > 0 */
};

struct walk_name {
    char path[WALK_PATH_MAX];
    size_t content;
    bool listed; /* by the source's pattern */
};

struct walk_files {
    struct rng rng;
    char folder[WALK_PATH_MAX - 64]; /* in/ is looked at, out/ is not */
    struct walk_content *contents;
    size_t contents_len, contents_room;
    struct walk_name names[WALK_NAMES_MAX + 2];
    size_t names_len;
    uint64_t lines, made, actions;
    bool closes; /* files at rest are closed: what has no newline then is a line */
    char told[WALK_PATH_MAX * 2 + 64];
};

RC walk_files_init(struct walk_files *files, const char *folder, struct rng rng);
void walk_files_done(struct walk_files *files);
/* One thing happens to one file; .told says what. */
void walk_act(struct walk_files *files);
/* A line is begun and, where files at rest are closed, it stays so until sluice comes to rest. */
void walk_act_begin_line(struct walk_files *files);
/* Sluice has come to rest: what is in listed files could be read. `last`: for good, to the last byte. */
void walk_files_rest(struct walk_files *files, bool last);

/* ---- for the files of this folder: one step of a writer each, on disk and in memory ---- */
struct walk_name *walk_create(struct walk_files *files, const char *path, bool listed);
void walk_append(struct walk_files *files, struct walk_name *name, struct str bytes);
void walk_cut(struct walk_files *files, struct walk_name *name, size_t to);
void walk_rename(struct walk_files *files, struct walk_name *name, const char *to, bool listed);
void walk_unlink(struct walk_files *files, struct walk_name *name);
/* Another file with the same bytes. */
void walk_copy(struct walk_files *files, struct walk_name *name, const char *to, bool listed);

/* ---- the reference ---- */
/* The line of the content that begins at *at, without its newline; *at is then behind it. */
bool walk_line_next(const struct walk_content *content, size_t *at, struct str *out);

#endif
