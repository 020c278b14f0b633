/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_log_inside.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define ADVICE "Nothing was changed; put the files back from a copy, or run `sluice repair`"

/* ---- the folder ---- */

static RC open_folder(struct spool_log *log, struct why *why) {
    if (mkdir(log->path, 0750) == 0) {
        AUTO(own_free) char *parent_path = alloc_bytes(strlen(log->path) + 4);
        (void)sprintf(parent_path, "%s/..", log->path);
        AUTO(own_close) int parent = open(parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0 || log->options.sys->fsync_dir(parent) != 0)
            return why_errno(why, RC_BROKEN, errno, "spool: making %s", log->path);
    } else if (errno != EEXIST) {
        return why_errno(why, spool_log_rc(errno), errno, "spool: making %s", log->path);
    }
    log->dir = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->dir < 0) return why_errno(why, spool_log_rc(errno), errno, "spool: opening %s", log->path);
    log->mark = openat(log->dir, "acknowledged", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (log->mark < 0) return why_errno(why, spool_log_rc(errno), errno, "spool: opening %s/acknowledged", log->path);
    return RC_OK;
}

/* The end that an earlier life had acknowledged, as far as it is known; 0 when it is not. */
static uint64_t read_mark(const struct spool_log *log) {
    uint8_t bytes[SPOOL_MARK_BYTES];
    uint64_t end = 0;
    if (spool_sys_read(log->mark, bytes, sizeof bytes, 0) == sizeof bytes && spool_parse_mark(bytes, &end)) return end;
    return 0;
}

struct names {
    uint64_t *bases;
    size_t count, room;
};

static void names_done(struct names *names) { free(names->bases); }

static int by_base(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void own_closedir(DIR **dir) {
    if (*dir) (void)closedir(*dir);
}

static RC list_segments(struct spool_log *log, struct names *out, struct why *why) {
    AUTO(own_closedir) DIR *dir = NULL;
    AUTO(own_close) int fd = openat(log->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) dir = fdopendir(fd);
    if (!dir) return why_errno(why, spool_log_rc(errno), errno, "spool: listing %s", log->path);
    fd = -1;
    const struct dirent *entry;
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        uint64_t base;
        if (!spool_parse_name(entry->d_name, &base)) continue;
        alloc_grow(&out->bases, &out->room, out->count + 1, sizeof *out->bases);
        out->bases[out->count++] = base;
    }
    if (errno != 0) return why_errno(why, RC_BROKEN, errno, "spool: listing %s", log->path);
    if (out->count > 0) qsort(out->bases, out->count, sizeof *out->bases, by_base);
    if (log->options.sys->unlink(log->dir, "new") != 0 && errno != ENOENT)
        return why_errno(why, spool_log_rc(errno), errno, "spool: removing %s/new", log->path);
    return RC_OK;
}

/* ---- the chain of segments ---- */

static RC check_header(const struct spool_log *log, const struct spool_segment_header *header, const char *name,
                       struct why *why) {
    const struct spool_log_options *options = &log->options;
    if (!id_equal(header->queue, options->queue)) {
        char theirs[ID_TEXT], ours[ID_TEXT];
        return why_set(why, RC_DENIED, "spool: %s/%s belongs to queue %s, this is queue %s", log->path, name,
                       id_format(header->queue, theirs), id_format(options->queue, ours));
    }
    uint64_t base;
    if (header->generation != options->generation || header->partition != options->partition ||
        !spool_parse_name(name, &base) || header->base != base || header->prev_end > header->base)
        return why_set(why, RC_BROKEN,
                       "spool: %s/%s is in the wrong place: it was written as generation %llu, partition %u, segment "
                       "%llu. " ADVICE,
                       log->path, name, (unsigned long long)header->generation, header->partition,
                       (unsigned long long)header->base);
    return RC_OK;
}

static RC read_header(const struct spool_log *log, int fd, const char *name, struct spool_segment_header *out,
                      struct why *why) {
    uint8_t bytes[SPOOL_SEGMENT_BYTES] = {0};
    if (spool_sys_read(fd, bytes, sizeof bytes, 0) < 0)
        return why_errno(why, RC_BROKEN, errno, "spool: reading %s/%s", log->path, name);
    switch (spool_parse_segment(bytes, out)) {
    case SPOOL_HEADER_BAD:
        return why_set(why, RC_BROKEN, "spool: the header of %s/%s (byte 0) is damaged. " ADVICE, log->path, name);
    case SPOOL_HEADER_NEWER:
        return why_set(why, RC_DENIED, "spool: %s/%s was written by another version of sluice", log->path, name);
    case SPOOL_HEADER_GOOD: break;
    }
    return check_header(log, out, name, why);
}

