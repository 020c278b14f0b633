/* SPDX-License-Identifier: Apache-2.0 */
/* spool_sys: the system calls by which the spool changes the disk, as a table, so that tests can let each of them fail.
 * Signatures, results and errno are the calls' own. Threads: any. */
#ifndef SLUICE_SPOOL_SYS_H
#define SLUICE_SPOOL_SYS_H

#include <sys/types.h>
#include <sys/uio.h>

struct spool_sys {
    ssize_t (*pwritev)(int fd, const struct iovec *parts, int count, off_t at);
    int (*fdatasync)(int fd);
    int (*fsync_dir)(int fd);
    int (*ftruncate)(int fd, off_t bytes);
    int (*create)(int dir, const char *name); /* a new file for reading and writing, or -1 */
    int (*rename)(int dir, const char *from, const char *to);
    int (*unlink)(int dir, const char *name);
};

/* The kernel's. */
const struct spool_sys *spool_sys_kernel(void);

/* Writes all parts at `at`, through short writes and EINTR; changes `parts`. 0 or -1 with errno. */
int spool_sys_write(const struct spool_sys *sys, int fd, struct iovec *parts, int count, off_t at);
/* Reads exactly `bytes` at `at`; fewer only at the end of the file. The bytes read, or -1 with errno. */
ssize_t spool_sys_read(int fd, void *out, size_t bytes, off_t at);
/* As spool_sys_read into two places, one after the other. */
ssize_t spool_sys_read_two(int fd, struct iovec parts[2], off_t at);

#endif
