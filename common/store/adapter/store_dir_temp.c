/* SPDX-License-Identifier: Apache-2.0 */
/* Files on their way: ROOT/.tmp/<id>.<n>, and ROOT/.tmp/<id>.lock, which the handle of that id keeps locked (flock) as
 * long as it lives. A file whose handle's lock can be had, or has no lock file, is nobody's any more. */
#include "store_dir_private.h"

#include "own.h"
#include "str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

enum {
    LOCK_TRIES = 16,               /* each loses only to a cleaner in the moment between two calls */
    PUBLISH_TRIES = 16,            /* each loses only to a removal of the directory's last object in such a moment */
    FLUSH_BYTES = 8 * 1024 * 1024, /* started on their way to the disk at once, so that the sync at the end is short */
};
#define LOCK_END "lock"

static void lock_name(struct id id, char out[TEMP_NAME_ROOM]) {
    char text[ID_TEXT];
    (void)snprintf(out, TEMP_NAME_ROOM, "%s." LOCK_END, id_format(id, text));
}

static void temp_path(const char *name, char out[TEMP_NAME_ROOM + 8]) {
    (void)snprintf(out, TEMP_NAME_ROOM + 8, STORE_RESERVED "/%s", name);
}

/* Only names of our own making: "<32 digits>.<number or lock>". */
static bool parse_name(const char *name, struct id *out_id, bool *out_lock) {
    struct str all = str_of(name);
    uint64_t number = 0;
    if (all.len <= ID_TEXT || all.at[ID_TEXT - 1] != '.' || id_parse(all.at, ID_TEXT - 1, out_id) != RC_OK)
        return false;
    struct str end = str_sub(all, ID_TEXT, all.len);
    *out_lock = str_equal(end, STR(LOCK_END));
    return *out_lock || str_parse_u64(end, &number) == RC_OK;
}

bool temp_is_file(const char *name) {
    struct id id;
    bool lock = false;
    return parse_name(name, &id, &lock) && !lock;
}

