/* SPDX-License-Identifier: Apache-2.0 */
/* broker_local: the broker of one machine: jobs in memory, blocks in append-only files under the state folder.
 *
 * Jobs are kept in one bounded first-in-first-out queue and given to whoever of the group asks first. They are gone
 * when the process ends. That is harmless: a job only says "stripe k of file f is ready up to byte b", and after a
 * restart the emitter compares every file with its checkpoints and says again what is behind.
 *
 * Blocks of generation g, partition k are segment files in <dir>/g<g>/p<k>/; SPOOL.md gives every byte. An append is
 * written at once (producers hold no payload); a thread a partition calls fdatasync over and over while there is
 * something new and acknowledges all that was written before the call began, so many appends share one. What waits in
 * the page cache to be written is thereby bounded by the sum of the producers' queue_bytes. A fdatasync that failed
 * breaks the partition until the process starts again: the kernel has dropped what it could not write, and a second
 * call would lie.
 *
 * Opening checks the names and headers of all segments, and every byte of the last one: only it can have been in
 * writing, for a segment is durable before the next one is made. Damage in older segments shows when it is read
 * (RC_BROKEN for that message, with file and byte). Bad bytes behind the last acknowledged message are a write that a
 * crash cut off: they stay where they are, a new segment begins at that offset, and broker_local_opening tells. Bad
 * bytes before it are RC_BROKEN, and nothing is changed.
 *
 * Threads: as broker.h. Files: a lock keeps a second process out (RC_DENIED). Memory: 8 bytes a message of the segments
 * that are in use (at most open_segments_max + 1 a partition, 65,536 messages each), 24 bytes an unacknowledged
 * message. Descriptors: open_segments_max + 2 a partition, plus 2. Fails: as broker.h. A file size limit needs SIGXFSZ
 * ignored. */
#ifndef SLUICE_BROKER_LOCAL_H
#define SLUICE_BROKER_LOCAL_H

#include "broker.h"
#include "id.h"

struct spool_sys;

struct broker_local_options {
    struct str dir;  /* made if its parent is there */
    struct id queue; /* the pipeline's queue id; another one in the folder is RC_DENIED */
    uint64_t generation;
    uint32_t job_partitions, block_partitions; /* > 0; fewer block partitions than the folder has is RC_DENIED */
    /* 0 means the default for all below. */
    size_t jobs_max;          /* messages in the jobs queue: 65,536 */
    size_t jobs_bytes_max;    /* their bytes: 16 MiB */
    size_t message_bytes_max; /* of one message: 8 MiB, twice the largest block */
    size_t segment_bytes;     /* a segment is full when it has this size: 64 MiB; at most 1 GiB */
    size_t open_segments_max; /* older segments that readers keep open, a partition: 8 */
    bool repair;              /* open although acknowledged messages are damaged or missing; those answer RC_BROKEN */
    bool beside;              /* another generation of the folder is open in this process: its lock is enough */
    const struct spool_sys *sys; /* for tests: the system calls that write */
};

/* What opening found in one partition. */
struct broker_local_opening {
    uint64_t start, end;
    uint64_t acknowledged;     /* the end that is known to have been acknowledged; above `end` only under repair */
    uint64_t damaged_messages; /* in the last segment, acknowledged, not readable: only under repair */
    uint64_t torn_bytes;       /* of a write that was cut off, left in the file as they are */
    uint64_t torn_at;          /* the byte of torn_file where they begin */
    uint64_t dropped_messages; /* whole ones behind the torn one, never acknowledged, left there too */
    char torn_file[64];        /* "" when there are none */
};

/* Opens or creates. The caller compares each partition's `end` with the end that the ledger has seen acknowledged. */
RC broker_local_open(const struct broker_local_options *options, struct broker *out, struct why *why);
/* `broker` must be one that broker_local_open gave; partition < block_partitions. */
struct broker_local_opening broker_local_opening(struct broker broker, uint32_t partition);
/* The queue id that the folder was made for, without opening it. RC_ABSENT when there is none. */
RC broker_local_queue_id(struct str dir, struct id *out, struct why *why);

#endif
