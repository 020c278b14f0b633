/* SPDX-License-Identifier: Apache-2.0 */
/* source_posix: files of a mounted file system, local or shared.
 *
 * Identity is inode and birth time; where the file system tells no birth time, inode and file system id. A listing
 * reads each directory once and asks once (statx) for each name that matches; only regular files are looked into, so a
 * FIFO or a device is never opened. Attributes may be as old as the file system's own cache allows (NFS: acregmax).
 * Changes are told by inotify where the kernel sees them; what other hosts do on a shared volume needs the rescan.
 *
 * remove and move act on a name, and a rotation may put another file under it between our look and our act. So the name
 * is first renamed to one that nobody knows (".sluice-<32 digits>", in the same directory), looked at again, and given
 * back if it is not the expected file (with ".1" … behind it where its name is taken by then). A crash between those
 * calls leaves the file under that name: nothing is ever removed that was not expected.
 *
 * Memory: a listing 40 KiB and a directory stream (32 KiB) a level; an open file 100 bytes and a descriptor; a watch a
 * few words of ours and about 1 KiB of the kernel's a directory.
 * Where inotify cannot be had, watch answers RC_LIMIT and wait only waits.
 * Limits: paths of SOURCE_PATH_MAX bytes, 64 levels of directories, SOURCE_WATCH_MAX directories watched.
 * Threads and Fails: as source.h says; too many open files is RC_BUSY. */
#ifndef SLUICE_SOURCE_POSIX_H
#define SLUICE_SOURCE_POSIX_H

#include "source.h"

enum { SOURCE_WATCH_MAX = 8192 }; /* about 8 MiB of the kernel's memory; older kernels allow a user 8192 in all */

RC source_posix_open(struct source *out, struct why *why);

#endif