static RC open_segment(struct spool_log *log, uint64_t base, bool last, struct why *why) {
    char name[SPOOL_NAME_MAX];
    spool_format_name(base, name);
    AUTO(own_close) int fd = openat(log->dir, name, (last ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0)
        return why_errno(why, spool_log_rc(errno), errno, "spool: opening %s/%s", log->path, name);
    struct spool_segment_header header;
    TRY(read_header(log, fd, name, &header, why));
    bool follows = !log->last || header.prev_base == log->last->head.base || log->options.repair;
    if (log->last && header.prev_end < log->last->head.base) follows = false;
    if (!follows)
        return why_set(why, RC_BROKEN,
                       "spool: segment %020llu of %s is missing: %s follows it, and before it comes %020llu. " ADVICE,
                       (unsigned long long)header.prev_base, log->path, name, (unsigned long long)log->last->head.base);
    struct spool_segment *segment = ALLOC(struct spool_segment);
    *segment = (struct spool_segment){
        .head = header, .end = header.base, .bytes = (uint64_t)stat.st_size - SPOOL_SEGMENT_BYTES};
    if (log->last) log->last->end = header.prev_end;
    spool_log_add(log, segment);
    if (last) {
        segment->file = spool_file_new(fd);
        fd = -1;
    }
    return RC_OK;
}

/* ---- the last segment ---- */

/* What the process before had written but not yet synced is made durable; then the page cache is emptied, so that the
 * scan sees what the disk has, also after a write-back that failed. */
static RC scan_last(struct spool_log *log, struct spool_scanned *out, struct why *why) {
    struct spool_segment *last = log->last;
    int fd = last->file->fd;
    if (log->options.sys->fdatasync(fd) != 0)
        return why_errno(why, RC_BROKEN, errno, "spool %s: fdatasync of segment %020llu", log->path,
                         (unsigned long long)last->head.base);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    struct spool_scan scan = {.fd = fd,
                              .salt = last->head.salt,
                              .base = last->head.base,
                              .limit = UINT64_MAX,
                              .file_end = SPOOL_SEGMENT_BYTES + last->bytes,
                              .messages = true};
    enum rc rc = spool_scan(&scan, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "spool %s/%020llu", log->path, (unsigned long long)last->head.base);
}

static enum rc lost(const struct spool_log *log, const struct broker_local_opening *opening,
                    const struct spool_scanned *scanned, struct why *why) {
    return why_set(why, RC_BROKEN,
                   "spool %s/%020llu: message %llu (byte %llu) is damaged or missing, although everything before %llu "
                   "was acknowledged. " ADVICE,
                   log->path, (unsigned long long)log->last->head.base, (unsigned long long)scanned->bad_offset,
                   (unsigned long long)scanned->bad_at, (unsigned long long)opening->acknowledged);
}

/* A last segment without one good record makes room for a new one of the same name; its bytes stay. */
static RC set_aside(struct spool_log *log, struct broker_local_opening *opening, struct why *why) {
    const struct spool_sys *sys = log->options.sys;
    struct spool_segment *last = log->last;
    char name[SPOOL_NAME_MAX], torn[sizeof opening->torn_file];
    spool_format_name(last->head.base, name);
    (void)snprintf(torn, sizeof torn, "%.20s.torn.%016llx", name, (unsigned long long)last->head.salt);
    if (sys->rename(log->dir, name, torn) != 0 || sys->fsync_dir(log->dir) != 0)
        return why_errno(why, spool_log_rc(errno), errno, "spool: setting %s/%s aside", log->path, name);
    memcpy(opening->torn_file, torn, sizeof torn);
    uint64_t base = last->head.base;
    log->next = last->head.prev_end;
    log->count--;
    log->last = log->count > 0 ? log->segments[log->count - 1] : NULL;
    spool_log_drop(last);
    return spool_log_begin_segment(log, base, why);
}

/* Goes on behind a last segment that nothing may be added to. */
static RC go_on(struct spool_log *log, struct broker_local_opening *opening, struct why *why) {
    if (log->next > log->last->head.base) return spool_log_begin_segment(log, log->next, why);
    return log->last->bytes + opening->torn_bytes > 0 ? set_aside(log, opening, why) : RC_OK;
}

/* Cuts the log at its first bad record; nothing that follows was acknowledged. */
static RC cut_torn(struct spool_log *log, struct spool_scanned *scanned, struct broker_local_opening *opening,
                   struct why *why) {
    struct spool_segment *last = log->last;
    uint64_t bad_places = 0;
    last->count = scanned->bad_offset - last->head.base;
    for (size_t i = last->count; i < scanned->count; i++) bad_places += scanned->places[i].at == 0;
    opening->torn_at = scanned->bad_at;
    opening->torn_bytes = SPOOL_SEGMENT_BYTES + last->bytes - scanned->bad_at;
    opening->dropped_messages = scanned->count - last->count - bad_places;
    spool_format_name(last->head.base, opening->torn_file);
    last->end = log->next = scanned->bad_offset;
    last->bytes = scanned->bad_at - SPOOL_SEGMENT_BYTES;
    return go_on(log, opening, why);
}

static RC open_last(struct spool_log *log, struct broker_local_opening *opening, struct why *why) {
    struct spool_segment *last = log->last;
    struct spool_scanned scanned;
    TRY(scan_last(log, &scanned, why));
    last->places = scanned.places;
    last->count = scanned.count;
    last->room = scanned.count;
    last->end = log->next = last->head.base + scanned.count;
    opening->acknowledged = MAX(opening->acknowledged, MAX(scanned.acknowledged, last->head.base));
    bool bad = scanned.bad_at < SPOOL_SEGMENT_BYTES + last->bytes;
    if (scanned.bad_offset < opening->acknowledged) {
        if (!log->options.repair) return lost(log, opening, &scanned, why);
        opening->damaged_messages = scanned.damaged;
        return go_on(log, opening, why);
    }
    if (bad) return cut_torn(log, &scanned, opening, why);
    return RC_OK;
}

static RC open_segments(struct spool_log *log, struct broker_local_opening *opening, struct why *why) {
    AUTO(names_done) struct names names = {0};
    TRY(list_segments(log, &names, why));
    opening->acknowledged = read_mark(log);
    if (names.count == 0 && opening->acknowledged > 0 && !log->options.repair)
        return why_set(why, RC_BROKEN,
                       "spool %s: there are no segments, although everything before %llu was acknowledged. " ADVICE,
                       log->path, (unsigned long long)opening->acknowledged);
    if (names.count == 0) {
        log->start = opening->acknowledged; /* what was before is gone */
        return spool_log_begin_segment(log, opening->acknowledged, why);
    }
    for (size_t i = 0; i < names.count; i++) TRY(open_segment(log, names.bases[i], i + 1 == names.count, why));
    log->start = log->segments[0]->head.base;
    return open_last(log, opening, why);
}

static struct spool_log *log_new(const struct spool_log_options *options) {
    struct spool_log *log = ALLOC(struct spool_log);
    log->options = *options;
    log->path = alloc_text(options->path, strlen(options->path));
    log->dir = log->mark = -1;
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_mutex_init(&log->append_lock, NULL);
    (void)pthread_mutex_init(&log->commit_lock, NULL);
    (void)pthread_mutex_init(&log->trim_lock, NULL);
    (void)pthread_cond_init(&log->dirty, NULL);
    wake_init(&log->ending);
    return log;
}

static void log_abandon(struct spool_log **log) {
    if (*log) atomic_store(&(*log)->broken, true); /* nothing is written any more */
    spool_log_free(*log);
}

enum rc spool_log_open(const struct spool_log_options *options, struct spool_log **out,
                       struct broker_local_opening *opening, struct why *why) {
    AUTO(log_abandon) struct spool_log *log = log_new(options);
    struct broker_local_opening found = {0};
    TRY(open_folder(log, why));
    TRY(open_segments(log, &found, why));
    atomic_store(&log->acknowledged, log->next);
    uint64_t kept = 0;
    for (size_t i = 0; i < log->count; i++) kept += log->segments[i]->bytes;
    atomic_store(&log->kept_bytes, kept);
    if (log->next >= found.acknowledged) spool_log_mark(log, log->next);
    found.start = log->start;
    found.end = log->next;
    *opening = found;
    *out = TAKE(log);
    return RC_OK;
}
