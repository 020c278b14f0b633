/* SPDX-License-Identifier: Apache-2.0 */
/* Within a file system: rename to a free name, then look whether it was the right file. Across: copy, sync, name the
 * copy, and only then take the original away. */
#include "source_posix_private.h"

#include "alloc.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { COPY_BYTES = 1024 * 1024 };

static int rename_in_one(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
}

static RC check_target(struct str directory, struct why *why) {
    if (directory.len == 0 || directory.at[0] != '/' || memchr(directory.at, '\0', directory.len))
        return why_set(why, RC_BAD, "'%.*s' is no absolute path to move files to", STR_ARG(directory));
    return RC_OK;
}

/* Makes the directory and what is missing above it, and opens it. */
static RC open_target(struct str directory, int *out, struct why *why) {
    AUTO(own_free) char *path = alloc_text(directory.at, directory.len);
    for (size_t i = 1; i <= directory.len; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        path[i] = '\0';
        (void)mkdir(path, 0777); /* whether it is there now, open tells */
        if (i < directory.len) path[i] = '/';
    }
    *out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out >= 0 ? RC_OK : posix_errno(why, errno, "cannot open the directory", path);
}

/* ---- on the same file system ---- */

/* Where the file system cannot rename without replacing: under a name that is ours alone, link and unlink are safe. */
static RC move_taken(const struct posix_name *name, const struct source_stat *expected, int target, struct why *why) {
    char hidden[POSIX_HIDDEN_ROOM], to[POSIX_NAME_ROOM];
    int error = 0;
    TRY(posix_take(name, expected, hidden, why));
    const struct posix_naming naming = {posix_rename_absent, name->directory, hidden, target};
    enum rc rc = posix_name_freely(&naming, name->name, to, &error, why);
    if (rc == RC_OK && !error) return RC_OK;
    if (rc == RC_OK) rc = posix_errno(why, error, "cannot move", name->path);
    return posix_give_back(name, name->directory, hidden, rc, why);
}

/* *out_across: it is another file system, and nothing was done. */
static RC move_within(const struct posix_name *name, const struct source_stat *expected, int target, bool *out_across,
                      struct why *why) {
    char to[POSIX_NAME_ROOM];
    int error = 0;
    const struct posix_naming naming = {rename_in_one, name->directory, name->name, target};
    TRY(posix_name_freely(&naming, name->name, to, &error, why));
    *out_across = error == EXDEV;
    if (*out_across) return RC_OK;
    if (error == EINVAL || error == ENOSYS) return move_taken(name, expected, target, why);
    if (error) return posix_errno(why, error, "cannot move", name->path);
    enum rc rc = posix_still_is(name, target, to, expected, why);
    if (rc == RC_OK) return RC_OK;
    return posix_give_back(name, target, to, rc, why);
}

/* ---- across file systems ---- */

static RC write_all(int fd, const char *bytes, size_t len, const char *path, struct why *why) {
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return posix_errno(why, errno, "cannot write the copy of", path);
        bytes += n;
        len -= (size_t)n;
    }
    return RC_OK;
}

static RC copy_bytes(int from, int to, const char *path, struct why *why) {
    AUTO(own_free) char *room = alloc_bytes(COPY_BYTES);
    for (;;) {
        ssize_t n = read(from, room, COPY_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return posix_errno(why, errno, "cannot read", path);
        if (n == 0) return RC_OK;
        TRY(write_all(to, room, (size_t)n, path, why));
    }
}

/* Owner, mode and times as far as we may set them. */
static void copy_facts(int from, int to) {
    struct stat now;
    if (fstat(from, &now) != 0) return;
    int refused = fchown(to, now.st_uid, now.st_gid);
    (void)refused;
    (void)fchmod(to, now.st_mode & 07777);
    (void)futimens(to, (const struct timespec[2]){now.st_atim, now.st_mtim});
}

/* A synced copy under a hidden name in `target`. */
static RC make_copy(const struct posix_name *name, const struct source_stat *expected, int target, const char *hidden,
                    struct why *why) {
    struct source_stat stat;
    AUTO(own_close) int from = openat(name->directory, name->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (from < 0) return posix_errno(why, errno, "cannot open", name->path);
    TRY(posix_fstat(from, name->path, &stat, why));
    if (!source_same(&stat, expected)) return why_set(why, RC_STALE, "another file lies at %s now", name->path);
    AUTO(own_close) int to = openat(target, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0) return posix_errno(why, errno, "cannot create the copy of", name->path);
    TRY(copy_bytes(from, to, name->path, why));
    TRY(posix_fstat(to, name->path, &stat, why));
    if (stat.size != expected->size) return why_set(why, RC_STALE, "%s changed its size", name->path);
    copy_facts(from, to);
    return fsync(to) == 0 ? RC_OK : posix_errno(why, errno, "cannot sync the copy of", name->path);
}

static RC name_copy(const struct posix_name *name, int target, const char *hidden, char out[POSIX_NAME_ROOM],
                    struct why *why) {
    int error = 0;
    const struct posix_naming naming = {posix_rename_absent, target, hidden, target};
    TRY(posix_name_freely(&naming, name->name, out, &error, why));
    if (!error && fsync(target) != 0 && errno != EINVAL) error = errno;
    return error ? posix_errno(why, error, "cannot name the copy of", name->path) : RC_OK;
}

static RC move_across(const struct posix_name *name, const struct source_stat *expected, int target, struct why *why) {
    char hidden[POSIX_HIDDEN_ROOM], taken[POSIX_HIDDEN_ROOM], to[POSIX_NAME_ROOM];
    posix_hidden_name(hidden);
    enum rc rc = make_copy(name, expected, target, hidden, why);
    if (rc == RC_OK) rc = name_copy(name, target, hidden, to, why);
    if (rc != RC_OK) {
        (void)unlinkat(target, hidden, 0);
        return rc;
    }
    rc = posix_take(name, expected, taken, why);
    if (rc != RC_OK)
        (void)unlinkat(target, to, 0);
    else if (unlinkat(name->directory, taken, 0) != 0)
        rc = posix_errno(why, errno, "cannot remove", name->path);
    return rc;
}

enum rc posix_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                   struct why *why) {
    (void)self;
    AUTO(posix_name_done) struct posix_name name = {.directory = -1};
    AUTO(own_close) int target = -1;
    bool across = false;
    TRY(check_target(to_directory, why));
    TRY(posix_name_open(uri, &name, why));
    TRY(posix_still_is(&name, name.directory, name.name, expected, why));
    TRY(open_target(to_directory, &target, why));
    TRY(move_within(&name, expected, target, &across, why));
    return across ? move_across(&name, expected, target, why) : RC_OK;
}
