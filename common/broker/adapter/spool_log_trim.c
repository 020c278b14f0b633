/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_log_inside.h"

#include "num.h"
#include "own.h"

#include <errno.h>

/* A last segment of this size is given up when all of it is trimmed, so that an idle partition does not keep up to 64
 * MiB of disk; below, making a new file costs more than it frees. */
enum { ROLL_TRIMMED_BYTES = 8 * 1024 * 1024 };

/* The first segment when nothing in it is needed any more, else NULL. */
static struct spool_segment *first_trimmed(struct spool_log *log) {
    LOCKED(&log->lock);
    struct spool_segment *first = log->segments[0];
    return first != log->last && first->end <= log->start ? first : NULL;
}

/* The oldest first, each durably gone before the next: a crash never leaves a hole in the chain. */
static RC remove_first(struct spool_log *log, struct spool_segment *segment, struct why *why) {
    char name[SPOOL_NAME_MAX];
    spool_format_name(segment->head.base, name);
    if ((log->options.sys->unlink(log->dir, name) != 0 && errno != ENOENT) ||
        log->options.sys->fsync_dir(log->dir) != 0)
        return why_errno(why, spool_log_rc(errno), errno, "spool: removing %s/%s", log->path, name);
    {
        LOCKED(&log->lock);
        log->count--;
        memmove(log->segments, log->segments + 1, log->count * sizeof *log->segments);
    }
    spool_log_drop(segment);
    return RC_OK;
}

/* Under `lock`. */
static void count_kept(struct spool_log *log) {
    uint64_t kept = 0;
    for (size_t i = 0; i < log->count; i++) {
        const struct spool_segment *segment = log->segments[i];
        if (segment->end <= log->start) continue;
        kept += segment->bytes;
        uint64_t trimmed = log->start > segment->head.base ? log->start - segment->head.base : 0;
        if (trimmed == 0 || trimmed >= segment->count) continue;
        uint32_t at = segment->places[trimmed].at;
        if (at > SPOOL_SEGMENT_BYTES) kept -= at - SPOOL_SEGMENT_BYTES;
    }
    atomic_store(&log->kept_bytes, kept);
}

/* False when all of that was trimmed before. */
static bool raise_start(struct spool_log *log, uint64_t before) {
    LOCKED(&log->lock);
    if (before <= log->start) return false;
    log->start = before;
    count_kept(log);
    return true;
}

static bool last_is_waste(struct spool_log *log) {
    LOCKED(&log->lock);
    return log->start == log->next && log->last->bytes >= ROLL_TRIMMED_BYTES && !atomic_load(&log->broken);
}

static RC roll_if_trimmed(struct spool_log *log, struct why *why) {
    LOCKED(&log->append_lock);
    return last_is_waste(log) ? spool_log_roll(log, log->next, why) : RC_OK;
}

static RC remove_trimmed(struct spool_log *log, struct why *why) {
    LOCKED(&log->trim_lock);
    struct spool_segment *segment;
    while ((segment = first_trimmed(log)) != NULL) TRY(remove_first(log, segment, why));
    return RC_OK;
}

enum rc spool_log_trim(struct spool_log *log, uint64_t before, struct why *why) {
    uint64_t end = spool_log_acknowledged(log); /* read once: it rises while we look */
    before = MIN(before, end);
    enum rc loaded = spool_log_load(log, before, NULL);
    (void)loaded; /* without it kept_bytes counts that segment whole */
    if (!raise_start(log, before)) return RC_OK;
    TRY(roll_if_trimmed(log, why));
    return remove_trimmed(log, why);
}
