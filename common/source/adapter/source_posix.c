/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and reading. Files held open are in a table by incarnation, so that one that was renamed or deleted is found
 * as long as anybody here holds it; an inode cannot be given to another file meanwhile. */
#include "source_posix.h"
#include "source_posix_private.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 0
#define uthash_fatal(message) abort()
#include <uthash.h>

struct incarnation {
    uint64_t inode;
    int64_t birth_ns;
    uint64_t volume;
};

struct source_file {
    struct incarnation key;
    int fd;
    unsigned holders;
    UT_hash_handle hh;
};

struct posix {
    pthread_mutex_t lock;
    struct source_file *held;
    struct posix_watch *watch;
};

static enum rc posix_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                          void *context, struct why *why) {
    (void)self;
    const struct posix_visitor visitor = {.file = visit, .problem = problem, .context = context};
    return posix_walk(pattern, &visitor, why);
}

static struct source_file *find_held(struct posix *posix, const struct source_stat *stat) {
    struct incarnation key = {stat->inode, stat->birth_ns, stat->volume};
    struct source_file *file = NULL;
    /* clang does not see that every byte of the key is set. */
    HASH_FIND(hh, posix->held, &key, sizeof key, file); // NOLINT(clang-analyzer-core.UndefinedBinaryOperatorResult)
    return file;
}

static struct source_file *hold_again(struct posix *posix, const struct source_stat *stat) {
    LOCKED(&posix->lock);
    struct source_file *file = find_held(posix, stat);
    if (file) file->holders++;
    return file;
}

/* Takes fd over; where another thread was faster, its descriptor stays. */
static struct source_file *hold(struct posix *posix, const struct source_stat *stat, int *fd) {
    LOCKED(&posix->lock);
    struct source_file *file = find_held(posix, stat);
    if (!file) {
        file = ALLOC(struct source_file);
        file->key = (struct incarnation){stat->inode, stat->birth_ns, stat->volume};
        file->fd = *fd;
        *fd = -1;
        HASH_ADD(hh, posix->held, key, sizeof file->key, file);
    }
    file->holders++;
    return file;
}

/* O_NONBLOCK: a FIFO must not hold us. O_NOATIME spares a write for each read, but only the owner may ask for it. */
static int open_quietly(const char *path) {
    enum { FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
    int fd = open(path, FLAGS | O_NOATIME);
    return fd < 0 && errno == EPERM ? open(path, FLAGS) : fd;
}

/* A device may act on being opened, so nothing but a regular file is; between stat and open it may be replaced, which
 * is seen behind. */
static RC open_path(const char *path, int *out_fd, struct source_stat *out_stat, struct why *why) {
    struct stat now;
    if (stat(path, &now) != 0) return posix_errno(why, errno, "cannot open", path);
    if (!S_ISREG(now.st_mode)) return why_set(why, RC_DENIED, "%s is no regular file", path);
    AUTO(own_close) int fd = open_quietly(path);
    if (fd < 0) return posix_errno(why, errno, "cannot open", path);
    TRY(posix_fstat(fd, path, out_stat, why));
    *out_fd = fd;
    fd = -1;
    return RC_OK;
}

static enum rc posix_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                          struct why *why) {
    struct posix *posix = self;
    char path[SOURCE_PATH_MAX + 1];
    struct source_stat now = {0};
    AUTO(own_close) int fd = -1;
    TRY(posix_path(uri, path, why));
    struct source_file *held = expected ? hold_again(posix, expected) : NULL;
    if (held) {
        *out = held;
        return RC_OK;
    }
    TRY(open_path(path, &fd, &now, why));
    if (expected && !source_same(expected, &now)) return why_set(why, RC_STALE, "another file lies at %s now", path);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    *out = hold(posix, &now, &fd);
    return RC_OK;
}

/* Messages of an open file name it by what the kernel knows of it. */
static const char *describe(const struct source_file *file, char out[64]) {
    (void)snprintf(out, 64, "the open file of inode %llu", (unsigned long long)file->key.inode);
    return out;
}

static enum rc posix_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    (void)self;
    char text[64];
    struct source_stat now;
    TRY(posix_fstat(file->fd, describe(file, text), &now, why));
    *out = now;
    return RC_OK;
}

static enum rc posix_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                          struct why *why) {
    (void)self;
    size_t done = 0;
    len = from < INT64_MAX ? MIN(len, (size_t)(INT64_MAX - from)) : 0; /* no file goes further */
    while (done < len) {
        ssize_t n = pread(file->fd, (char *)out + done, len - done, (off_t)(from + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            char text[64];
            return posix_errno(why, errno, "cannot read", describe(file, text));
        }
        if (n == 0) break;
        done += (size_t)n;
    }
    *out_len = done;
    return RC_OK;
}

static bool let_go(struct posix *posix, struct source_file *file) {
    LOCKED(&posix->lock);
    MUST(file->holders > 0);
    if (--file->holders > 0) return false;
    HASH_DEL(posix->held, file);
    return true;
}

static void posix_close(void *self, struct source_file *file) {
    if (!let_go(self, file)) return;
    (void)close(file->fd);
    free(file);
}

static enum rc posix_watch_pattern(void *self, const struct source_pattern *pattern, struct why *why) {
    struct posix *posix = self;
    return posix_watch_add(posix->watch, pattern, why);
}

static enum rc posix_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    struct posix *posix = self;
    return posix_watch_wait(posix->watch, wait_ms, out_changed, why);
}

static void posix_wake(void *self) {
    struct posix *posix = self;
    posix_watch_wake(posix->watch);
}

static enum rc posix_mark(void *self, struct str uri, const struct source_stat *expected, struct str key,
                          struct str value, struct why *why) {
    (void)self, (void)expected, (void)key, (void)value;
    return why_set(why, RC_BAD, "%.*s: a file takes no tags", STR_ARG(uri));
}

static void posix_free(void *self) {
    struct posix *posix = self;
    MUST(!posix->held);
    posix_watch_free(posix->watch);
    (void)pthread_mutex_destroy(&posix->lock);
    free(posix);
}

static const struct source_ops ops = {
    .list = posix_list,
    .open = posix_open,
    .stat = posix_stat,
    .read = posix_read,
    .close = posix_close,
    .watch = posix_watch_pattern,
    .wait = posix_wait,
    .wake = posix_wake,
    .remove = posix_remove,
    .move = posix_move,
    .mark = posix_mark,
    .free = posix_free,
};

RC source_posix_open(struct source *out, struct why *why) {
    struct posix_watch *watch = NULL;
    TRY(posix_watch_new(&watch, why));
    struct posix *posix = ALLOC(struct posix);
    *posix = (struct posix){.watch = watch};
    (void)pthread_mutex_init(&posix->lock, NULL);
    *out = (struct source){&ops, posix};
    return RC_OK;
}
