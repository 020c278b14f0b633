/* SPDX-License-Identifier: Apache-2.0 */
/* source_memory: files in memory that behave as a file system's, for tests and the simulation. One world may have many
 * handles, as one disk has many processes: freeing a handle is that process's end, and what only it held open is gone.
 *
 * Files are named by absolute paths and their URIs are those of source_uri.h. There are no directories and no links:
 * a path is there or not. Inodes count up from 1 unless one is to be reused; each change lets the world's time go on by
 * one nanosecond, and births and modification times are that time, so that a run can be repeated.
 *
 * wait never sleeps: it tells whether something under a watched pattern changed since this handle's last wait.
 * Threads: any. Memory: all files; unbounded, for the owner puts them in. */
#ifndef SLUICE_SOURCE_MEMORY_H
#define SLUICE_SOURCE_MEMORY_H

#include "source.h"

/* A new, empty world's first handle. */
struct source source_memory_new(void);
/* One more handle of the same world. The handles of this and all calls below must be of this adapter (not behind a
 * source_fault). */
struct source source_memory_again(struct source source);

/* What other processes do to files. `path` is absolute. Those that need a file abort when there is none. */
/* Makes the file, or cuts the one that is there to nothing, and writes. */
void source_memory_write(struct source source, const char *path, struct str bytes);
/* Makes the file if it is not there. */
void source_memory_append(struct source source, const char *path, struct str bytes);
/* To `size` bytes; zeros behind the end. */
void source_memory_truncate(struct source source, const char *path, uint64_t size);
/* Replaces what is at `to`. */
void source_memory_rename(struct source source, const char *from, const char *to);
void source_memory_unlink(struct source source, const char *path);
/* Another name for the same file. */
void source_memory_link(struct source source, const char *path, const char *other);
/* The next file that is made gets this inode, which no file may have that is there or held open. */
void source_memory_reuse_inode(struct source source, uint64_t inode);
/* Files that are made from now on have no birth time (0), or have one again. */
void source_memory_births(struct source source, bool births);
/* Sets the clock, in nanoseconds; it must not go back. */
void source_memory_set_time(struct source source, int64_t now_ns);
/* Opening, removing and moving this path is RC_DENIED from now on, or not any more; it is still listed. */
void source_memory_deny(struct source source, const char *path, bool denied);
bool source_memory_exists(struct source source, const char *path);

#endif
