/* SPDX-License-Identifier: Apache-2.0 */
/* source_posix_private: what the files of the POSIX adapter share. */
#ifndef SLUICE_SOURCE_POSIX_PRIVATE_H
#define SLUICE_SOURCE_POSIX_PRIVATE_H

#include "source_posix.h"
#include "source_uri.h"

#include <sys/stat.h>

/* ---- source_posix_stat.c ---- */
/* All that a source_stat needs; 0 without the birth time is fine. */
#define POSIX_STATX_MASK (STATX_TYPE | STATX_INO | STATX_NLINK | STATX_SIZE | STATX_MTIME | STATX_BTIME)
/* The id of the last file system asked for, for those without birth times; zero to start with. */
struct posix_volume {
    uint32_t major, minor;
    bool known;
    uint64_t id;
};
/* `directory` and `path` as for statx(2): where to ask for the file system's id. 0, or an errno. */
int posix_stat_of(const struct statx *from, int directory, const char *path, struct posix_volume *volume,
                  struct source_stat *out);
/* statx(fd) of a regular file; RC_DENIED for anything else. `path` is for messages. */
RC posix_fstat(int fd, const char *path, struct source_stat *out, struct why *why);
/* The outcome that a failed call stands for. */
enum rc posix_errno(struct why *why, int error, const char *doing, const char *path);
/* The path of a URI, with its NUL. */
RC posix_path(struct str uri, char out[SOURCE_PATH_MAX + 1], struct why *why);

/* ---- source_posix_walk.c ---- */
/* Who is told what; NULL: not wanted (without `file`, no file is looked at). */
struct posix_visitor {
    source_visit file;
    source_problem problem;
    /* Each directory whose names can matter, also one that is not there, before it is read. Its NUL-terminated path. */
    enum rc (*directory)(void *context, const char *path);
    void *context;
};
RC posix_walk(const struct source_pattern *pattern, const struct posix_visitor *visitor, struct why *why);

/* ---- source_posix_watch.c ---- */
struct posix_watch;
RC posix_watch_new(struct posix_watch **out, struct why *why);
void posix_watch_free(struct posix_watch *watch);
RC posix_watch_add(struct posix_watch *watch, const struct source_pattern *pattern, struct why *why);
RC posix_watch_wait(struct posix_watch *watch, uint64_t wait_ms, bool *out_changed, struct why *why);
void posix_watch_wake(struct posix_watch *watch);

/* ---- source_posix_remove.c, source_posix_move.c ---- */
enum rc posix_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why);
enum rc posix_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                   struct why *why);

/* A name in an open directory. */
struct posix_name {
    int directory; /* -1: none */
    char path[SOURCE_PATH_MAX + 1];
    const char *name; /* in path */
};
void posix_name_done(struct posix_name *name);
/* Opens the directory of `uri`. */
RC posix_name_open(struct str uri, struct posix_name *out, struct why *why);
/* RC_OK if `name` in `directory` still is `expected`, of that size. */
RC posix_still_is(const struct posix_name *where, int directory, const char *name, const struct source_stat *expected,
                  struct why *why);
enum { POSIX_HIDDEN_ROOM = 48, POSIX_NAME_ROOM = 256 };
/* What is to get a name, where, and by which rename (0, or an errno; EEXIST: that name is taken). */
struct posix_naming {
    int (*call)(int from_directory, const char *from, int to_directory, const char *to);
    int from_directory;
    const char *from;
    int to_directory;
};
/* Gives it the first free one of `name`, `name`.1, …; RC_OK with *out_error 0, or why it got none. */
RC posix_name_freely(const struct posix_naming *naming, const char *name, char out[POSIX_NAME_ROOM], int *out_error,
                     struct why *why);
/* Gives `from` back the name that it had, or, where that is taken by now, one with a number behind it. Gives `rc` back,
 * or what went wrong. */
enum rc posix_give_back(const struct posix_name *name, int directory, const char *from, enum rc rc, struct why *why);
/* Gives the file a name that nobody knows if it still is `expected`. */
RC posix_take(const struct posix_name *name, const struct source_stat *expected, char out_hidden[POSIX_HIDDEN_ROOM],
              struct why *why);
/* A name of the form ".sluice-<32 digits>". */
void posix_hidden_name(char out[POSIX_HIDDEN_ROOM]);
/* rename that never replaces, with link and unlink where the file system knows no such rename; 0, or an errno. Only
 * where nobody else gives `from` to another file between the two. */
int posix_rename_absent(int from_directory, const char *from, int to_directory, const char *to);

#endif
