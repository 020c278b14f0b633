/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_log_inside.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* One message found: where it lies, and the file held open. */
struct found {
    struct spool_file *file;
    struct spool_place place;
    uint64_t base, salt;
};

static void found_done(struct found *found) { spool_file_drop(&found->file); }

struct spool_segment *spool_log_find(struct spool_log *log, uint64_t offset) {
    size_t low = 0, high = log->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->segments[middle]->head.base <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || offset >= log->segments[low - 1]->end) return NULL;
    return log->segments[low - 1];
}

/* ---- segments that are not in use ---- */

/* Places up to `end`; what the scan did not find is damaged. */
static void places_fill(struct spool_segment *segment, struct spool_scanned *scanned) {
    size_t want = (size_t)MIN(segment->end - segment->head.base, (uint64_t)SPOOL_SCAN_MESSAGES_MAX);
    segment->places = alloc_zero(want + 1, sizeof *segment->places);
    segment->count = segment->room = want;
    if (scanned->count > 0)
        memcpy(segment->places, scanned->places, MIN(want, scanned->count) * sizeof *segment->places);
    free(TAKE(scanned->places));
}

/* Fills in `loaded`, a copy that no other thread sees. */
static RC load_copy(struct spool_log *log, struct spool_segment *loaded, struct why *why) {
    char name[SPOOL_NAME_MAX];
    spool_format_name(loaded->head.base, name);
    AUTO(own_close) int fd = openat(log->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0)
        return why_errno(why, spool_log_rc(errno), errno, "spool: opening %s/%s", log->path, name);
    struct spool_scan scan = {.fd = fd,
                              .salt = loaded->head.salt,
                              .base = loaded->head.base,
                              .limit = loaded->end,
                              .file_end = (uint64_t)stat.st_size};
    struct spool_scanned scanned;
    enum rc rc = spool_scan(&scan, &scanned, why);
    if (rc != RC_OK) return why_wrap(why, rc, "spool %s/%s", log->path, name);
    places_fill(loaded, &scanned);
    loaded->file = spool_file_new(fd);
    fd = -1;
    return RC_OK;
}

/* Under `lock`: closes the least recently read ones above the bound. */
static void evict(struct spool_log *log) {
    for (;;) {
        struct spool_segment *oldest = NULL;
        size_t open = 0;
        for (size_t i = 0; i < log->count; i++) {
            struct spool_segment *segment = log->segments[i];
            if (!segment->file || segment == log->last) continue;
            open++;
            if (!oldest || segment->used < oldest->used) oldest = segment;
        }
        if (open <= log->options.open_segments_max) return;
        spool_file_drop(&oldest->file);
        free(TAKE(oldest->places));
        oldest->count = oldest->room = 0;
    }
}

enum rc spool_log_load(struct spool_log *log, uint64_t offset, struct why *why) {
    struct spool_segment loaded;
    {
        LOCKED(&log->lock);
        const struct spool_segment *segment = spool_log_find(log, offset);
        if (!segment || segment->file) return RC_OK;
        loaded = *segment;
    }
    enum rc rc = load_copy(log, &loaded, why);
    LOCKED(&log->lock);
    struct spool_segment *segment = spool_log_find(log, offset);
    if (!segment || segment->file || offset < log->start) { /* trimmed, or another thread was faster */
        if (rc != RC_OK) return RC_OK;
        spool_file_drop(&loaded.file);
        free(loaded.places);
        return RC_OK;
    }
    if (rc != RC_OK) return rc;
    segment->file = loaded.file;
    segment->places = loaded.places;
    segment->count = segment->room = loaded.count;
    segment->used = ++log->clock;
    evict(log);
    return RC_OK;
}

/* ---- reading ---- */

static enum rc damaged(struct spool_log *log, const struct found *found, uint64_t offset, struct why *why) {
    char name[SPOOL_NAME_MAX];
    spool_format_name(found->base, name);
    return why_set(
        why, RC_BROKEN,
        "spool %s/%s: message %llu (byte %u) is damaged: its checksum does not hold. Nothing was changed; put "
        "the file back from a copy, or run `sluice repair`",
        log->path, name, (unsigned long long)offset, found->place.at);
}

