/* SPDX-License-Identifier: Apache-2.0 */
/* source: where input files come from: list what matches, open one incarnation, read ranges of it, wait for changes.
 *
 * An opened file is one incarnation (one inode): renaming or deleting it does not change what is read; truncating it
 * does, and shows as a shorter size. Opening by facts refuses another incarnation under the same name. One that is
 * `fixed` has the bytes that it was listed with or is gone: reading it then is RC_STALE (replaced) or RC_ABSENT.
 *
 * A file is named by a URI (source_uri.h for files of a file system, s3://bucket/key for objects). Listings are in no
 * order.
 *
 * Threads: the handle by any, but watch and wait by one thread at a time; an opened file by any. Memory: see the
 * adapter; listing keeps nothing.
 * Fails: RC_ABSENT (gone), RC_STALE (another file lies under that name now), RC_DENIED (permission, or no regular file;
 * names the file), RC_BAD (no URI or pattern of this source), RC_LIMIT (name too long, no space, too many to watch),
 * RC_BUSY, RC_BROKEN (I/O error), RC_STOP (source_fault.h). */
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
    int64_t changed_ns; /* of bytes, names or rights, as far as it is known; else 0 */
    bool changing;      /* it changed so lately that one more change might not show in the times */
    uint32_t links;     /* 0: unlinked, only open descriptors hold it */
    bool fixed; /* its bytes never change: others under the name are another incarnation (an object of a bucket) */
    /* Only of an opened file, and only by source_decoded.h: .size is that of the file, and what is read is its text. */
    bool decoded;
    bool packed;     /* it is compressed */
    bool pending;    /* source_measure() only, as those below: how long the text is is not known yet: ask again */
    uint64_t end;    /* so long is the text, if nothing comes any more */
    uint64_t steady; /* of it, what may be read while more may come: less than .end where it stops in the middle */
};

/* The text of a file that is compressed stops where the file is damaged or cut off. */
struct source_stop {
    bool stopped;
    uint64_t at;     /* in the text: as asked, but 0 where the one byte of it is a line for the stop alone */
    uint64_t raw_at; /* in the file: where the member begins in which it stops */
    char words[192];
};

/* How long what can be read is. */
static inline uint64_t source_end(const struct source_stat *stat) { return stat->decoded ? stat->end : stat->size; }

struct source_entry {
    struct str uri;
    struct source_stat stat;
};

/* Is it the same incarnation? Size and times may differ. */
static inline bool source_same(const struct source_stat *a, const struct source_stat *b) {
    return a->inode == b->inode && a->birth_ns == b->birth_ns && a->volume == b->volume;
}

/* What to look for; source_glob.h says what globs mean. */
struct source_pattern {
    const struct str *paths; /* absolute; globs: *, ?, [..], ** across directories */
    size_t paths_len;
    const struct str *excludes; /* with a '/': absolute, else compared with names; hide files, and directories that a
                                   glob found with all that is below */
    size_t excludes_len;
    bool follow_symlinks; /* for names that a glob found and for the files themselves; directories that `paths` spell
                             out are always followed */
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
    /* NULL: nothing is decoded. Sets the stat's .end, .steady and .pending. */
    enum rc (*measure)(void *self, struct source_file *file, struct source_stat *stat, struct why *why);
    enum rc (*read)(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                    struct why *why);
    /* NULL: no text of this source stops. */
    enum rc (*stop)(void *self, struct source_file *file, uint64_t at, struct source_stop *out, struct why *why);
    void (*close)(void *self, struct source_file *file);
    enum rc (*watch)(void *self, const struct source_pattern *pattern, struct why *why);
    enum rc (*wait)(void *self, uint64_t wait_ms, bool *out_changed, struct why *why);
    void (*wake)(void *self);
    enum rc (*remove)(void *self, struct str uri, const struct source_stat *expected, struct why *why);
    enum rc (*move)(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                    struct why *why);
    enum rc (*mark)(void *self, struct str uri, const struct source_stat *expected, struct str key, struct str value,
                    struct why *why);
    void (*free)(void *self);
};
struct source {
    const struct source_ops *ops;
    void *self;
};

/* Every regular file that matches, each name once. Files and directories that come or go meanwhile may or may not be
 * told; what cannot be looked at goes to `problem` (NULL: is left out). A place that is not there is no problem. */
RC source_list(struct source source, const struct source_pattern *pattern, source_visit visit, source_problem problem,
               void *context, struct why *why);
/* The file under `uri` if it is the incarnation `expected` (source_same; NULL: whatever is there). A file that this
 * source still holds open is found by its incarnation even after it was renamed or deleted. Symbolic links are
 * followed: it is the incarnation that counts. */
RC source_open(struct source source, struct str uri, const struct source_stat *expected, struct source_file **out,
               struct why *why);
/* What is known now of the opened file, its size above all. */
RC source_stat(struct source source, struct source_file *file, struct source_stat *out, struct why *why);
/* The same, with how long the text of the file is, where it is decoded: that takes decoding it. */
RC source_measure(struct source source, struct source_file *file, struct source_stat *out, struct why *why);
/* Up to `len` bytes from offset `from`; fewer only at the end of the file. Never maps the file. */
RC source_read(struct source source, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
               struct why *why);
/* Does what can be read end at `at`, as things stand, because the file is damaged or cut off there? */
RC source_stop(struct source source, struct source_file *file, uint64_t at, struct source_stop *out, struct why *why);
/* NULL is fine. */
void source_close(struct source source, struct source_file *file);

/* Asks to be woken by changes under the pattern; each call adds one. Only a hint: a rescan finds what events did not
 * tell. RC_LIMIT: not all of it could be watched, `why` says why; what could be is, and rescans find the rest. */
RC source_watch(struct source source, const struct source_pattern *pattern, struct why *why);
/* Waits up to `wait_ms`: *out_changed says that something under a watched pattern may have changed since the last wait
 * that said so. Changes that come close together are told once. */
RC source_wait(struct source source, uint64_t wait_ms, bool *out_changed, struct why *why);
/* Ends the wait that is under way, or else the next one, at once. From any thread; not from a signal handler. */
void source_wake(struct source source);

/* For after_durable, all three only if `uri` still is `expected` with that size and time of modification: RC_STALE (or
 * RC_ABSENT) otherwise, and nothing is done. RC_BAD where a source does not know the thing. RC_DENIED for a name that
 * is a symbolic link. */
RC source_remove(struct source source, struct str uri, const struct source_stat *expected, struct why *why);
/* Into the directory of that path, made if it is not there, under its own name or, where that is taken, with ".1", ".2"
 * … behind it; nothing there is ever replaced. */
RC source_move(struct source source, struct str uri, const struct source_stat *expected, struct str to_directory,
               struct why *why);
/* Gives it the tag, beside those that it has. A tag that is there already is no failure. */
RC source_mark(struct source source, struct str uri, const struct source_stat *expected, struct str key,
               struct str value, struct why *why);
/* All files must be closed and no call under way. A handle without ops is fine. */
void source_free(struct source source);

#endif
