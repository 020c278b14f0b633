/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a power cut at any moment leaves only whole objects, and takes none whose call had returned: no file gets
 * its name before its bytes are synced, and no call returns before every directory on the way to the name is synced.
 * Shown by following each call to the file system in a model of what is not yet on the disk. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "scratch.h"
#include "store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { DIRTY_MAX = 256 };

/* Inodes (files and directories) that changed since they were synced. */
static struct {
    ino_t inode[DIRTY_MAX];
    size_t len;
    bool named_dirty; /* a file got its name too early */
    int lie;          /* leave out the n-th sync, to see that the model notices; 0: none */
    int syncs;
    bool no_rename2;
    bool at_once; /* a file system whose syncfs is trusted */
    bool open;    /* the store is open: its syncs count */
    bool all;     /* also the calls whose syncs cover each other */
} disk;

static void mark(ino_t inode) {
    for (size_t i = 0; i < disk.len; i++)
        if (disk.inode[i] == inode) return;
    assert_true(disk.len < DIRTY_MAX);
    disk.inode[disk.len++] = inode;
}

static void clear(ino_t inode) {
    for (size_t i = 0; i < disk.len; i++)
        if (disk.inode[i] == inode) disk.inode[i--] = disk.inode[--disk.len];
}

static bool is_dirty(ino_t inode) {
    for (size_t i = 0; i < disk.len; i++)
        if (disk.inode[i] == inode) return true;
    return false;
}

static ino_t inode_of(int directory, const char *path) {
    struct stat now;
    assert_int_equal(fstatat(directory, path, &now, AT_SYMLINK_NOFOLLOW), 0);
    return now.st_ino;
}

static void mark_parent(int directory, const char *path) {
    char parent[4096];
    (void)snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash) *slash = '\0';
    mark(inode_of(directory, slash ? parent : "."));
}

static ssize_t model_write(int fd, const void *bytes, size_t len) {
    struct stat now;
    assert_int_equal(fstat(fd, &now), 0);
    mark(now.st_ino);
    return write(fd, bytes, len > 100 ? len / 2 : len); /* short writes, too */
}

static int model_fsync(int fd) {
    struct stat now;
    assert_int_equal(fstat(fd, &now), 0);
    if (++disk.syncs != disk.lie) clear(now.st_ino);
    return 0; /* the model only: the real sync takes time and shows nothing */
}

static int model_syncfs(int fd) {
    (void)fd;
    if (!disk.open || ++disk.syncs != disk.lie) disk.len = 0;
    return 0;
}

static int model_fstatfs(int fd, struct statfs *out) {
    (void)fd;
    *out = (struct statfs){.f_type = disk.at_once ? TMPFS_MAGIC : NFS_SUPER_MAGIC};
    return 0;
}

static int model_mkdirat(int directory, const char *path, mode_t mode) {
    int made = mkdirat(directory, path, mode);
    if (made == 0 && directory != AT_FDCWD && strcmp(path, STORE_RESERVED) != 0) mark_parent(directory, path);
    return made;
}

static int named(int result, ino_t file, int to_directory, const char *to) {
    if (result != 0) return result;
    if (is_dirty(file)) disk.named_dirty = true;
    mark_parent(to_directory, to);
    return 0;
}

static int model_renameat(int from_directory, const char *from, int to_directory, const char *to) {
    ino_t file = inode_of(from_directory, from);
    return named(renameat(from_directory, from, to_directory, to), file, to_directory, to);
}

static int model_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    if (disk.no_rename2) {
        errno = EINVAL;
        return -1;
    }
    ino_t file = inode_of(from_directory, from);
    return named(renameat2(from_directory, from, to_directory, to, flags), file, to_directory, to);
}

static int model_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    ino_t file = inode_of(from_directory, from);
    return named(linkat(from_directory, from, to_directory, to, flags), file, to_directory, to);
}

