/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_log_inside.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "rng.h"

#include <errno.h>

enum rc spool_log_rc(int error) {
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return RC_LIMIT;
    case EACCES:
    case EPERM:
    case EROFS: return RC_DENIED;
    case EMFILE:
    case ENFILE: return RC_BUSY;
    default: return RC_BROKEN;
    }
}

void spool_log_add(struct spool_log *log, struct spool_segment *segment) {
    alloc_grow(&log->segments, &log->room, log->count + 1, sizeof segment);
    log->segments[log->count++] = log->last = segment;
}

void spool_log_drop(struct spool_segment *segment) {
    if (!segment) return;
    spool_file_drop(&segment->file);
    free(segment->places);
    free(segment);
}

uint64_t spool_log_acknowledged(const struct spool_log *log) { return atomic_load(&log->acknowledged); }

uint64_t spool_log_kept_bytes(const struct spool_log *log) { return atomic_load(&log->kept_bytes); }

void spool_log_bounds(struct spool_log *log, uint64_t *out_start, uint64_t *out_end) {
    LOCKED(&log->lock);
    *out_start = log->start;
    *out_end = atomic_load(&log->acknowledged);
}

enum rc spool_log_health(struct spool_log *log, struct why *why) {
    if (!atomic_load(&log->broken)) return RC_OK;
    LOCKED(&log->lock);
    return why_set(why, RC_BROKEN, "%s", log->broken_why.text);
}

enum rc spool_log_break(struct spool_log *log, const struct why *reason, struct why *why) {
    {
        LOCKED(&log->lock);
        if (!atomic_load(&log->broken)) log->broken_why = *reason;
        atomic_store(&log->broken, true);
        (void)pthread_cond_broadcast(&log->dirty);
    }
    log->options.progress(log->options.context);
    return spool_log_health(log, why);
}

void spool_log_mark(struct spool_log *log, uint64_t end) {
    uint8_t bytes[SPOOL_MARK_BYTES];
    spool_format_mark(end, bytes);
    if (pwrite(log->mark, bytes, sizeof bytes, 0) < 0) return;
}

/* ---- segments ---- */

/* Writes the header into a new file with a name for the time being; the descriptor, or -1 with errno. */
static int create_with_header(struct spool_log *log, const struct spool_segment_header *header) {
    const struct spool_sys *sys = log->options.sys;
    uint8_t bytes[SPOOL_SEGMENT_BYTES];
    spool_format_segment(header, bytes);
    int fd = sys->create(log->dir, "new");
    if (fd < 0) return -1;
    struct iovec part = {bytes, sizeof bytes};
    if (spool_sys_write(sys, fd, &part, 1, 0) == 0 && sys->fdatasync(fd) == 0) return fd;
    int error = errno;
    (void)close(fd);
    (void)sys->unlink(log->dir, "new");
    errno = error;
    return -1;
}

/* As create_with_header, then under its own name, durably. */
static RC create_segment(struct spool_log *log, const struct spool_segment_header *header, int *out_fd,
                         struct why *why) {
    const struct spool_sys *sys = log->options.sys;
    char name[SPOOL_NAME_MAX];
    spool_format_name(header->base, name);
    AUTO(own_close) int fd = create_with_header(log, header);
    if (fd < 0) return why_errno(why, spool_log_rc(errno), errno, "spool: making segment %s/%s", log->path, name);
    if (sys->rename(log->dir, "new", name) != 0 || sys->fsync_dir(log->dir) != 0)
        return why_errno(why, RC_BROKEN, errno, "spool: naming segment %s/%s", log->path, name);
    *out_fd = fd;
    fd = -1;
    return RC_OK;
}

enum rc spool_log_begin_segment(struct spool_log *log, uint64_t base, struct why *why) {
    struct rng rng = rng_from_kernel();
    struct spool_segment_header header = {.partition = log->options.partition,
                                          .queue = log->options.queue,
                                          .generation = log->options.generation,
                                          .base = base,
                                          .prev_base = SPOOL_NO_SEGMENT,
                                          .prev_end = log->next,
                                          .salt = rng_next(&rng)};
    if (log->last) header.prev_base = log->last->head.base;
    int fd = -1;
    TRY(create_segment(log, &header, &fd, why));
    struct spool_segment *segment = ALLOC(struct spool_segment);
    *segment = (struct spool_segment){.head = header, .end = base, .file = spool_file_new(fd)};
    LOCKED(&log->lock);
    spool_log_add(log, segment);
    log->next = base;
    atomic_store(&log->acknowledged, base);
    return RC_OK;
}

enum rc spool_log_roll(struct spool_log *log, uint64_t base, struct why *why) {
    TRY(spool_log_commit(log, why));
    struct why reason = {0};
    enum rc rc = spool_log_begin_segment(log, base, &reason);
    if (rc == RC_BROKEN) return spool_log_break(log, &reason, why);
    if (rc != RC_OK) return why_set(why, rc, "%s", reason.text);
    return RC_OK;
}

/* ---- appending ---- */

/* Takes back what a failed write has left behind the end; nobody has been told of it. */
static enum rc append_failed(struct spool_log *log, struct spool_file *file, uint64_t at, struct why *why) {
    int error = errno;
    struct why reason = {0};
    if (log->options.sys->ftruncate(file->fd, (off_t)at) != 0) {
        (void)why_errno(&reason, RC_BROKEN, errno, "spool %s: taking back a write that failed (%s)", log->path,
                        strerrordesc_np(error));
        return spool_log_break(log, &reason, why);
    }
    enum rc rc = why_errno(&reason, spool_log_rc(error), error, "spool %s: appending", log->path);
    return rc == RC_BROKEN ? spool_log_break(log, &reason, why) : why_set(why, rc, "%s", reason.text);
}

