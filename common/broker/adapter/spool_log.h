/* SPDX-License-Identifier: Apache-2.0 */
/* spool_log: the append-only log of one partition, in segment files of one folder; broker_local.h tells the rules and
 * SPOOL.md the bytes.
 *
 * Threads: any, but spool_log_open and _free. Appends exclude each other, and so do commits and trims; a read holds no
 * lock while it waits for the disk. Locks, in this order: append, commit, trim, state.
 * Fails: as broker.h. */
#ifndef SLUICE_SPOOL_LOG_H
#define SLUICE_SPOOL_LOG_H

#include "broker_local.h"

struct spool_log;

struct spool_log_options {
    const char *path; /* the folder; made when it is absent, its parent is there */
    struct id queue;
    uint64_t generation;
    uint32_t partition;
    size_t message_bytes_max, segment_bytes, open_segments_max;
    bool repair;
    const struct spool_sys *sys;
    void (*progress)(void *context); /* the acknowledged end has risen, or the log broke; any thread */
    void *context;
};

RC spool_log_open(const struct spool_log_options *options, struct spool_log **out, struct broker_local_opening *opening,
                  struct why *why);
/* Commits what is there and closes. NULL is nothing. */
void spool_log_free(struct spool_log *log);

/* Written, not yet acknowledged, when it returns. */
RC spool_log_append(struct spool_log *log, struct str head, struct str body, uint64_t *out_offset, struct why *why);
/* fdatasync, then everything that was written before it is acknowledged. RC_BROKEN breaks the log. */
RC spool_log_commit(struct spool_log *log, struct why *why);
/* Waits until there is something to commit; false when the log is broken, or when spool_log_wake was called and there
 * is nothing. */
bool spool_log_wait_dirty(struct spool_log *log);
/* Waits so long, or until spool_log_wake is called. */
void spool_log_pause(struct spool_log *log, uint64_t pause_ms);
/* Ends spool_log_wait_dirty and spool_log_pause for ever. */
void spool_log_wake(struct spool_log *log);

/* What is below is acknowledged. Cheap. */
uint64_t spool_log_acknowledged(const struct spool_log *log);
/* RC_OK, or RC_BROKEN with the reason. Cheap while it is whole. */
RC spool_log_health(struct spool_log *log, struct why *why);
void spool_log_bounds(struct spool_log *log, uint64_t *out_start, uint64_t *out_end);
uint64_t spool_log_kept_bytes(const struct spool_log *log);

/* Both add to `out`, which must be empty. */
RC spool_log_read(struct spool_log *log, uint64_t offset, struct buf *out, struct why *why);
RC spool_log_read_head(struct spool_log *log, uint64_t offset, size_t max, struct buf *out, uint64_t *out_len,
                       struct why *why);
RC spool_log_trim(struct spool_log *log, uint64_t before, struct why *why);
RC spool_log_skip_to(struct spool_log *log, uint64_t offset, struct why *why);

#endif
