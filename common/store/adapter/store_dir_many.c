/* SPDX-License-Identifier: Apache-2.0 */
/* Many small objects at once. One object alone waits for the disk twice, for its bytes and for its name; here a group
 * waits for all bytes together, then gets its names, then waits for each directory once (or, where they are many, for
 * the file system). It is as safe as one by one:
 * no file gets its name before its bytes are on the disk, and no call returns before the names are.
 *
 * The bytes: one syncfs, where that can be trusted (dir_syncs_at_once). It costs one flush of the disk's cache instead
 * of one a file, which on a busy disk is 0.1 ms for the group against 1 ms for each; what it writes besides, others
 * would have had to write anyway. Its answer is about the whole file system, and each descriptor tells a failure only
 * once: so a group has a descriptor of its own, opened before its first write, and a failure fails the whole group.
 * Elsewhere, and for a few files: an fsync each, behind a start of all of them. */
#include "store_dir_private.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

enum {
    GROUP_MAX = 1024,
    OPEN_MAX = 256,  /* files open at a time where each is synced by itself: well below the usual limit of 1,024 */
    AT_ONCE_MIN = 8, /* fewer are synced one by one: a syncfs may find much that others wrote */
    XFS_MAGIC = 0x58465342, /* not in linux/magic.h */
};

struct group {
    struct store_dir *dir;
    const struct store_item *items;
    enum rc *rcs;
    size_t len;
    bool at_once; /* one syncfs: the files need not stay open */
    struct temp_file temps[GROUP_MAX];
    struct why *why;
    bool told;         /* `why` has the first failure */
    int fs;            /* to sync the file system by, or -1 */
    bool dirs_at_once; /* the names, too, by one syncfs: they lie in many directories */
};

static struct str parent_of(struct str key) {
    size_t len = key.len;
    while (len > 0 && key.at[len - 1] != '/') len--;
    return str_sub(key, 0, len);
}

/* Objects of many outputs lie in a directory each. */
static bool many_directories(const struct group *g) {
    size_t n = 0;
    for (size_t i = 1; i < g->len && n < AT_ONCE_MIN; i++)
        n += !str_equal(parent_of(g->items[i].key), parent_of(g->items[i - 1].key));
    return n >= AT_ONCE_MIN;
}

static void outcome(struct group *g, size_t i, enum rc rc, const struct why *why) {
    g->rcs[i] = rc;
    if (rc == RC_OK || rc == RC_STALE || g->told) return;
    g->told = true;
    if (g->why) *g->why = *why;
}

static bool has_file(const struct group *g, size_t i) { return g->temps[i].name[0] != '\0'; }

static RC write_one(struct group *g, size_t i, struct why *why) {
    struct dir_path path;
    dir_path_of(g->items[i].key, &path);
    if (dir_is_there(g->dir, &path)) return RC_STALE;
    TRY(temp_create(g->dir, &g->temps[i], why));
    enum rc rc = temp_write(g->dir, &g->temps[i], g->items[i].bytes, why);
    if (rc != RC_OK) temp_drop(g->dir, &g->temps[i]);
    if (g->at_once) own_close(&g->temps[i].fd);
    if (g->at_once) g->temps[i].fd = -1;
    return rc;
}

/* File systems of this machine's kernel, whose syncfs waits for the disk and, since Linux 5.8, tells of what could not
 * be written. Behind FUSE and networks it may promise less than fsync. */
bool dir_syncs_at_once(const struct store_dir *dir) {
    struct statfs now;
    struct utsname kernel;
    unsigned major = 0, minor = 0;
    if (dir->calls->fstatfs(dir->root, &now) != 0 || uname(&kernel) != 0) return false;
    if (sscanf(kernel.release, "%u.%u", &major, &minor) != 2 || major < 5 || (major == 5 && minor < 8)) return false;
    unsigned long type = (unsigned long)now.f_type;
    return type == EXT4_SUPER_MAGIC || type == XFS_MAGIC || type == BTRFS_SUPER_MAGIC || type == F2FS_SUPER_MAGIC ||
           type == TMPFS_MAGIC;
}

