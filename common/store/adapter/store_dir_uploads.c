/* SPDX-License-Identifier: Apache-2.0 */
/* What is not finished in a directory: the files in ROOT/.tmp, by this process, others, or dead ones. A file does not
 * know its key. Opening removes those of dead processes anyhow; this is for a root that nobody opens again for long. */
#include "store_dir_private.h"

#include "own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static void own_closedir(DIR **listing) {
    if (*listing) (void)closedir(*listing);
}

static RC visit_one(struct store_dir *dir, const char *name, store_upload_visit visit, void *context) {
    struct stat now;
    if (!temp_is_file(name) || fstatat(dir->temp, name, &now, AT_SYMLINK_NOFOLLOW) != 0) return RC_OK;
    int64_t started_ns = (int64_t)now.st_mtim.tv_sec * 1000000000 + now.st_mtim.tv_nsec;
    return visit(context, STR(""), str_of(name), started_ns);
}

enum rc dir_uploads(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why) {
    struct store_dir *dir = self;
    if (prefix.len) return RC_OK;
    int fd = openat(dir->temp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(own_closedir) DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing) {
        int error = errno;
        own_close(&fd);
        return dir_errno(why, error, "cannot list", dir, STORE_RESERVED);
    }
    for (const struct dirent *entry; (entry = readdir(listing));) TRY(visit_one(dir, entry->d_name, visit, context));
    return RC_OK;
}

enum rc dir_upload_remove(void *self, struct str key, struct str upload, struct why *why) {
    (void)key;
    struct store_dir *dir = self;
    char name[TEMP_NAME_ROOM];
    if (upload.len >= sizeof name) return RC_OK;
    (void)snprintf(name, sizeof name, "%.*s", STR_ARG(upload));
    if (!temp_is_file(name) || dir->calls->unlinkat(dir->temp, name, 0) == 0 || errno == ENOENT) return RC_OK;
    return dir_errno(why, errno, "cannot remove from " STORE_RESERVED, dir, name);
}