static RC append_record(struct spool_log *log, struct spool_record *record, struct str head, struct str body,
                        struct why *why) {
    struct spool_segment *last = log->last;
    uint64_t at = SPOOL_SEGMENT_BYTES + last->bytes;
    uint8_t header[SPOOL_RECORD_BYTES];
    record->offset = log->next;
    record->acknowledged = atomic_load(&log->acknowledged);
    spool_format_record(record, last->head.salt, header);
    struct iovec parts[3] = {
        {header, sizeof header}, {(void *)(uintptr_t)head.at, head.len}, {(void *)(uintptr_t)body.at, body.len}};
    if (spool_sys_write(log->options.sys, last->file->fd, parts, 3, (off_t)at) != 0)
        return append_failed(log, last->file, at, why);
    LOCKED(&log->lock);
    alloc_grow(&last->places, &last->room, last->count + 1, sizeof *last->places);
    last->places[last->count++] = (struct spool_place){(uint32_t)at, record->len};
    last->bytes += SPOOL_RECORD_BYTES + record->len;
    last->end = ++log->next;
    atomic_fetch_add(&log->kept_bytes, SPOOL_RECORD_BYTES + record->len);
    (void)pthread_cond_signal(&log->dirty);
    return RC_OK;
}

enum rc spool_log_append(struct spool_log *log, struct str head, struct str body, uint64_t *out_offset,
                         struct why *why) {
    size_t max = log->options.message_bytes_max;
    if (head.len > max || body.len > max - head.len)
        return why_set(why, RC_LIMIT, "spool %s: a message of %zu bytes; at most %zu", log->path, head.len + body.len,
                       max);
    struct spool_record record = {.len = (uint32_t)(head.len + body.len), .sum = spool_sum(head, body)};
    LOCKED(&log->append_lock);
    TRY(spool_log_health(log, why));
    const struct spool_segment *last = log->last;
    if (last->bytes >= log->options.segment_bytes || last->count >= SPOOL_SCAN_MESSAGES_MAX)
        TRY(spool_log_roll(log, log->next, why));
    TRY(append_record(log, &record, head, body, why));
    *out_offset = record.offset;
    return RC_OK;
}

enum rc spool_log_skip_to(struct spool_log *log, uint64_t offset, struct why *why) {
    LOCKED(&log->append_lock);
    TRY(spool_log_health(log, why));
    if (offset < log->next)
        return why_set(why, RC_BAD, "spool %s: cannot skip back to %llu, the next offset is %llu", log->path,
                       (unsigned long long)offset, (unsigned long long)log->next);
    TRY(spool_log_commit(log, why));
    if (offset > log->next) {
        TRY(spool_log_roll(log, offset, why));
        spool_log_mark(log, offset);
        log->options.progress(log->options.context);
    }
    return RC_OK;
}

/* ---- committing ---- */

/* Under commit_lock: a fdatasync's outcome must be known before the next one starts, for the kernel tells a failure
 * once. */
static RC commit_file(struct spool_log *log, struct why *why) {
    AUTO(spool_file_drop) struct spool_file *file = NULL;
    uint64_t target;
    {
        LOCKED(&log->lock);
        target = log->next;
        if (target == atomic_load(&log->acknowledged)) return RC_OK;
        file = spool_file_use(log->last->file);
    }
    if (log->options.sys->fdatasync(file->fd) != 0) {
        struct why reason = {0};
        (void)why_errno(&reason, RC_BROKEN, errno, "spool %s: fdatasync", log->path);
        return spool_log_break(log, &reason, why);
    }
    {
        LOCKED(&log->lock);
        atomic_store(&log->acknowledged, target);
    }
    spool_log_mark(log, target);
    return RC_OK;
}

enum rc spool_log_commit(struct spool_log *log, struct why *why) {
    {
        LOCKED(&log->commit_lock);
        TRY(spool_log_health(log, why));
        TRY(commit_file(log, why));
    }
    log->options.progress(log->options.context);
    return RC_OK;
}

bool spool_log_wait_dirty(struct spool_log *log) {
    LOCKED(&log->lock);
    while (!log->woken && !atomic_load(&log->broken) && log->next == atomic_load(&log->acknowledged))
        (void)pthread_cond_wait(&log->dirty, &log->lock);
    return !atomic_load(&log->broken) && log->next != atomic_load(&log->acknowledged);
}

void spool_log_pause(struct spool_log *log, uint64_t pause_ms) {
    struct timespec until;
    wake_deadline(pause_ms, &until);
    (void)wake_wait(&log->ending, 0, &until);
}

void spool_log_wake(struct spool_log *log) {
    {
        LOCKED(&log->lock);
        log->woken = true;
        (void)pthread_cond_broadcast(&log->dirty);
    }
    wake_all(&log->ending);
}

void spool_log_free(struct spool_log *log) {
    if (!log) return;
    if (log->last && !atomic_load(&log->broken) && spool_log_commit(log, NULL) == RC_OK) (void)fdatasync(log->mark);
    for (size_t i = 0; i < log->count; i++) spool_log_drop(log->segments[i]);
    free(log->segments);
    own_close(&log->dir);
    own_close(&log->mark);
    (void)pthread_cond_destroy(&log->dirty);
    wake_done(&log->ending);
    (void)pthread_mutex_destroy(&log->lock);
    (void)pthread_mutex_destroy(&log->append_lock);
    (void)pthread_mutex_destroy(&log->commit_lock);
    (void)pthread_mutex_destroy(&log->trim_lock);
    free(log->path);
    free(log);
}