static int model_unlinkat(int directory, const char *path, int flags) {
    if (flags == 0 && strlen(path) < 33) mark_parent(directory, path); /* longer: a name in .tmp */
    return unlinkat(directory, path, flags);
}

static struct store_dir_calls model_calls(void) {
    struct store_dir_calls calls = store_dir_libc;
    calls.write = model_write;
    calls.fsync = model_fsync;
    calls.syncfs = model_syncfs;
    calls.fstatfs = model_fstatfs;
    calls.mkdirat = model_mkdirat;
    calls.renameat = model_renameat;
    calls.renameat2 = model_renameat2;
    calls.linkat = model_linkat;
    calls.unlinkat = model_unlinkat;
    return calls;
}

/* Is the key's name on the disk, with all directories above it? */
static bool is_durable(const struct scratch *scratch, const char *key) {
    char path[SCRATCH_PATH];
    (void)scratch_path(scratch, key, path);
    bool durable = true;
    for (size_t len = strlen(path); len >= strlen(scratch->path); len--) {
        if (path[len] != '/' && path[len] != '\0') continue;
        path[len] = '\0';
        if (is_dirty(inode_of(AT_FDCWD, path))) durable = false;
    }
    return durable;
}

static enum rc upload(struct store store, const char *key) {
    AUTO(store_upload_abort) struct store_upload upload = {0};
    char part[5000] = {0};
    TRY(store_upload_begin(store, str_of(key), &upload, NULL));
    TRY(store_upload_part(&upload, (struct str){part, sizeof part}, NULL));
    TRY(store_upload_part(&upload, STR("end"), NULL));
    return store_upload_finish_absent(&upload, NULL);
}

/* Two directories, one of them new, and an object that is there. */
static bool many_are_durable(struct store store, const struct scratch *scratch, bool stale_too) {
    static const char *const keys[] = {"m/n/1", "m/n/2", "m/n/3", "m/n/4",  "m/n/5",
                                       "m/n/6", "a/b/7", "a/b/8", "a/b/c/d"};
    size_t n = COUNT_OF(keys) - !stale_too;
    struct store_item items[COUNT_OF(keys)];
    enum rc rcs[COUNT_OF(keys)];
    for (size_t i = 0; i < n; i++) items[i] = (struct store_item){str_of(keys[i]), STR("x")};
    assert_int_equal(store_put_absent_many(store, items, n, rcs, NULL), RC_OK);
    assert_int_equal(rcs[n - 1], stale_too ? RC_STALE : RC_OK);
    bool durable = true;
    for (size_t i = 0; i < n; i++) durable = is_durable(scratch, keys[i]) && durable;
    return durable;
}

/* Each in a directory of its own, all of them new. */
static bool many_directories_are_durable(struct store store, const struct scratch *scratch) {
    enum { KEYS = 12 };
    char keys[KEYS][16];
    struct store_item items[KEYS];
    enum rc rcs[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "w/%zu/o/x", i);
        items[i] = (struct store_item){str_of(keys[i]), STR("x")};
    }
    assert_int_equal(store_put_absent_many(store, items, KEYS, rcs, NULL), RC_OK);
    bool durable = true;
    for (size_t i = 0; i < KEYS; i++) durable = is_durable(scratch, keys[i]) && durable;
    return durable;
}

