/* SPDX-License-Identifier: Apache-2.0 */
/* spool_home: the folder of a local broker: who may use it (a lock for one process at a time) and whose it is (the file
 * `meta` with the format's version and the queue id). Threads: one at a time. Fails: RC_DENIED when another process has
 * it, it is another queue's or another version's; RC_BROKEN when its meta file is missing or damaged. */
#ifndef SLUICE_SPOOL_HOME_H
#define SLUICE_SPOOL_HOME_H

#include "buf.h"
#include "id.h"
#include "spool_sys.h"

struct spool_home {
    int dir, lock; /* -1 when closed */
};

/* Opens or makes the folder and takes the lock, held until spool_home_close; without `lock` somebody else of this
 * process holds it for as long. */
RC spool_home_open(const char *path, struct id queue, bool lock, const struct spool_sys *sys, struct spool_home *out,
                   struct why *why);
void spool_home_close(struct spool_home *home);
/* The queue id in the folder's meta file; RC_ABSENT when there is no such file. */
RC spool_home_queue(const char *path, struct id *out, struct why *why);
/* Makes the folder of a generation; RC_DENIED when it has a partition of number `partitions` or above. */
RC spool_home_generation(const char *path, uint32_t partitions, const struct spool_sys *sys, struct why *why);

#endif
