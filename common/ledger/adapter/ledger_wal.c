/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_wal.h"

#include "ledger_schema.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

enum { HEAD = 32, FRAME_HEAD = 24, PAGE = LEDGER_SCHEMA_PAGE_BYTES, FRAME = FRAME_HEAD + PAGE };

static uint32_t be32(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t le32(const unsigned char *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

struct sums {
    bool big_endian; /* of the words that are added up; the sums themselves are always stored big-endian */
    uint32_t a, b;
};

static void add(struct sums *sums, const unsigned char *at, size_t len) {
    for (size_t i = 0; i < len; i += 8) {
        sums->a += (sums->big_endian ? be32(at + i) : le32(at + i)) + sums->b;
        sums->b += (sums->big_endian ? be32(at + i + 4) : le32(at + i + 4)) + sums->a;
    }
}

static bool agree(const struct sums *sums, const unsigned char *at) {
    return sums->a == be32(at) && sums->b == be32(at + 4);
}

/* The header's sums, from which those of the frames go on. */
static bool head_is_whole(const unsigned char head[HEAD], struct sums *out) {
    uint32_t magic = be32(head);
    *out = (struct sums){.big_endian = magic & 1};
    add(out, head, HEAD - 8);
    return (magic & ~1u) == 0x377f0682u && be32(head + 8) == PAGE && agree(out, head + HEAD - 8);
}

/* A frame that was written since the log began anew, whole or not. */
static bool is_current(const unsigned char *head, const unsigned char *frame) {
    return memcmp(head + 16, frame + 8, 8) == 0;
}

static bool is_commit(const unsigned char *frame) { return be32(frame + 4) != 0; }

/* From the first bad frame on: has a transaction ended, and did another begin? Then the bad one is not the last. */
static RC check_rest(int fd, const unsigned char *head, off_t at, off_t size, const char *path, struct why *why) {
    unsigned char frame[FRAME_HEAD];
    bool ended = false;
    for (off_t bad = at; at + FRAME <= size; at += FRAME) {
        if (pread(fd, frame, sizeof frame, at) != (ssize_t)sizeof frame)
            return why_errno(why, RC_BROKEN, errno, "cannot read %s", path);
        if (!is_current(head, frame)) {
            if (at == bad) continue; /* the bad one may have lost just that */
            return RC_OK;
        }
        if (ended)
            return why_set(why, RC_BROKEN,
                           "%s is damaged at byte %lld, and calls that were answered lie behind it; "
                           "nothing was changed",
                           path, (long long)bad);
        ended = is_commit(frame);
    }
    return RC_OK;
}

static RC check_frames(int fd, const unsigned char *head, struct sums sums, off_t size, const char *path,
                       struct why *why) {
    unsigned char frame[FRAME];
    for (off_t at = HEAD; at + FRAME <= size; at += FRAME) {
        if (pread(fd, frame, sizeof frame, at) != (ssize_t)sizeof frame)
            return why_errno(why, RC_BROKEN, errno, "cannot read %s", path);
        add(&sums, frame, 8);
        add(&sums, frame + FRAME_HEAD, PAGE);
        if (!is_current(head, frame) || !agree(&sums, frame + 16)) return check_rest(fd, head, at, size, path, why);
    }
    return RC_OK;
}

RC ledger_wal_check(const char *path, struct why *why) {
    unsigned char head[HEAD];
    struct sums sums;
    struct stat st;
    AUTO(own_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? RC_OK : why_errno(why, RC_DENIED, errno, "cannot open %s", path);
    if (fstat(fd, &st) != 0) return why_errno(why, RC_BROKEN, errno, "cannot look at %s", path);
    if (st.st_size < HEAD + FRAME) return RC_OK; /* no frame, so no call, is in it */
    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
        return why_errno(why, RC_BROKEN, errno, "cannot read %s", path);
    /* The header is synced before the first frame is written. */
    if (!head_is_whole(head, &sums))
        return why_set(why, RC_BROKEN, "%s is damaged at its start; nothing was changed", path);
    return check_frames(fd, head, sums, st.st_size, path, why);
}