/* Runs all kinds of calls; true when each was durable as it returned and nothing was named early. */
static bool all_durable(int lie, bool no_rename2, bool at_once) {
    bool all = disk.all;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store_dir_calls calls = model_calls();
    struct store store;
    char path[SCRATCH_PATH];
    bool durable = true;
    memset(&disk, 0, sizeof disk);
    disk.lie = lie;
    disk.no_rename2 = no_rename2;
    disk.at_once = at_once;
    disk.all = all;
    assert_int_equal(store_dir_open_with(scratch.path, &calls, &store, NULL), RC_OK);
    disk.open = true;
    assert_int_equal(store_put(store, STR("top"), STR("x"), NULL), RC_OK);
    durable = is_durable(&scratch, "top") && durable;
    assert_int_equal(store_put(store, STR("a/b/c/d"), STR("x"), NULL), RC_OK);
    durable = is_durable(&scratch, "a/b/c/d") && durable;
    assert_int_equal(store_put(store, STR("a/b/c/d"), STR("new"), NULL), RC_OK);
    durable = is_durable(&scratch, "a/b/c/d") && durable;
    assert_int_equal(store_put_absent(store, STR("a/b/e/f"), STR("x"), NULL), RC_OK);
    durable = is_durable(&scratch, "a/b/e/f") && durable;
    assert_int_equal(upload(store, "a/g/h"), RC_OK);
    durable = is_durable(&scratch, "a/g/h") && durable;
    assert_int_equal(store_remove(store, STR("a/b/e/f"), NULL), RC_OK);
    assert_int_equal(store_put_absent(store, STR("a/b/e/f"), STR("x"), NULL), RC_OK); /* its directory was removed */
    durable = is_durable(&scratch, "a/b/e/f") && durable;
    /* Who put d there died before it could sync its name; a syncfs would do that, too, and leave nothing to show. */
    if (!at_once) mark(inode_of(AT_FDCWD, scratch_path(&scratch, "a/b/c", path)));
    durable = many_are_durable(store, &scratch, !at_once) && durable;
    /* One by one, a directory is synced for each that is made in it: the next sync covers one that lied. */
    if (at_once || disk.all) durable = many_directories_are_durable(store, &scratch) && durable;
    store_free(store);
    return durable && !disk.named_dirty;
}

static void files_are_synced_before_names_and_names_before_answers(void **state) {
    (void)state;
    disk.all = true;
    assert_true(all_durable(0, false, true));
    assert_true(all_durable(0, false, false));
    disk.all = false;
    assert_true(disk.syncs > 12);
}

static void the_same_holds_where_objects_are_named_by_link(void **state) {
    (void)state;
    assert_true(all_durable(0, true, false));
}

static void each_sync_is_needed(bool at_once) {
    assert_true(all_durable(0, false, at_once));
    int syncs = disk.syncs;
    for (int lie = 1; lie <= syncs; lie++)
        if (all_durable(lie, false, at_once)) fail_msg("nothing was lost without sync %d of %d", lie, syncs);
}

static void every_single_sync_is_needed(void **state) {
    (void)state;
    each_sync_is_needed(false);
    each_sync_is_needed(true);
}

/* Somebody else made the object, or only its directories, and died before the sync. */
static void what_others_left_is_synced_before_it_is_built_on(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store_dir_calls calls = model_calls();
    struct store store;
    assert_int_equal(store_dir_open_with(scratch.path, &calls, &store, NULL), RC_OK);
    scratch_write(&scratch, "s/0", "x", 1);
    scratch_write(&scratch, "d/e/other", "x", 1);
    memset(&disk, 0, sizeof disk);
    static const char *const unsynced[] = {"s", "d", "d/e"};
    char path[SCRATCH_PATH];
    for (size_t i = 0; i < 3; i++) mark(inode_of(AT_FDCWD, scratch_path(&scratch, unsynced[i], path)));
    assert_int_equal(store_put_absent(store, STR("s/0"), STR("y"), NULL), RC_STALE);
    assert_true(is_durable(&scratch, "s/0"));
    assert_int_equal(store_put(store, STR("d/e/f"), STR("y"), NULL), RC_OK);
    assert_true(is_durable(&scratch, "d/e/f"));
    store_free(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_synced_before_names_and_names_before_answers),
        cmocka_unit_test(the_same_holds_where_objects_are_named_by_link),
        cmocka_unit_test(every_single_sync_is_needed),
        cmocka_unit_test(what_others_left_is_synced_before_it_is_built_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
