/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_home.h"

#include "own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <stdio.h>
#include <sys/stat.h>

enum { META_MAX = 256 };
#define META_FIRST "sluice broker "
#define META_VERSION "1"

static RC make_folder(const char *path, const struct spool_sys *sys, struct why *why) {
    if (mkdir(path, 0750) != 0) {
        if (errno == EEXIST) return RC_OK;
        return why_errno(why, errno == ENOSPC || errno == EDQUOT ? RC_LIMIT : RC_DENIED, errno, "broker: making %s",
                         path);
    }
    AUTO(own_free) char *parent_path = NULL;
    if (asprintf(&parent_path, "%s/..", path) < 0) return why_set(why, RC_LIMIT, "broker: making %s", path);
    AUTO(own_close) int parent = open(parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 || sys->fsync_dir(parent) != 0)
        return why_errno(why, RC_BROKEN, errno, "broker: syncing the folder of %s", path);
    return RC_OK;
}

/* ---- the meta file ---- */

static RC parse_meta(const char *path, struct str text, struct id *out, struct why *why) {
    struct str line;
    if (!str_cut(&text, '\n', &line) || !str_starts(line, STR(META_FIRST)))
        return why_set(why, RC_BROKEN, "broker: %s/meta is damaged; put it back from a copy", path);
    if (!str_equal(str_sub(line, strlen(META_FIRST), line.len), STR(META_VERSION)))
        return why_set(why, RC_DENIED,
                       "broker: %s was written by another version of sluice (format %.*s, here " META_VERSION ")", path,
                       STR_ARG(str_sub(line, strlen(META_FIRST), line.len)));
    struct id id;
    if (!str_cut(&text, '\n', &line) || !str_starts(line, STR("queue ")) || text.len > 0 ||
        id_parse(line.at + 6, line.len - 6, &id) != RC_OK)
        return why_set(why, RC_BROKEN, "broker: %s/meta is damaged; put it back from a copy", path);
    *out = id;
    return RC_OK;
}

static RC read_meta(int dir, const char *path, struct id *out, struct why *why) {
    char text[META_MAX];
    AUTO(own_close) int fd = openat(dir, "meta", O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return why_set(why, RC_ABSENT, "broker: there is no %s/meta", path);
    ssize_t n = fd < 0 ? -1 : spool_sys_read(fd, text, sizeof text, 0);
    if (n < 0) return why_errno(why, errno == EACCES ? RC_DENIED : RC_BROKEN, errno, "broker: reading %s/meta", path);
    return parse_meta(path, (struct str){text, (size_t)n}, out, why);
}

static RC write_meta(int dir, const char *path, struct id queue, const struct spool_sys *sys, struct why *why) {
    char id[ID_TEXT], text[META_MAX];
    int len = snprintf(text, sizeof text, META_FIRST META_VERSION "\nqueue %s\n", id_format(queue, id));
    AUTO(own_close) int fd = sys->create(dir, "meta.new");
    struct iovec part = {text, (size_t)len};
    if (fd < 0 || spool_sys_write(sys, fd, &part, 1, 0) != 0 || sys->fdatasync(fd) != 0 ||
        sys->rename(dir, "meta.new", "meta") != 0 || sys->fsync_dir(dir) != 0)
        return why_errno(why, errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? RC_LIMIT : RC_DENIED, errno,
                         "broker: writing %s/meta", path);
    return RC_OK;
}

static void own_closedir(DIR **dir) {
    if (*dir) (void)closedir(*dir);
}

/* Calls `judge` with each name in the folder until it answers false; *out_all tells whether it never did. */
static RC each_name(int at, const char *path, bool (*judge)(const char *name, const void *context), const void *context,
                    bool *out_all, struct why *why) {
    AUTO(own_closedir) DIR *dir = NULL;
    AUTO(own_close) int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) dir = fdopendir(fd);
    if (!dir) return why_errno(why, RC_DENIED, errno, "broker: listing %s", path);
    fd = -1;
    bool all = true;
    const struct dirent *entry;
    for (errno = 0; all && (entry = readdir(dir)) != NULL; errno = 0) all = judge(entry->d_name, context);
    if (all && errno != 0) return why_errno(why, RC_BROKEN, errno, "broker: listing %s", path);
    *out_all = all;
    return RC_OK;
}

static bool no_generation(const char *name, const void *context) {
    (void)context;
    uint64_t number;
    return name[0] != 'g' || str_parse_u64(str_of(name + 1), &number) != RC_OK;
}

/* The folder is this queue's, or is made so when it is new. */
static RC settle_meta(const struct spool_home *home, const char *path, struct id queue, const struct spool_sys *sys,
                      struct why *why) {
    struct id found;
    enum rc rc = read_meta(home->dir, path, &found, why);
    if (rc == RC_ABSENT) {
        bool fresh = false;
        TRY(each_name(home->dir, path, no_generation, NULL, &fresh, why));
        if (!fresh)
            return why_set(why, RC_BROKEN,
                           "broker: %s holds blocks, but its file `meta` is missing; put it back from "
                           "a copy",
                           path);
        return write_meta(home->dir, path, queue, sys, why);
    }
    if (rc != RC_OK) return rc;
    char theirs[ID_TEXT], ours[ID_TEXT];
    if (!id_equal(found, queue))
        return why_set(why, RC_DENIED, "broker: %s belongs to queue %s, this is queue %s", path,
                       id_format(found, theirs), id_format(queue, ours));
    return RC_OK;
}

enum rc spool_home_open(const char *path, struct id queue, bool lock, const struct spool_sys *sys,
                        struct spool_home *out, struct why *why) {
    TRY(make_folder(path, sys, why));
    AUTO(spool_home_close) struct spool_home home = {.dir = -1, .lock = -1};
    home.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (home.dir >= 0) home.lock = openat(home.dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (home.lock < 0) return why_errno(why, RC_DENIED, errno, "broker: opening %s/lock", path);
    if (lock && flock(home.lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return why_set(why, RC_DENIED, "broker: %s is in use by another process; stop that one first", path);
        return why_errno(why, RC_DENIED, errno, "broker: locking %s/lock", path);
    }
    TRY(settle_meta(&home, path, queue, sys, why));
    *out = home;
    home = (struct spool_home){-1, -1};
    return RC_OK;
}

void spool_home_close(struct spool_home *home) {
    own_close(&home->lock);
    own_close(&home->dir);
    *home = (struct spool_home){-1, -1};
}

enum rc spool_home_queue(const char *path, struct id *out, struct why *why) {
    AUTO(own_close) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT) return why_set(why, RC_ABSENT, "broker: there is no %s", path);
    if (dir < 0) return why_errno(why, RC_DENIED, errno, "broker: opening %s", path);
    return read_meta(dir, path, out, why);
}

static bool partition_below(const char *name, const void *context) {
    uint64_t number;
    if (name[0] != 'p' || str_parse_u64(str_of(name + 1), &number) != RC_OK) return true;
    return number < *(const uint32_t *)context;
}

enum rc spool_home_generation(const char *path, uint32_t partitions, const struct spool_sys *sys, struct why *why) {
    TRY(make_folder(path, sys, why));
    AUTO(own_close) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return why_errno(why, RC_DENIED, errno, "broker: opening %s", path);
    bool all = false;
    TRY(each_name(dir, path, partition_below, &partitions, &all, why));
    if (!all)
        return why_set(why, RC_DENIED,
                       "broker: %s has more partitions than the %u of the configuration; blocks in them would be left "
                       "behind. Set the number back, or raise the generation",
                       path, partitions);
    return RC_OK;
}
