/* SPDX-License-Identifier: Apache-2.0 */
#include "source_posix_private.h"

#include "num.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

/* What is not listed is an I/O error. */
static const struct {
    int error;
    enum rc rc;
    const char *advice;
} rows[] = {
    {ENOENT, RC_ABSENT, ""},
    {ENOTDIR, RC_ABSENT, ""},
    {EACCES, RC_DENIED, "; give this user the rights that it takes, on it and on its directories"},
    {EPERM, RC_DENIED, ""},
    {EROFS, RC_DENIED, ""},
    {EXDEV, RC_DENIED, ""},
    {ELOOP, RC_DENIED, "; it is a loop of symbolic links"},
    {ENXIO, RC_DENIED, "; it is no regular file"},
    {EISDIR, RC_DENIED, "; it is a directory"},
    {EEXIST, RC_DENIED, "; something is in the way"},
    {ENAMETOOLONG, RC_LIMIT, ""},
    {ENOSPC, RC_LIMIT, "; free some space"},
    {EDQUOT, RC_LIMIT, "; raise the quota, or free some space"},
    {EFBIG, RC_LIMIT, ""},
    {EMFILE, RC_BUSY, "; raise the limit of open files (ulimit -n)"},
    {ENFILE, RC_BUSY, ""},
    {ENOMEM, RC_BUSY, ""},
    {EAGAIN, RC_BUSY, ""},
    {EINTR, RC_BUSY, ""},
    {EBUSY, RC_BUSY, ""},
    {ETXTBSY, RC_BUSY, ""},
    {ETIMEDOUT, RC_BUSY, ""},
    {ESTALE, RC_ABSENT, ""}, /* NFS: removed on another host */
};

enum rc posix_errno(struct why *why, int error, const char *doing, const char *path) {
    size_t i = 0;
    while (i < COUNT_OF(rows) && rows[i].error != error) i++;
    enum rc rc = i < COUNT_OF(rows) ? rows[i].rc : RC_BROKEN;
    struct why cause = {0};
    (void)why_errno(&cause, rc, error, "%s %s", doing, path);
    return why_set(why, rc, "%s%s", cause.text, i < COUNT_OF(rows) ? rows[i].advice : "");
}

static int64_t nanoseconds(struct statx_timestamp at) { return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec; }

/* Times are those of the kernel's last tick, of a server's clock, or of whole seconds, as the file system has it. */
enum { CHANGING_NS = 2000000000 };

static bool is_changing(int64_t changed_ns) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return true;
    return changed_ns + CHANGING_NS > (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The id does not change while the file system is mounted, and for most kinds not by mounting it again. */
static int volume_of(const struct statx *from, int directory, const char *path, struct posix_volume *volume) {
    if (volume->known && volume->major == from->stx_dev_major && volume->minor == from->stx_dev_minor) return 0;
    struct statfs file_system;
    int fd = path[0] ? openat(directory, path, O_PATH | O_CLOEXEC) : directory;
    if (fd < 0) return errno;
    int error = fstatfs(fd, &file_system) == 0 ? 0 : errno;
    if (path[0]) (void)close(fd);
    if (error) return error;
    *volume = (struct posix_volume){.major = from->stx_dev_major, .minor = from->stx_dev_minor, .known = true};
    _Static_assert(sizeof file_system.f_fsid == sizeof volume->id, "the id is 64 bits");
    memcpy(&volume->id, &file_system.f_fsid, sizeof volume->id);
    if (volume->id == 0) volume->id = (uint64_t)from->stx_dev_major << 32 | from->stx_dev_minor;
    return 0;
}

int posix_stat_of(const struct statx *from, int directory, const char *path, struct posix_volume *volume,
                  struct source_stat *out) {
    *out = (struct source_stat){
        .inode = from->stx_ino,
        .size = from->stx_size,
        .mtime_ns = nanoseconds(from->stx_mtime),
        .changed_ns = nanoseconds(from->stx_ctime),
        .links = from->stx_nlink,
    };
    if (from->stx_mask & STATX_BTIME) out->birth_ns = nanoseconds(from->stx_btime);
    if (out->birth_ns != 0) return 0;
    int error = volume_of(from, directory, path, volume);
    out->volume = volume->id;
    return error;
}

RC posix_fstat(int fd, const char *path, struct source_stat *out, struct why *why) {
    struct statx now;
    struct posix_volume volume = {0};
    if (statx(fd, "", AT_EMPTY_PATH, POSIX_STATX_MASK, &now) != 0)
        return posix_errno(why, errno, "cannot look at", path);
    if (!S_ISREG(now.stx_mode)) return why_set(why, RC_DENIED, "%s is no regular file", path);
    int error = posix_stat_of(&now, fd, "", &volume, out);
    out->changing = is_changing(out->changed_ns);
    return error ? posix_errno(why, error, "cannot tell the file system of", path) : RC_OK;
}

RC posix_path(struct str uri, char out[SOURCE_PATH_MAX + 1], struct why *why) {
    struct buf path = BUF_INIT(SOURCE_PATH_MAX);
    enum rc rc = source_uri_decode(uri, &path, why);
    if (rc == RC_OK) memcpy(out, buf_text(&path), path.len + 1);
    buf_done(&path);
    return rc;
}
