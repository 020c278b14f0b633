/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_vfs: page checksums for the ledger's database. SQLite checks the frames of its write-ahead log, but believes
 * whatever bytes a page of the main file has; a flipped bit there could move a checkpoint and nobody would know. This
 * layer between SQLite and the file system puts XXH3-64 into the last LEDGER_VFS_BYTES of every page that is written to
 * the main file, and refuses (SQLITE_IOERR_DATA, RC_BROKEN above) a page that does not have it when it is read.
 *
 * The space is SQLite's "reserved bytes at the end of each page", so any tool that reads SQLite reads the file.
 * Threads: any. Memory: one page on the stack. Fails: as said. */
#ifndef SLUICE_LEDGER_VFS_H
#define SLUICE_LEDGER_VFS_H

enum { LEDGER_VFS_BYTES = 8 };

/* The name to open a database with; registers it on the first call. NULL: SQLite refused. */
const char *ledger_vfs_name(void);

#endif
