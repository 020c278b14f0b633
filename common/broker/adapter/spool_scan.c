/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_scan.h"

#include "alloc.h"
#include "num.h"
#include "own.h"
#include "spool_format.h"
#include "spool_sys.h"

#include <errno.h>

enum { WINDOW = 64 * 1024 };

struct walk {
    const struct spool_scan *scan;
    struct spool_scanned found;
    size_t room;
    char *window;
    struct spool_summer *summer;
};

static void walk_done(struct walk *walk) {
    free(walk->found.places);
    free(walk->window);
    spool_summer_free(&walk->summer);
}

static enum rc read_failed(struct why *why, uint64_t at) {
    return why_errno(why, RC_BROKEN, errno, "reading at byte %llu", (unsigned long long)at);
}

/* A valid header for an offset of at least `min`, whose message ends inside the file. */
static bool header_fits(const struct spool_scan *scan, const uint8_t *bytes, uint64_t at, uint64_t min,
                        struct spool_record *out) {
    struct spool_record record;
    if (!spool_parse_record(bytes, scan->salt, &record)) return false;
    if (record.offset < min || record.offset >= scan->limit) return false;
    if (record.offset - scan->base >= SPOOL_SCAN_MESSAGES_MAX) return false;
    if (scan->file_end - at - SPOOL_RECORD_BYTES < record.len) return false;
    *out = record;
    return true;
}

/* The first valid header at or behind *at; RC_ABSENT when there is none. */
static RC find_next(struct walk *walk, uint64_t *at, uint64_t min, struct spool_record *out, struct why *why) {
    const struct spool_scan *scan = walk->scan;
    uint64_t from = *at;
    while (scan->file_end - from >= SPOOL_RECORD_BYTES) {
        ssize_t n = spool_sys_read(scan->fd, walk->window, MIN((uint64_t)WINDOW, scan->file_end - from), (off_t)from);
        if (n < 0) return read_failed(why, from);
        struct str bytes = {walk->window, (size_t)n};
        size_t i = 0;
        while ((i += spool_find_record(str_sub(bytes, i, bytes.len))) + SPOOL_RECORD_BYTES <= bytes.len) {
            if (header_fits(scan, (const uint8_t *)walk->window + i, from + i, min, out)) {
                *at = from + i;
                return RC_OK;
            }
            i++;
        }
        if (i == 0) break; /* the file has become shorter */
        from += i;
    }
    return RC_ABSENT;
}

/* RC_BAD when the message does not have the record's sum. */
static RC check_message(struct walk *walk, uint64_t at, const struct spool_record *record, struct why *why) {
    spool_summer_begin(walk->summer);
    for (uint64_t done = 0; done < record->len;) {
        size_t want = MIN((size_t)WINDOW, (size_t)(record->len - done));
        ssize_t n = spool_sys_read(walk->scan->fd, walk->window, want, (off_t)(at + SPOOL_RECORD_BYTES + done));
        if (n < 0) return read_failed(why, at);
        if ((size_t)n < want) return RC_BAD;
        spool_summer_add(walk->summer, (struct str){walk->window, want});
        done += want;
    }
    return spool_summer_end(walk->summer) == record->sum ? RC_OK : RC_BAD;
}

static void put_place(struct walk *walk, struct spool_place place) {
    struct spool_scanned *found = &walk->found;
    alloc_grow(&found->places, &walk->room, found->count + 1, sizeof place);
    found->places[found->count++] = place;
}

/* Notes that what begins at `at` is bad, up to (not with) `offset`. */
static void put_damage(struct walk *walk, uint64_t at, uint64_t offset) {
    struct spool_scanned *found = &walk->found;
    if (found->bad_at == walk->scan->file_end) {
        found->bad_at = at;
        found->bad_offset = walk->scan->base + found->count;
    }
    while (walk->scan->base + found->count < offset) {
        put_place(walk, (struct spool_place){0, 0});
        found->damaged++;
    }
}

static RC walk_record(struct walk *walk, uint64_t *at, struct why *why) {
    const struct spool_scan *scan = walk->scan;
    struct spool_scanned *found = &walk->found;
    uint64_t expected = scan->base + found->count, here = *at;
    uint8_t bytes[SPOOL_RECORD_BYTES];
    struct spool_record record;
    ssize_t n = spool_sys_read(scan->fd, bytes, sizeof bytes, (off_t)here);
    if (n < 0) return read_failed(why, here);
    bool good = n == sizeof bytes && header_fits(scan, bytes, here, expected, &record) && record.offset == expected;
    if (!good) {
        uint64_t next = here + 1;
        enum rc rc = find_next(walk, &next, expected + 1, &record, why);
        if (rc == RC_ABSENT) put_damage(walk, here, expected);
        if (rc != RC_OK) return rc;
        put_damage(walk, here, record.offset);
        here = next;
    }
    enum rc rc = scan->messages ? check_message(walk, here, &record, why) : RC_OK;
    if (rc == RC_BAD)
        put_damage(walk, here, record.offset + 1);
    else if (rc != RC_OK)
        return rc;
    else
        put_place(walk, (struct spool_place){(uint32_t)here, record.len});
    found->acknowledged = MAX(found->acknowledged, record.acknowledged);
    *at = here + SPOOL_RECORD_BYTES + record.len;
    found->end_at = *at;
    return RC_OK;
}

enum rc spool_scan(const struct spool_scan *scan, struct spool_scanned *out, struct why *why) {
    AUTO(walk_done) struct walk walk = {.scan = scan, .window = alloc_bytes(WINDOW), .summer = spool_summer_new()};
    walk.found.end_at = SPOOL_SEGMENT_BYTES;
    walk.found.bad_at = scan->file_end;
    uint64_t at = SPOOL_SEGMENT_BYTES;
    enum rc rc = RC_OK;
    while (rc == RC_OK && at < scan->file_end && scan->base + walk.found.count < scan->limit)
        rc = walk_record(&walk, &at, why);
    if (rc != RC_OK && rc != RC_ABSENT) return rc;
    if (walk.found.bad_at == scan->file_end) walk.found.bad_offset = scan->base + walk.found.count;
    *out = walk.found;
    walk.found.places = NULL;
    return RC_OK;
}
