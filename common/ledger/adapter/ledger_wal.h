/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_wal: is SQLite's write-ahead log whole? After a crash SQLite takes the log up to the first frame that does not
 * fit and forgets what is behind it. That is right for the last transaction, which may have been torn before it was
 * synced and acknowledged; but where whole transactions lie behind the bad frame, acknowledged calls would vanish
 * without a word. This looks at the log before SQLite does.
 *
 * The format is SQLite's, described in its "Database File Format", section 4. Threads: pure but for reading the file.
 * Memory: one page. Fails: RC_BROKEN for such a log; RC_OK where there is none. */
#ifndef SLUICE_LEDGER_WAL_H
#define SLUICE_LEDGER_WAL_H

#include "rc.h"

RC ledger_wal_check(const char *path, struct why *why);

#endif
