/* SPDX-License-Identifier: Apache-2.0 */
/* store_dir: a store in a directory: the object of key a/b/c is the file ROOT/a/b/c.
 *
 * An object is written to a file in ROOT/.tmp, synced, and then named: put by rename, put_absent and finish by
 * renameat2(RENAME_NOREPLACE) or, where the file system has no such call, by link. Then its directory is synced, and
 * before that every directory that had to be made, so that a key never outlives a power cut without its bytes, nor an
 * answer without its key. Opening syncs the whole file system once (syncfs), so that what a killed process had
 * just named is durable before anybody builds on it.
 *
 * Several handles and processes may use one root. Each holds a locked file in ROOT/.tmp; opening removes what the ones
 * before it left there, and only that. Only regular files are objects; the listing follows no symbolic links.
 *
 * Memory: a listing holds the names of the directories on its path, all other calls a few KiB. An upload holds a
 * descriptor and a block of 1 MiB, which goes to the disk past the page cache where the file system can do that.
 * Threads: any; an upload one at a time. Fails: as store.h says; disk or quota full is RC_LIMIT, a read-only or foreign
 * directory RC_DENIED, an I/O error RC_BROKEN; all name the path. */
#ifndef SLUICE_STORE_DIR_H
#define SLUICE_STORE_DIR_H

#include "store.h"

#include <sys/types.h>
#include <sys/vfs.h>

/* The calls by which the store changes the file system, as in libc: tests put failing or recording ones here. */
struct store_dir_calls {
    int (*openat)(int directory, const char *path, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *bytes, size_t len);
    int (*fsync)(int fd); /* of files and of directories */
    int (*syncfs)(int fd);
    int (*fstatfs)(int fd, struct statfs *out); /* changes nothing; it tells whether syncfs is to be trusted */
    int (*mkdirat)(int directory, const char *path, mode_t mode);
    int (*renameat)(int from_directory, const char *from, int to_directory, const char *to);
    int (*renameat2)(int from_directory, const char *from, int to_directory, const char *to, unsigned flags);
    int (*linkat)(int from_directory, const char *from, int to_directory, const char *to, int flags);
    int (*unlinkat)(int directory, const char *path, int flags);
};
extern const struct store_dir_calls store_dir_libc;

/* Opens `root`, making it and its parents if they are not there, and tries that it can be written. RC_DENIED with what
 * to do when it cannot. */
RC store_dir_open(const char *root, struct store *out, struct why *why);
/* The same with other calls, which must outlive the handle. */
RC store_dir_open_with(const char *root, const struct store_dir_calls *calls, struct store *out, struct why *why);

#endif
