/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include "must.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct scratch scratch_make(void) {
    struct scratch scratch;
    const char *above = getenv("TMPDIR");
    char made[200], *whole = NULL;
    (void)snprintf(made, sizeof made, "%s/sluice-test-XXXXXX", above && above[0] == '/' ? above : "/tmp");
    MUST(mkdtemp(made));
    MUST((whole = realpath(made, NULL)));
    MUST((size_t)snprintf(scratch.path, sizeof scratch.path, "%s", whole) < sizeof scratch.path);
    free(whole);
    return scratch;
}

static int remove_one(const char *path, const struct stat *now, int type, struct FTW *where) {
    (void)now;
    (void)type;
    (void)where;
    (void)remove(path);
    return 0;
}

void scratch_done(struct scratch *scratch) {
    if (scratch->path[0]) (void)nftw(scratch->path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
    scratch->path[0] = '\0';
}

char *scratch_path(const struct scratch *scratch, const char *name, char out[SCRATCH_PATH]) {
    MUST(snprintf(out, SCRATCH_PATH, "%s/%s", scratch->path, name) < SCRATCH_PATH);
    return out;
}

void scratch_write(const struct scratch *scratch, const char *name, const void *bytes, size_t len) {
    char path[SCRATCH_PATH];
    (void)scratch_path(scratch, name, path);
    for (char *slash = path + strlen(scratch->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        MUST(mkdir(path, 0777) == 0 || errno == EEXIST);
        *slash = '/';
    }
    AUTO(own_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    MUST(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
}