/* Takes the lock of the handle `id`, which proves that it is dead; *out_fd is -1 when there is no such file. */
static bool is_dead(struct store_dir *dir, struct id id, int *out_fd) {
    char name[TEMP_NAME_ROOM];
    lock_name(id, name);
    *out_fd = openat(dir->temp, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (*out_fd < 0) return errno == ENOENT;
    return flock(*out_fd, LOCK_EX | LOCK_NB) == 0;
}

static void clean_one(struct store_dir *dir, const char *name, bool locks) {
    struct id id;
    bool lock = false;
    if (!parse_name(name, &id, &lock) || lock != locks || id_equal(id, dir->id)) return;
    AUTO(own_close) int held = -1;
    if (is_dead(dir, id, &held)) (void)dir->calls->unlinkat(dir->temp, name, 0);
}

/* Files first, then the locks: a lock that is gone says that its files may go. */
static void clean(struct store_dir *dir) {
    for (int locks = 0; locks < 2; locks++) {
        int fd = openat(dir->temp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *listing = fd < 0 ? NULL : fdopendir(fd);
        if (!listing) {
            own_close(&fd);
            return; /* what is left there only takes room; the next start tries again */
        }
        for (const struct dirent *entry; (entry = readdir(listing));) clean_one(dir, entry->d_name, locks == 1);
        (void)closedir(listing);
    }
}

/* RC_BUSY: a cleaner was faster. */
static RC make_lock(struct store_dir *dir, struct rng *rng, struct why *why) {
    char name[TEMP_NAME_ROOM], path[TEMP_NAME_ROOM + 8];
    dir->id = id_make(rng);
    lock_name(dir->id, name);
    temp_path(name, path);
    AUTO(own_close) int fd = dir->calls->openat(dir->temp, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return dir_errno(why, errno, "cannot write: creating", dir, path);
    struct stat now;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return RC_BUSY;
        return dir_errno(why, errno, "cannot lock", dir, path);
    }
    if (fstat(fd, &now) != 0 || now.st_nlink == 0) return RC_BUSY;
    dir->lock_file = fd;
    fd = -1;
    return RC_OK;
}

RC temp_area_open(struct store_dir *dir, struct why *why) {
    if (dir->calls->mkdirat(dir->root, STORE_RESERVED, 0777) != 0 && errno != EEXIST)
        return dir_errno(why, errno, "cannot write: making the directory", dir, STORE_RESERVED);
    dir->temp = openat(dir->root, STORE_RESERVED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir->temp < 0) return dir_errno(why, errno, "cannot open", dir, STORE_RESERVED);
    struct rng rng = rng_from_kernel();
    enum rc rc = RC_BUSY;
    for (int i = 0; i < LOCK_TRIES && rc == RC_BUSY; i++) rc = make_lock(dir, &rng, why);
    if (rc == RC_OK) clean(dir);
    return rc;
}

void temp_area_close(struct store_dir *dir) {
    if (dir->lock_file >= 0) {
        char name[TEMP_NAME_ROOM];
        lock_name(dir->id, name);
        (void)dir->calls->unlinkat(dir->temp, name, 0);
    }
    own_close(&dir->lock_file);
    own_close(&dir->temp);
}

static uint64_t next_number(struct store_dir *dir) {
    LOCKED(&dir->lock);
    return dir->next_temp++;
}

RC temp_create(struct store_dir *dir, struct temp_file *out, struct why *why) {
    struct temp_file temp = {.fd = -1};
    char text[ID_TEXT], path[TEMP_NAME_ROOM + 8];
    (void)snprintf(temp.name, sizeof temp.name, "%s.%" PRIu64, id_format(dir->id, text), next_number(dir));
    temp_path(temp.name, path);
    temp.fd = dir->calls->openat(dir->temp, temp.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (temp.fd < 0) {
        enum rc rc = dir_errno(why, errno, "cannot create", dir, path);
        return rc == RC_ABSENT ? RC_BROKEN : rc; /* somebody removed .tmp */
    }
    *out = temp;
    return RC_OK;
}

enum rc temp_failed(struct store_dir *dir, const struct temp_file *temp, const char *doing, struct why *why) {
    int error = errno;
    char path[TEMP_NAME_ROOM + 8];
    temp_path(temp->name, path);
    return dir_errno(why, error, doing, dir, path);
}

RC temp_write(struct store_dir *dir, struct temp_file *temp, struct str bytes, struct why *why) {
    for (size_t at = 0; at < bytes.len;) {
        ssize_t n = dir->calls->write(temp->fd, bytes.at + at, bytes.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return temp_failed(dir, temp, "cannot write", why);
        at += (size_t)n;
    }
    temp_flush(temp, bytes.len);
    return RC_OK;
}

void temp_flush(struct temp_file *temp, size_t n) {
    temp->len += n;
    if (temp->len - temp->started >= FLUSH_BYTES) temp_start(temp);
}

/* The sync at the end is what counts, and tells what went wrong. */
void temp_start(struct temp_file *temp) {
    (void)sync_file_range(temp->fd, (off_t)temp->started, (off_t)(temp->len - temp->started), SYNC_FILE_RANGE_WRITE);
    temp->started = temp->len;
}

/* Never asked a second time after a failure: the kernel may have dropped the pages and would then say yes. */
RC temp_sync(struct store_dir *dir, struct temp_file *temp, struct why *why) {
    return dir->calls->fsync(temp->fd) == 0 ? RC_OK : temp_failed(dir, temp, "cannot sync", why);
}

void temp_drop(struct store_dir *dir, struct temp_file *temp) {
    if (temp->name[0]) (void)dir->calls->unlinkat(dir->temp, temp->name, 0);
    own_close(&temp->fd);
    free(temp->block);
    *temp = (struct temp_file){.fd = -1};
}

/* For file systems without RENAME_NOREPLACE (NFS, many of FUSE). An NFS server may have made the link although the
 * answer says EEXIST, as it was asked twice: the number of links tells. */
static int name_by_link(struct store_dir *dir, struct temp_file *temp, const char *path) {
    if (dir->calls->linkat(dir->temp, temp->name, dir->root, path, 0) != 0) {
        int error = errno;
        struct stat now;
        if (error != EEXIST || fstat(temp->fd, &now) != 0 || now.st_nlink != 2) {
            errno = error;
            return -1;
        }
    }
    (void)dir->calls->unlinkat(dir->temp, temp->name, 0); /* if not, a start later does it */
    return 0;
}

static int name_it(struct store_dir *dir, struct temp_file *temp, const char *path, bool replace) {
    if (replace) return dir->calls->renameat(dir->temp, temp->name, dir->root, path);
    if (dir->calls->renameat2(dir->temp, temp->name, dir->root, path, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    return name_by_link(dir, temp, path);
}

/* An empty directory under the object's name is what a removal that was cut short left. True: it is gone. */
static bool clear_way(struct store_dir *dir, const char *path) {
    if (dir->calls->unlinkat(dir->root, path, AT_REMOVEDIR) != 0) return false;
    dir_forget_made(dir);
    return true;
}

static bool is_directory(struct store_dir *dir, const char *path) {
    struct stat now;
    return fstatat(dir->root, path, &now, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(now.st_mode);
}

/* RC_ABSENT: the directory went away, try again. */
static RC publish_once(struct store_dir *dir, struct temp_file *temp, const struct dir_path *path, bool replace,
                       struct why *why) {
    TRY(dir_make_parents(dir, path, !temp->parents_later, why));
    if (name_it(dir, temp, path->text, replace) == 0) return RC_OK;
    int error = errno;
    bool taken = error == EEXIST || error == EISDIR || error == ENOTEMPTY;
    if (taken && is_directory(dir, path->text)) {
        if (clear_way(dir, path->text)) return RC_ABSENT;
        error = EISDIR;
    }
    if (error == EEXIST && !replace)
        return why_set(why, RC_STALE, "%s/%s is there already", dir->root_name, path->text);
    return dir_errno(why, error, "cannot name", dir, path->text);
}

RC temp_name(struct store_dir *dir, struct temp_file *temp, struct str key, bool replace, struct why *why) {
    struct dir_path path;
    dir_path_of(key, &path);
    enum rc rc = RC_ABSENT;
    for (int i = 0; i < PUBLISH_TRIES && rc == RC_ABSENT; i++) {
        rc = publish_once(dir, temp, &path, replace, why);
        if (rc == RC_ABSENT) dir_forget_made(dir);
    }
    if (rc == RC_ABSENT)
        return why_wrap(why, RC_BUSY, "the directories of %s are removed while they are made", path.text);
    if (rc == RC_OK) temp->name[0] = '\0';
    return rc;
}

RC temp_publish(struct store_dir *dir, struct temp_file *temp, struct str key, bool replace, struct why *why) {
    enum rc rc = temp_name(dir, temp, key, replace, why);
    if (rc != RC_OK && rc != RC_STALE) return rc;
    struct dir_path path;
    dir_path_of(key, &path);
    /* For RC_STALE too: whoever named it may have died before it could. Absent: the object was removed since. */
    enum rc synced = dir_sync_parent(dir, &path, why);
    return synced == RC_OK || synced == RC_ABSENT ? rc : synced;
}
