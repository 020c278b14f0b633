/* SPDX-License-Identifier: Apache-2.0 */
#include "source_posix_private.h"

#include "id.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void posix_name_done(struct posix_name *name) { own_close(&name->directory); }

RC posix_name_open(struct str uri, struct posix_name *out, struct why *why) {
    out->directory = -1;
    TRY(posix_path(uri, out->path, why));
    char *slash = strrchr(out->path, '/');
    out->name = slash + 1;
    if (!*out->name || strcmp(out->name, ".") == 0 || strcmp(out->name, "..") == 0)
        return why_set(why, RC_BAD, "%s names no file", out->path);
    *slash = '\0';
    int fd = open(slash == out->path ? "/" : out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    *slash = '/';
    if (fd < 0) return posix_errno(why, error, "cannot open the directory of", out->path);
    out->directory = fd;
    return RC_OK;
}

RC posix_still_is(const struct posix_name *where, int directory, const char *name, const struct source_stat *expected,
                  struct why *why) {
    struct statx now;
    struct source_stat stat;
    struct posix_volume volume = {0};
    if (statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, POSIX_STATX_MASK, &now) != 0)
        return posix_errno(why, errno, "cannot look at", where->path);
    if (S_ISLNK(now.stx_mode))
        return why_set(why, RC_DENIED, "%s is a symbolic link: neither it nor what it leads to is touched",
                       where->path);
    int error = posix_stat_of(&now, directory, name, &volume, &stat);
    if (error) return posix_errno(why, error, "cannot look at", where->path);
    if (!S_ISREG(now.stx_mode) || !source_same(&stat, expected))
        return why_set(why, RC_STALE, "another file lies at %s now", where->path);
    if (stat.size != expected->size)
        return why_set(why, RC_STALE, "%s changed its size from %llu to %llu", where->path,
                       (unsigned long long)expected->size, (unsigned long long)stat.size);
    return RC_OK;
}

void posix_hidden_name(char out[POSIX_HIDDEN_ROOM]) {
    struct rng rng = rng_from_kernel();
    char text[ID_TEXT];
    (void)snprintf(out, POSIX_HIDDEN_ROOM, ".sluice-%s", id_format(id_make(&rng), text));
}

int posix_rename_absent(int from_directory, const char *from, int to_directory, const char *to) {
    if (renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (linkat(from_directory, from, to_directory, to, 0) != 0) return errno;
    return unlinkat(from_directory, from, 0) == 0 ? 0 : errno;
}

/* The hidden name cannot be taken, and one that was cannot be ours: plain rename replaces nothing. */
RC posix_take(const struct posix_name *name, const struct source_stat *expected, char out_hidden[POSIX_HIDDEN_ROOM],
              struct why *why) {
    TRY(posix_still_is(name, name->directory, name->name, expected, why));
    posix_hidden_name(out_hidden);
    if (renameat(name->directory, name->name, name->directory, out_hidden) != 0)
        return posix_errno(why, errno, "cannot rename", name->path);
    enum rc rc = posix_still_is(name, name->directory, out_hidden, expected, why);
    if (rc == RC_OK) return RC_OK;
    int error = posix_rename_absent(name->directory, out_hidden, name->directory, name->name);
    if (!error) return rc;
    return posix_errno(why, error, out_hidden, "is a file that was taken by mistake and cannot get its name back:");
}

enum rc posix_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    (void)self;
    AUTO(posix_name_done) struct posix_name name = {.directory = -1};
    char hidden[POSIX_HIDDEN_ROOM];
    TRY(posix_name_open(uri, &name, why));
    TRY(posix_take(&name, expected, hidden, why));
    if (unlinkat(name.directory, hidden, 0) == 0) return RC_OK;
    int error = errno;
    (void)posix_rename_absent(name.directory, hidden, name.directory, name.name);
    return posix_errno(why, error, "cannot remove", name.path);
}
