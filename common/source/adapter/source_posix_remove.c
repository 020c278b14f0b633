/* SPDX-License-Identifier: Apache-2.0 */
#include "source_posix_private.h"

#include "id.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { SUFFIX_MAX = 100000 }; /* as many files of one name as a directory gets: beyond, somebody has to tidy up */

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
    if (stat.mtime_ns != expected->mtime_ns)
        return why_set(why, RC_STALE, "%s was written to since it was read", where->path);
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

/* The n-th name to try: "x", "x.1", "x.2" …, cut so that it fits. */
static void nth_name(const char *name, int n, char out[POSIX_NAME_ROOM]) {
    char end[16] = "";
    if (n > 0) (void)snprintf(end, sizeof end, ".%d", n);
    size_t keep = strnlen(name, POSIX_NAME_ROOM - 1 - strlen(end));
    (void)snprintf(out, POSIX_NAME_ROOM, "%.*s%s", (int)keep, name, end);
}

RC posix_name_freely(const struct posix_naming *naming, const char *name, char out[POSIX_NAME_ROOM], int *out_error,
                     struct why *why) {
    for (int n = 0; n <= SUFFIX_MAX; n++) {
        nth_name(name, n, out);
        *out_error = naming->call(naming->from_directory, naming->from, naming->to_directory, out);
        if (*out_error != EEXIST) return RC_OK;
    }
    return why_set(why, RC_LIMIT, "there are more than %d files named %s in one directory", SUFFIX_MAX, name);
}

enum rc posix_give_back(const struct posix_name *name, int directory, const char *from, enum rc rc, struct why *why) {
    char to[POSIX_NAME_ROOM];
    int error = 0;
    const struct posix_naming naming = {posix_rename_absent, directory, from, name->directory};
    TRY(posix_name_freely(&naming, name->name, to, &error, why));
    if (error) return posix_errno(why, error, from, "was taken by mistake and cannot be given back to");
    if (strcmp(to, name->name) != 0)
        return why_set(why, rc, "%s changed twice while it was looked at: what lay there is now %s", name->path, to);
    return rc;
}

/* The hidden name cannot be taken, and one that was cannot be ours: plain rename replaces nothing. */
RC posix_take(const struct posix_name *name, const struct source_stat *expected, char out_hidden[POSIX_HIDDEN_ROOM],
              struct why *why) {
    TRY(posix_still_is(name, name->directory, name->name, expected, why));
    posix_hidden_name(out_hidden);
    if (renameat(name->directory, name->name, name->directory, out_hidden) != 0)
        return posix_errno(why, errno, "cannot rename", name->path);
    enum rc rc = posix_still_is(name, name->directory, out_hidden, expected, why);
    return rc == RC_OK ? RC_OK : posix_give_back(name, name->directory, out_hidden, rc, why);
}

enum rc posix_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    (void)self;
    AUTO(posix_name_done) struct posix_name name = {.directory = -1};
    char hidden[POSIX_HIDDEN_ROOM];
    TRY(posix_name_open(uri, &name, why));
    TRY(posix_take(&name, expected, hidden, why));
    if (unlinkat(name.directory, hidden, 0) == 0) return RC_OK;
    enum rc rc = posix_errno(why, errno, "cannot remove", name.path);
    return posix_give_back(&name, name.directory, hidden, rc, why);
}
