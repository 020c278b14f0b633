/* SPDX-License-Identifier: Apache-2.0 */
#include "store_dir.h"
#include "store_dir_private.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dir_upload {
    struct store_dir *dir;
    struct temp_file temp;
    size_t key_len;
    char key[STORE_KEY_MAX];
};

static int libc_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}
const struct store_dir_calls store_dir_libc = {
    .openat = libc_openat,
    .write = write,
    .fsync = fsync,
    .syncfs = syncfs,
    .fstatfs = fstatfs,
    .mkdirat = mkdirat,
    .renameat = renameat,
    .renameat2 = renameat2,
    .linkat = linkat,
    .unlinkat = unlinkat,
};

static RC place(struct store_dir *dir, struct str key, struct str bytes, bool replace, struct why *why) {
    struct temp_file temp = {.fd = -1};
    TRY(temp_create(dir, &temp, why));
    enum rc rc = temp_write(dir, &temp, bytes, why);
    if (rc == RC_OK) rc = temp_sync(dir, &temp, why);
    if (rc == RC_OK) rc = temp_publish(dir, &temp, key, replace, why);
    temp_drop(dir, &temp);
    return rc;
}

static enum rc dir_put(void *self, struct str key, struct str bytes, struct why *why) {
    return place(self, key, bytes, true, why);
}

static enum rc dir_put_absent(void *self, struct str key, struct str bytes, struct why *why) {
    struct store_dir *dir = self;
    struct dir_path path;
    dir_path_of(key, &path);
    enum rc rc = dir_is_there(dir, &path) ? dir_sync_parent(dir, &path, why) : RC_ABSENT; /* sync: as in temp_publish */
    if (rc == RC_ABSENT) return place(dir, key, bytes, false, why);
    if (rc != RC_OK) return rc;
    return why_set(why, RC_STALE, "%s/%s is there already", dir->root_name, path.text);
}

static enum rc absent(const struct store_dir *dir, const char *path, struct why *why) {
    return why_set(why, RC_ABSENT, "%s/%s: no such object", dir->root_name, path);
}

/* O_NONBLOCK: a FIFO in the way must not hold us. */
static RC open_object(struct store_dir *dir, struct str key, int *out_fd, uint64_t *out_len, struct why *why) {
    struct dir_path path;
    dir_path_of(key, &path);
    AUTO(own_close) int fd = openat(dir->root, path.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat now;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return absent(dir, path.text, why);
    if (fd < 0 || fstat(fd, &now) != 0) return dir_errno(why, errno, "cannot open", dir, path.text);
    if (S_ISDIR(now.st_mode)) return absent(dir, path.text, why);
    if (!S_ISREG(now.st_mode)) return dir_errno(why, ENXIO, "cannot open", dir, path.text);
    *out_fd = fd;
    *out_len = (uint64_t)now.st_size;
    fd = -1;
    return RC_OK;
}

static RC read_range(const struct store_dir *dir, int fd, struct str key, uint64_t from, size_t len, struct buf *out,
                     struct why *why) {
    while (len > 0) {
        ssize_t n = pread(fd, out->at + out->len, len, (off_t)from);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            struct dir_path path;
            dir_path_of(key, &path);
            return dir_errno(why, errno, "cannot read", dir, path.text);
        }
        if (n == 0) return RC_OK;
        out->len += (size_t)n;
        from += (uint64_t)n;
        len -= (size_t)n;
    }
    return RC_OK;
}

static enum rc dir_get(void *self, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    struct store_dir *dir = self;
    AUTO(own_close) int fd = -1;
    uint64_t bytes = 0;
    TRY(open_object(dir, key, &fd, &bytes, why));
    if (from >= bytes) return RC_OK;
    size_t n = (size_t)MIN(len, bytes - from), before = out->len;
    if (buf_reserve(out, n) != RC_OK)
        return why_set(why, RC_LIMIT, "%.*s: %zu bytes are more than the buffer takes", STR_ARG(key), n);
    enum rc rc = read_range(dir, fd, key, from, n, out, why);
    if (rc != RC_OK) out->len = before;
    return rc;
}

