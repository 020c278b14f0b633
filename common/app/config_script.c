/* SPDX-License-Identifier: Apache-2.0 */
#include "config_script.h"

#include "alloc.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

RC config_script_read(struct config *config, struct str path, struct str *out, struct why *why) {
    /* A pipe would keep us waiting for whoever writes to it. */
    AUTO(own_close) int fd = open(path.at, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) return why_errno(why, RC_DENIED, errno, "%s cannot be read", path.at);
    if (!S_ISREG(stat.st_mode)) return why_set(why, RC_DENIED, "%s is no ordinary file", path.at);
    if (stat.st_size > CONFIG_SCRIPT_MAX) return why_set(why, RC_DENIED, "%s is larger than 256 KiB", path.at);
    size_t len = 0, room = CONFIG_SCRIPT_MAX;
    AUTO(own_free) char *text = alloc_bytes(room);
    for (ssize_t n; len < room && (n = read(fd, text + len, room - len)) != 0; len += (size_t)n)
        if (n < 0) return why_errno(why, RC_DENIED, errno, "%s cannot be read", path.at);
    *out = arena_str(&config->arena, (struct str){text, len});
    return RC_OK;
}

RC config_script_folder(struct str path, struct why *why) {
    struct stat stat_;
    if (stat(path.at, &stat_) != 0) return why_errno(why, RC_DENIED, errno, "%s cannot be read", path.at);
    return S_ISDIR(stat_.st_mode) ? RC_OK : why_set(why, RC_DENIED, "%s is no folder", path.at);
}