/* RC_BUSY: the segment has to be loaded first. */
static RC find_loaded(struct spool_log *log, uint64_t offset, struct found *out, struct why *why) {
    LOCKED(&log->lock);
    uint64_t end = atomic_load(&log->acknowledged);
    if (offset < log->start || offset >= end)
        return why_set(why, RC_ABSENT, "spool %s: offset %llu is not in [%llu, %llu)", log->path,
                       (unsigned long long)offset, (unsigned long long)log->start, (unsigned long long)end);
    struct spool_segment *segment = spool_log_find(log, offset);
    if (!segment)
        return why_set(why, RC_ABSENT, "spool %s: offset %llu was skipped", log->path, (unsigned long long)offset);
    if (!segment->file) return RC_BUSY;
    segment->used = ++log->clock;
    uint64_t i = offset - segment->head.base;
    struct spool_place place = i < segment->count ? segment->places[i] : (struct spool_place){0, 0};
    *out = (struct found){spool_file_use(segment->file), place, segment->head.base, segment->head.salt};
    return RC_OK;
}

static RC find(struct spool_log *log, uint64_t offset, struct found *out, struct why *why) {
    enum rc rc;
    while ((rc = find_loaded(log, offset, out, why)) == RC_BUSY) TRY(spool_log_load(log, offset, why));
    if (rc == RC_OK && out->place.at == 0) {
        rc = damaged(log, out, offset, why);
        found_done(out);
    }
    return rc;
}

/* Reads the header and the first `want` bytes of the message; RC_BROKEN unless the header is this message's. */
static RC read_record(struct spool_log *log, const struct found *found, uint64_t offset, struct iovec message,
                      struct spool_record *out, struct why *why) {
    uint8_t header[SPOOL_RECORD_BYTES];
    struct iovec parts[2] = {{header, sizeof header}, message};
    ssize_t n = spool_sys_read_two(found->file->fd, parts, (off_t)found->place.at);
    if (n < 0)
        return why_errno(why, spool_log_rc(errno), errno, "spool %s: reading message %llu", log->path,
                         (unsigned long long)offset);
    if ((size_t)n < sizeof header + message.iov_len || !spool_parse_record(header, found->salt, out) ||
        out->offset != offset || out->len != found->place.len)
        return damaged(log, found, offset, why);
    return RC_OK;
}

enum rc spool_log_read(struct spool_log *log, uint64_t offset, struct buf *out, struct why *why) {
    AUTO(found_done) struct found found = {0};
    struct spool_record record = {0};
    TRY(find(log, offset, &found, why));
    if (buf_reserve(out, found.place.len) != RC_OK)
        return why_set(why, RC_LIMIT, "spool %s: message %llu has %u bytes, more than there is room for", log->path,
                       (unsigned long long)offset, found.place.len);
    TRY(read_record(log, &found, offset, (struct iovec){out->at, found.place.len}, &record, why));
    if (spool_sum((struct str){0}, (struct str){out->at, found.place.len}) != record.sum)
        return damaged(log, &found, offset, why);
    out->len = found.place.len;
    return RC_OK;
}

enum rc spool_log_read_head(struct spool_log *log, uint64_t offset, size_t max, struct buf *out, uint64_t *out_len,
                            struct why *why) {
    AUTO(found_done) struct found found = {0};
    struct spool_record record;
    TRY(find(log, offset, &found, why));
    size_t want = MIN(max, (size_t)found.place.len);
    if (buf_reserve(out, want) != RC_OK)
        return why_set(why, RC_LIMIT, "spool %s: no room for %zu bytes of message %llu", log->path, want,
                       (unsigned long long)offset);
    TRY(read_record(log, &found, offset, (struct iovec){out->at, want}, &record, why));
    out->len = want;
    *out_len = found.place.len;
    return RC_OK;
}
