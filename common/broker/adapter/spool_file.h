/* SPDX-License-Identifier: Apache-2.0 */
/* spool_file: an open descriptor that several threads use and the last one closes, so that a segment can be trimmed or
 * evicted while another thread reads it. Threads: any. */
#ifndef SLUICE_SPOOL_FILE_H
#define SLUICE_SPOOL_FILE_H

#include <stdatomic.h>

struct spool_file {
    atomic_uint users;
    int fd;
};

/* Owns `fd`; one user. */
struct spool_file *spool_file_new(int fd);
/* One user more; gives `file` back. */
struct spool_file *spool_file_use(struct spool_file *file);
/* One user less; *file becomes NULL. For AUTO. */
void spool_file_drop(struct spool_file **file);

#endif
