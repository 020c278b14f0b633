/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int sys_create(int dir, const char *name) {
    return openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
}

static int sys_rename(int dir, const char *from, const char *to) { return renameat(dir, from, dir, to); }

static int sys_unlink(int dir, const char *name) { return unlinkat(dir, name, 0); }

const struct spool_sys *spool_sys_kernel(void) {
    static const struct spool_sys KERNEL = {pwritev, fdatasync, fsync, ftruncate, sys_create, sys_rename, sys_unlink};
    return &KERNEL;
}

/* Leaves out the first `done` bytes of the parts. */
static void parts_advance(struct iovec **parts, int *count, size_t done) {
    while (*count > 0 && done >= (*parts)->iov_len) {
        done -= (*parts)->iov_len;
        (*parts)++;
        (*count)--;
    }
    if (*count > 0) {
        (*parts)->iov_base = (char *)(*parts)->iov_base + done;
        (*parts)->iov_len -= done;
    }
}

int spool_sys_write(const struct spool_sys *sys, int fd, struct iovec *parts, int count, off_t at) {
    parts_advance(&parts, &count, 0);
    while (count > 0) {
        ssize_t n = sys->pwritev(fd, parts, count, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) {
            errno = EIO;
            return -1;
        }
        at += n;
        parts_advance(&parts, &count, (size_t)n);
    }
    return 0;
}

ssize_t spool_sys_read_two(int fd, struct iovec parts[2], off_t at) {
    struct iovec *rest = parts;
    int count = 2;
    ssize_t sum = 0;
    parts_advance(&rest, &count, 0);
    while (count > 0) {
        ssize_t n = preadv(fd, rest, count, at + sum);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        sum += n;
        parts_advance(&rest, &count, (size_t)n);
    }
    return sum;
}

ssize_t spool_sys_read(int fd, void *out, size_t bytes, off_t at) {
    struct iovec parts[2] = {{out, bytes}, {NULL, 0}};
    return spool_sys_read_two(fd, parts, at);
}