static enum rc dir_size(void *self, struct str key, uint64_t *out_bytes, struct why *why) {
    struct store_dir *dir = self;
    struct dir_path path;
    struct stat now;
    dir_path_of(key, &path);
    if (fstatat(dir->root, path.text, &now, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return absent(dir, path.text, why);
        return dir_errno(why, errno, "cannot look at", dir, path.text);
    }
    if (S_ISDIR(now.st_mode)) return absent(dir, path.text, why);
    if (!S_ISREG(now.st_mode)) return dir_errno(why, ENXIO, "cannot look at", dir, path.text);
    *out_bytes = (uint64_t)now.st_size;
    return RC_OK;
}

static enum rc dir_remove(void *self, struct str key, struct why *why) {
    struct store_dir *dir = self;
    struct dir_path path;
    dir_path_of(key, &path);
    if (dir->calls->unlinkat(dir->root, path.text, 0) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return RC_OK;
        return dir_errno(why, errno, "cannot remove", dir, path.text);
    }
    dir_prune_parents(dir, &path);
    return RC_OK;
}

static enum rc upload_part(void *self, struct str bytes, struct why *why) {
    struct dir_upload *upload = self;
    return stream_add(upload->dir, &upload->temp, bytes, why);
}

static void upload_abort(void *self) {
    struct dir_upload *upload = self;
    temp_drop(upload->dir, &upload->temp);
    free(upload);
}

static enum rc upload_finish(void *self, struct why *why) {
    struct dir_upload *upload = self;
    enum rc rc = stream_end(upload->dir, &upload->temp, why);
    if (rc == RC_OK) rc = temp_sync(upload->dir, &upload->temp, why);
    if (rc == RC_OK)
        rc = temp_publish(upload->dir, &upload->temp, (struct str){upload->key, upload->key_len}, false, why);
    upload_abort(upload);
    return rc;
}

static const struct store_upload_ops upload_ops = {
    .part = upload_part, .finish_absent = upload_finish, .abort = upload_abort};

static enum rc dir_upload_begin(void *self, struct str key, struct store_upload *out, struct why *why) {
    struct temp_file temp = {.fd = -1};
    TRY(temp_create(self, &temp, why));
    struct dir_upload *upload = ALLOC(struct dir_upload);
    upload->dir = self;
    upload->temp = temp;
    upload->key_len = key.len;
    memcpy(upload->key, key.at, key.len);
    *out = (struct store_upload){&upload_ops, upload};
    return RC_OK;
}

static void dir_free(void *self) {
    struct store_dir *dir = self;
    temp_area_close(dir);
    own_close(&dir->root);
    dir_forget_made(dir);
    (void)pthread_mutex_destroy(&dir->lock);
    free(dir->root_name);
    free(dir);
}

static const struct store_ops ops = {
    .put = dir_put,
    .put_absent = dir_put_absent,
    .put_absent_many = dir_put_absent_many,
    .get = dir_get,
    .size = dir_size,
    .list = dir_list,
    .remove = dir_remove,
    .upload = dir_upload_begin,
    .uploads = dir_uploads,
    .upload_remove = dir_upload_remove,
    .free = dir_free,
};

/* Makes the root and what is missing above it. The syncfs that follows makes their names durable: a new directory lies
 * on the file system of the one above it. */
static RC make_root(struct store_dir *dir, struct why *why) {
    char *path = dir->root_name;
    for (size_t i = 1, len = strlen(path); i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        char cut = path[i];
        path[i] = '\0';
        int error = dir->calls->mkdirat(AT_FDCWD, path, 0777) == 0 ? 0 : errno;
        path[i] = cut;
        /* what is there above us may refuse in other words than EEXIST (a read-only file system, no right) */
        if (error && i == len && error != EEXIST) return dir_errno(why, error, "cannot make the directory", dir, "");
    }
    dir->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->root < 0) return dir_errno(why, errno, "cannot open the directory", dir, "");
    if (dir->calls->syncfs(dir->root) != 0) return dir_errno(why, errno, "cannot sync the file system of", dir, "");
    return RC_OK;
}

RC store_dir_open_with(const char *root, const struct store_dir_calls *calls, struct store *out, struct why *why) {
    size_t len = strlen(root);
    while (len > 1 && root[len - 1] == '/') len--;
    if (len == 0) return why_set(why, RC_BAD, "the path of the output directory is empty");
    struct store_dir *dir = ALLOC(struct store_dir);
    *dir = (struct store_dir){.calls = calls, .root_name = alloc_text(root, len), .root = -1, .temp = -1};
    dir->lock_file = -1;
    (void)pthread_mutex_init(&dir->lock, NULL);
    enum rc rc = make_root(dir, why);
    if (rc == RC_OK) rc = temp_area_open(dir, why);
    if (rc == RC_OK) dir->syncs_at_once = dir_syncs_at_once(dir);
    if (rc != RC_OK) {
        dir_free(dir);
        return rc;
    }
    *out = (struct store){&ops, dir};
    return RC_OK;
}

RC store_dir_open(const char *root, struct store *out, struct why *why) {
    return store_dir_open_with(root, &store_dir_libc, out, why);
}
