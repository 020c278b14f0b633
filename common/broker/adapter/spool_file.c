/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_file.h"

#include "alloc.h"
#include "own.h"

struct spool_file *spool_file_new(int fd) {
    struct spool_file *file = ALLOC(struct spool_file);
    atomic_init(&file->users, 1);
    file->fd = fd;
    return file;
}

struct spool_file *spool_file_use(struct spool_file *file) {
    atomic_fetch_add(&file->users, 1);
    return file;
}

void spool_file_drop(struct spool_file **file) {
    struct spool_file *old = TAKE(*file);
    if (!old || atomic_fetch_sub(&old->users, 1) > 1) return;
    (void)close(old->fd);
    free(old);
}
