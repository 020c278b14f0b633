/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include "must.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
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

/* fts walks by chdir, which some tests need: they make paths that are too long for any call. */
void scratch_done(struct scratch *scratch) {
    if (!scratch->path[0]) return;
    char *roots[] = {scratch->path, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL, NULL);
    for (const FTSENT *entry; tree && (entry = fts_read(tree));)
        if (entry->fts_info != FTS_D) (void)remove(entry->fts_accpath);
    if (tree) (void)fts_close(tree);
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
