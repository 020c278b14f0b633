/* SPDX-License-Identifier: Apache-2.0 */
#include "store_dir_private.h"

#include "num.h"

#include <errno.h>

/* What is not listed is an I/O error. */
static const struct {
    int error;
    enum rc rc;
    const char *advice;
} rows[] = {
    {ENOSPC, RC_LIMIT, "; free some space, or point the output at a larger disk"},
    {EDQUOT, RC_LIMIT, "; raise the quota, or free some space"},
    {EFBIG, RC_LIMIT, "; lower object_bytes, or use a file system that takes larger files"},
    {ENAMETOOLONG, RC_LIMIT, ""},
    {EMLINK, RC_LIMIT, "; the directory is full"},
    {EACCES, RC_DENIED, "; give this user the right to write there"},
    {EPERM, RC_DENIED, "; give this user the right to write there"},
    {EROFS, RC_DENIED, "; the file system is mounted read-only"},
    {EXDEV, RC_DENIED, "; all of the output must lie on one file system"},
    {ENOTDIR, RC_DENIED, "; a file is in the way of a directory"},
    {EISDIR, RC_DENIED, "; a directory is in the way of a file"},
    {ENOTEMPTY, RC_DENIED, "; a directory is in the way of a file"},
    {EEXIST, RC_DENIED, "; something is in the way"},
    {ELOOP, RC_DENIED, "; a symbolic link is in the way"},
    {ENXIO, RC_DENIED, "; it is no regular file"},
    {ENOENT, RC_ABSENT, ""},
    {EMFILE, RC_BUSY, "; raise the limit of open files (ulimit -n)"},
    {ENFILE, RC_BUSY, ""},
    {ENOMEM, RC_BUSY, ""},
    {EAGAIN, RC_BUSY, ""},
    {EBUSY, RC_BUSY, ""},
    {EINTR, RC_BUSY, ""},
    {ESTALE, RC_BUSY, ""},
    {ETIMEDOUT, RC_BUSY, ""},
};

enum rc dir_errno(struct why *why, int error, const char *doing, const struct store_dir *dir, const char *path) {
    size_t i = 0;
    while (i < COUNT_OF(rows) && rows[i].error != error) i++;
    enum rc rc = i < COUNT_OF(rows) ? rows[i].rc : RC_BROKEN;
    const char *advice = i < COUNT_OF(rows) ? rows[i].advice : "";
    struct why cause = {0};
    (void)why_errno(&cause, rc, error, "%s %s%s%s", doing, dir->root_name, path[0] ? "/" : "", path);
    return why_set(why, rc, "%s%s", cause.text, advice);
}