static void write_all(struct group *g) {
    for (size_t i = 0; i < g->len; i++) {
        g->temps[i] = (struct temp_file){.fd = -1};
        struct why why = {0};
        if (g->rcs[i] == RC_OK) outcome(g, i, write_one(g, i, &why), &why);
    }
}

/* `fd`: of the file system, opened before the first write. */
static RC sync_file_system(struct store_dir *dir, int fd, struct why *why) {
    if (dir->calls->syncfs(fd) == 0) return RC_OK;
    return dir_errno(why, errno, "cannot sync the file system of", dir, STORE_RESERVED);
}

static void sync_at_once(struct group *g, int fd) {
    struct why why = {0};
    enum rc rc = sync_file_system(g->dir, fd, &why);
    for (size_t i = 0; rc != RC_OK && i < g->len; i++) {
        if (!has_file(g, i)) continue;
        outcome(g, i, rc, &why);
        temp_drop(g->dir, &g->temps[i]);
    }
}

static void sync_each(struct group *g) {
    for (size_t i = 0; i < g->len; i++)
        if (has_file(g, i)) temp_start(&g->temps[i]);
    for (size_t i = 0; i < g->len; i++) {
        if (!has_file(g, i)) continue;
        struct why why = {0};
        enum rc rc = temp_sync(g->dir, &g->temps[i], &why);
        if (rc == RC_OK) continue;
        outcome(g, i, rc, &why);
        temp_drop(g->dir, &g->temps[i]);
    }
}

static void name_all(struct group *g) {
    for (size_t i = 0; i < g->len; i++) {
        if (!has_file(g, i)) continue;
        struct why why = {0};
        g->temps[i].parents_later = g->dirs_at_once;
        outcome(g, i, temp_name(g->dir, &g->temps[i], g->items[i].key, false, &why), &why);
        temp_drop(g->dir, &g->temps[i]);
    }
}

static bool is_named(const struct group *g, size_t i) { return g->rcs[i] == RC_OK || g->rcs[i] == RC_STALE; }

/* Syncs the directory of item `first` for all items from there on that lie in it. */
static void sync_directory_of(struct group *g, size_t first, bool *done) {
    struct dir_path path;
    struct why why = {0};
    dir_path_of(g->items[first].key, &path);
    enum rc rc = dir_sync_parent(g->dir, &path, &why);
    bool fine = rc == RC_OK || rc == RC_ABSENT; /* absent: the objects were removed since */
    for (size_t i = first; i < g->len; i++) {
        if (done[i] || !is_named(g, i) || !str_equal(parent_of(g->items[i].key), parent_of(g->items[first].key)))
            continue;
        done[i] = true;
        if (!fine) outcome(g, i, rc, &why);
    }
}

static void sync_directories(struct group *g) {
    bool done[GROUP_MAX] = {0};
    for (size_t i = 0; i < g->len; i++)
        if (!done[i] && is_named(g, i)) sync_directory_of(g, i, done);
}

static void sync_names_at_once(struct group *g) {
    struct why why = {0};
    enum rc rc = sync_file_system(g->dir, g->fs, &why);
    for (size_t i = 0; rc != RC_OK && i < g->len; i++)
        if (is_named(g, i)) outcome(g, i, rc, &why);
}

static void put_group(struct group *g) {
    AUTO(own_close) int fd = -1;
    if (g->at_once) fd = openat(g->dir->root, STORE_RESERVED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g->fs = fd;
    g->dirs_at_once = g->at_once && many_directories(g);
    write_all(g);
    if (g->at_once)
        sync_at_once(g, fd); /* a descriptor that could not be opened fails there */
    else
        sync_each(g);
    name_all(g);
    if (g->dirs_at_once)
        sync_names_at_once(g);
    else
        sync_directories(g);
}

void dir_put_absent_many(void *self, const struct store_item *items, size_t n, enum rc *out_rcs, struct why *why) {
    struct group *g = ALLOC(struct group);
    *g = (struct group){.dir = self, .why = why};
    for (size_t at = 0; at < n; at += g->len) {
        g->items = items + at;
        g->rcs = out_rcs + at;
        g->at_once = g->dir->syncs_at_once && n - at >= AT_ONCE_MIN;
        g->len = MIN(n - at, (size_t)(g->at_once ? GROUP_MAX : OPEN_MAX));
        put_group(g);
    }
    free(g);
}
