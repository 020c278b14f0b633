/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_folder.h"

#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 64 * 1024 };

static RC read_all(int fd, struct buf *out, const char *name, struct why *why) {
    for (;;) {
        if (buf_reserve(out, STEP) != RC_OK)
            return why_set(why, RC_BUSY, "%s is larger than %d bytes", name, (int)TELEMETRY_DEFINITIONS_BYTES - STEP);
        ssize_t got = read(fd, out->at + out->len, STEP);
        if (got < 0) return why_errno(why, RC_BUSY, errno, "%s cannot be read", name);
        if (got == 0) return RC_OK;
        out->len += (size_t)got;
    }
}

static RC read_one(void *self, struct str revision, struct buf *out, struct why *why) {
    const char *folder = self;
    AUTO(buf_done) struct buf name = BUF_INIT(8192);
    struct stat stat;
    buf_add_format(&name, "%s/%.*s.json", folder, STR_ARG(revision));
    if (buf_rc(&name) != RC_OK) return why_set(why, RC_BUSY, "the name of the folder of definitions is too long");
    const char *path = buf_text(&name);
    /* A pipe would keep us waiting for whoever writes to it. */
    AUTO(own_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && access(folder, F_OK) == 0) return why_set(why, RC_ABSENT, "%s is not there", path);
    if (fd < 0 || fstat(fd, &stat) != 0) return why_errno(why, RC_BUSY, errno, "%s cannot be read", path);
    if (!S_ISREG(stat.st_mode)) return why_set(why, RC_BUSY, "%s is no ordinary file", path);
    return read_all(fd, out, path, why);
}

struct telemetry_library telemetry_folder(const char *path) {
    return (struct telemetry_library){.read = read_one, .self = (void *)(uintptr_t)path};
}
