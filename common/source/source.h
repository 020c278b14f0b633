/* SPDX-License-Identifier: Apache-2.0 */
/* source: where input files come from: list what matches, open one incarnation, read ranges of it, wait for changes.
 *
 * An opened file is one incarnation (one inode): renaming or deleting it does not change what is read; truncating it
 * does, and shows as a shorter size. Opening by facts refuses another incarnation under the same name.
 *
 * Threads: the handle by any; an opened file by any. Memory: see the adapter; listing keeps nothing.
 * Fails: RC_ABSENT (gone), RC_STALE (another file lies under that name now), RC_DENIED (permission; names the file),
 * RC_BUSY, RC_BROKEN (I/O error). */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include "buf.h"
#include "rc.h"
#include "str.h"

/* What a directory or bucket says of a file. */
struct source_stat {
    uint64_t inode;
    int64_t birth_ns;
    uint64_t volume; /* file system id where birth_ns is 0, else 0 */
    uint64_t size;
    int64_t mtime_ns;
    uint32_t links; /* 0: unlinked, only open descriptors hold it */
};

struct source_entry {
    struct str uri;
    struct source_stat stat;
};

/* What to look for. */
struct source_pattern {
    const struct str *paths; /* globs: *, ?, [..], ** across directories */
    size_t paths_len;
    const struct str *excludes;
    size_t excludes_len;
    bool follow_symlinks;
};

/* Anything but RC_OK ends the listing and is returned. The entry is valid during the call. */
typedef enum rc (*source_visit)(void *context, const struct source_entry *entry);
/* A place that could not be listed: told, and the listing goes on. */
typedef void (*source_problem)(void *context, struct str uri, enum rc rc, const struct why *why);

struct source_file; /* one opened incarnation, counted by its adapter */

struct source_ops {
    enum rc (*list)(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                    void *context, struct why *why);
    enum rc (*open)(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                    struct why *why);
    enum rc (*stat)(void *self, struct source_file *file, struct source_stat *out, struct why *why);
    enum rc (*read)(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                    struct why *why);
    void (*close)(void *self, struct source_file *file);
    enum rc (*watch)(void *self, const struct source_pattern *pattern, struct why *why);
    enum rc (*wait)(void *self, uint64_t wait_ms, bool *out_changed, struct why *why);
    enum rc (*remove)(void *self, struct str uri, const struct source_stat *expected, struct why *why);
    enum rc (*move)(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                    struct why *why);
    void (*free)(void *self);
};
struct source {
    const struct source_ops *ops;
    void *self;
};

/* Every regular file that matches, once an inode and name. */
RC source_list(struct source source, const struct source_pattern *pattern, source_visit visit, source_problem problem,
               void *context, struct why *why);
/* The file under `uri` if it is the incarnation `expected` (inode, birth, volume; NULL: whatever is there). A file that
 * any handle of this source still holds open is found by its incarnation even after it was renamed or deleted. */
RC source_open(struct source source, struct str uri, const struct source_stat *expected, struct source_file **out,
               struct why *why);
RC source_stat(struct source source, struct source_file *file, struct source_stat *out, struct why *why);
/* Up to `len` bytes from offset `from`; fewer only at the end of the file. Never maps the file. */
RC source_read(struct source source, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
               struct why *why);
void source_close(struct source source, struct source_file *file);
/* Asks to be woken by changes under the pattern. Only a hint: a rescan finds what events did not tell. */
RC source_watch(struct source source, const struct source_pattern *pattern, struct why *why);
RC source_wait(struct source source, uint64_t wait_ms, bool *out_changed, struct why *why);
/* Only if `uri` still is `expected` with that size: RC_STALE otherwise, and nothing is done. For after_durable. */
RC source_remove(struct source source, struct str uri, const struct source_stat *expected, struct why *why);
RC source_move(struct source source, struct str uri, const struct source_stat *expected, struct str to_directory,
               struct why *why);
void source_free(struct source source);

#endif
