/* SPDX-License-Identifier: Apache-2.0 */
/* spool_log_inside: what the files spool_log*.c share and nobody else sees. */
#ifndef SLUICE_SPOOL_LOG_INSIDE_H
#define SLUICE_SPOOL_LOG_INSIDE_H

#include "spool_file.h"
#include "spool_format.h"
#include "spool_log.h"
#include "spool_scan.h"
#include "spool_sys.h"
#include "wake.h"

#include <pthread.h>

/* A segment; `file` and `places` are there while it is in use (the last one is always). */
struct spool_segment {
    struct spool_segment_header head;
    uint64_t end;   /* the offset behind its last message; for the last segment that is the log's next */
    uint64_t bytes; /* of its records */
    struct spool_file *file;
    struct spool_place *places;
    size_t count, room;
    uint64_t used; /* the log's clock when it was last read */
};

struct spool_log {
    struct spool_log_options options;
    char *path;
    int dir, mark;

    /* Serialise appends, commits and trims; see spool_log.h for the order. */
    pthread_mutex_t append_lock, commit_lock, trim_lock;

    struct wake ending; /* its count is not 0 once spool_log_wake was called */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t dirty;
    struct spool_segment **segments; /* by base */
    struct spool_segment *last;      /* the one that is written to; it and `next` change under append_lock too */
    size_t count, room;
    uint64_t start, next, clock;
    bool woken;
    struct why broken_why;

    /* Written under `lock`, read anywhere. */
    _Atomic uint64_t acknowledged, kept_bytes;
    atomic_bool broken;
};

/* The outcome of a system call that failed with `error`. */
enum rc spool_log_rc(int error);
/* Under `lock`, or while opening. */
void spool_log_add(struct spool_log *log, struct spool_segment *segment);
void spool_log_drop(struct spool_segment *segment);
/* Under append_lock, or while opening: makes a segment that begins at `base` and is written from now on. All messages
 * before are durable. */
RC spool_log_begin_segment(struct spool_log *log, uint64_t base, struct why *why);
/* Under append_lock: commits and begins a new segment at `base`. */
RC spool_log_roll(struct spool_log *log, uint64_t base, struct why *why);
/* Ends all appending; keeps the first reason. Gives RC_BROKEN. */
enum rc spool_log_break(struct spool_log *log, const struct why *reason, struct why *why);
/* Notes the acknowledged end in the file `acknowledged`, as far as that works: it only ever makes an opening stricter.
 */
void spool_log_mark(struct spool_log *log, uint64_t end);
/* Under `lock`: the segment that holds `offset`, or NULL. */
struct spool_segment *spool_log_find(struct spool_log *log, uint64_t offset);
/* Gives the segment of `offset` its file and places, if there is such a segment and it has none. */
RC spool_log_load(struct spool_log *log, uint64_t offset, struct why *why);

#endif
