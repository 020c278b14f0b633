/* SPDX-License-Identifier: Apache-2.0 */
#include "store_dir_private.h"

#include "alloc.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTORY_MODE = 0777 }; /* less the umask: who may read the output is the administrator's to say */

void dir_path_of(struct str key, struct dir_path *out) {
    memcpy(out->text, key.at, key.len);
    out->text[key.len] = '\0';
    const char *slash = strrchr(out->text, '/');
    out->parent_len = slash ? (size_t)(slash - out->text) : 0;
}

/* FNV-1a, 32 bits */
static size_t slot_of(const char *path) {
    uint32_t hash = 2166136261u;
    for (const char *at = path; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
    return hash % MADE_SLOTS;
}

static bool is_made(struct store_dir *dir, const char *path) {
    LOCKED(&dir->lock);
    const char *known = dir->made[slot_of(path)];
    return known && strcmp(known, path) == 0;
}

static void remember_made(struct store_dir *dir, const char *path) {
    LOCKED(&dir->lock);
    char **slot = &dir->made[slot_of(path)];
    free(*slot);
    *slot = alloc_text(path, strlen(path));
}

static void forget_made(struct store_dir *dir, const char *path) {
    LOCKED(&dir->lock);
    char **slot = &dir->made[slot_of(path)];
    if (!*slot || strcmp(*slot, path) != 0) return;
    free(*slot);
    *slot = NULL;
}

void dir_forget_made(struct store_dir *dir) {
    LOCKED(&dir->lock);
    for (size_t i = 0; i < MADE_SLOTS; i++) {
        free(dir->made[i]);
        dir->made[i] = NULL;
    }
}

/* Some file systems know no fsync of a directory and say EINVAL; what they promise instead is theirs. */
static RC sync_directory(struct store_dir *dir, const char *path, struct why *why) {
    AUTO(own_close) int fd = openat(dir->root, path[0] ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return dir_errno(why, errno, "cannot open", dir, path);
    if (dir->calls->fsync(fd) != 0 && errno != EINVAL) return dir_errno(why, errno, "cannot sync", dir, path);
    return RC_OK;
}

/* Makes `path`, whose parent's text ends at parent_len, and syncs the parent, unless we know that it was done or the
 * caller does it. A directory that is there already is synced too: who made it may have died before it could. */
static RC make_directory(struct store_dir *dir, char *path, size_t parent_len, bool sync, struct why *why) {
    if (is_made(dir, path)) return RC_OK;
    if (dir->calls->mkdirat(dir->root, path, DIRECTORY_MODE) != 0 && errno != EEXIST)
        return dir_errno(why, errno, "cannot make the directory", dir, path);
    if (!sync) return RC_OK;
    char cut = path[parent_len];
    path[parent_len] = '\0';
    enum rc rc = sync_directory(dir, path, why);
    path[parent_len] = cut;
    if (rc == RC_OK) remember_made(dir, path);
    return rc;
}

RC dir_make_parents(struct store_dir *dir, const struct dir_path *path, bool sync, struct why *why) {
    char text[DIR_PATH_ROOM];
    memcpy(text, path->text, path->parent_len + 1);
    size_t above = 0; /* where the text of the directory above ends */
    for (size_t i = 1; path->parent_len && i <= path->parent_len; i++) {
        if (i < path->parent_len && text[i] != '/') continue;
        text[i] = '\0';
        TRY(make_directory(dir, text, above, sync, why));
        if (i < path->parent_len) text[i] = '/';
        above = i;
    }
    return RC_OK;
}

RC dir_sync_parent(struct store_dir *dir, const struct dir_path *path, struct why *why) {
    char text[DIR_PATH_ROOM];
    memcpy(text, path->text, path->parent_len);
    text[path->parent_len] = '\0';
    return sync_directory(dir, text, why);
}

bool dir_is_there(const struct store_dir *dir, const struct dir_path *path) {
    struct stat now;
    return fstatat(dir->root, path->text, &now, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(now.st_mode);
}

void dir_prune_parents(struct store_dir *dir, const struct dir_path *path) {
    char text[DIR_PATH_ROOM];
    memcpy(text, path->text, path->parent_len);
    for (size_t len = path->parent_len; len > 0;) {
        text[len] = '\0';
        if (dir->calls->unlinkat(dir->root, text, AT_REMOVEDIR) != 0) break;
        forget_made(dir, text);
        while (len > 0 && text[len - 1] != '/') len--;
        if (len > 0) len--;
    }
}
