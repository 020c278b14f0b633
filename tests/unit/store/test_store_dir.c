/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the directory adapter tells what is wrong with a directory and what to do, works on file systems without
 * RENAME_NOREPLACE, removes its dead fellows' temporary files and nobody else's, and lists regular files only. */
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>

static struct store open_store(const struct scratch *scratch) {
    struct store store;
    struct why why = {0};
    if (store_dir_open(scratch->path, &store, &why) != RC_OK) fail_msg("%s", why.text);
    return store;
}

static bool exists(const struct scratch *scratch, const char *name) {
    char path[SCRATCH_PATH];
    struct stat now;
    return lstat(scratch_path(scratch, name, path), &now) == 0;
}

/* ---- opening ---- */

static void a_root_that_is_missing_is_made_with_those_above_it(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    char path[SCRATCH_PATH];
    struct store store;
    assert_int_equal(store_dir_open(scratch_path(&scratch, "a/b//c///", path), &store, NULL), RC_OK);
    assert_int_equal(store_put(store, STR("k"), STR("x"), NULL), RC_OK);
    assert_true(exists(&scratch, "a/b/c/k"));
    store_free(store);
}

static void a_file_in_the_way_of_the_root_is_told(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    char path[SCRATCH_PATH];
    struct store store = {0};
    struct why why = {0};
    scratch_write(&scratch, "file", "x", 1);
    assert_int_equal(store_dir_open(scratch_path(&scratch, "file", path), &store, &why), RC_DENIED);
    assert_non_null(strstr(why.text, path));
    assert_non_null(strstr(why.text, "in the way"));
    assert_int_equal(store_dir_open(scratch_path(&scratch, "file/below", path), &store, &why), RC_DENIED);
    assert_int_equal(store_dir_open("", &store, &why), RC_BAD);
    scratch_write(&scratch, "out/.tmp", "x", 1);
    assert_int_equal(store_dir_open(scratch_path(&scratch, "out", path), &store, &why), RC_DENIED);
    assert_non_null(strstr(why.text, "out/.tmp"));
    assert_null(store.ops);
}

/* Runs `check` as a user who is not root (root passes every permission). */
static void as_nobody(bool (*check)(const char *path), const char *path) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        enum { NOBODY = 65534 };
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) _exit(2);
        _exit(check(path) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool is_refused(const char *path) {
    struct store store = {0};
    struct why why = {0};
    return store_dir_open(path, &store, &why) == RC_DENIED && strstr(why.text, path) && strstr(why.text, "right");
}

static void a_root_that_cannot_be_written_is_refused_at_once(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    char path[SCRATCH_PATH];
    assert_int_equal(chmod(scratch.path, 0755), 0);
    assert_int_equal(mkdir(scratch_path(&scratch, "mine", path), 0555), 0);
    as_nobody(is_refused, path);
    as_nobody(is_refused, scratch_path(&scratch, "mine/below", path));
}

/* ---- no space ---- */

static int error_of_write;
static ssize_t failing_write(int fd, const void *bytes, size_t len) {
    if (len < 5) return write(fd, bytes, len);
    errno = error_of_write;
    return -1;
}

static void a_full_disk_is_a_limit_with_path_and_advice(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store_dir_calls calls = store_dir_libc;
    calls.write = failing_write;
    struct store store;
    assert_int_equal(store_dir_open_with(scratch.path, &calls, &store, NULL), RC_OK);
    static const int errors[] = {ENOSPC, EDQUOT, EFBIG};
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        struct why why = {0};
        error_of_write = errors[i];
        assert_int_equal(store_put(store, STR("a/b"), STR("too long"), &why), RC_LIMIT);
        assert_non_null(strstr(why.text, scratch.path));
        assert_non_null(strstr(why.text, "; "));
        assert_int_equal(store_put(store, STR("a/b"), STR("fits"), &why), RC_OK);
    }
    store_free(store);
}

/* The real thing: a limit on the size of a file. */
static bool is_limited(const char *path) {
    struct store store;
    struct why why = {0};
    char bytes[5000] = {0};
    struct rlimit limit = {4096, 4096};
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || store_dir_open(path, &store, &why) != RC_OK) return false;
    bool limited = store_put(store, STR("k"), (struct str){bytes, sizeof bytes}, &why) == RC_LIMIT;
    bool fits = store_put(store, STR("k"), (struct str){bytes, 4096}, &why) == RC_OK;
    store_free(store);
    return limited && fits;
}

static void an_object_over_the_limit_of_files_leaves_nothing(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    char path[SCRATCH_PATH];
    assert_int_equal(chmod(scratch.path, 0777), 0);
    as_nobody(is_limited, scratch_path(&scratch, "out", path));
    struct stat now;
    assert_int_equal(stat(scratch_path(&scratch, "out/k", path), &now), 0);
    assert_int_equal(now.st_size, 4096);
}

/* ---- file systems that cannot rename without replacing ---- */

static int no_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    (void)from_directory, (void)from, (void)to_directory, (void)to, (void)flags;
    errno = EINVAL;
    return -1;
}
static int twice_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    (void)linkat(from_directory, from, to_directory, to, flags);
    return linkat(from_directory, from, to_directory, to, flags);
}
static int no_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    (void)from_directory, (void)from, (void)to_directory, (void)to, (void)flags;
    errno = EPERM;
    return -1;
}

static void link_serves_where_renameat2_does_not(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store_dir_calls calls = store_dir_libc;
    calls.renameat2 = no_renameat2;
    struct store store;
    assert_int_equal(store_dir_open_with(scratch.path, &calls, &store, NULL), RC_OK);
    assert_int_equal(store_put_absent(store, STR("a/b"), STR("x"), NULL), RC_OK);
    assert_int_equal(store_put_absent(store, STR("a/b"), STR("y"), NULL), RC_STALE);
    calls.linkat = twice_linkat; /* a link whose answer was lost, and that was asked for again */
    assert_int_equal(store_put_absent(store, STR("a/c"), STR("x"), NULL), RC_OK);
    struct store_upload late = {0};
    assert_int_equal(store_upload_begin(store, STR("a/b"), &late, NULL), RC_OK);
    assert_int_equal(store_upload_finish_absent(&late, NULL), RC_STALE);
    calls.linkat = no_linkat;
    struct why why = {0};
    assert_int_equal(store_put_absent(store, STR("a/d"), STR("x"), &why), RC_DENIED);
    store_free(store);
}

/* ---- .tmp ---- */

#define DEAD "0123456789abcdef0123456789abcdef"

static void what_dead_handles_left_is_removed_and_nothing_else(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    static const char *const dead[] = {".tmp/" DEAD ".lock", ".tmp/" DEAD ".0", ".tmp/" DEAD ".18",
                                       ".tmp/1123456789abcdef0123456789abcdef.3"};
    static const char *const foreign[] = {".tmp/notes",        ".tmp/" DEAD,       ".tmp/" DEAD ".lock2",
                                          ".tmp/" DEAD "0",    ".tmp/" DEAD ".-1", ".tmp/x" DEAD ".1",
                                          ".tmp/a/" DEAD ".1", DEAD ".1"};
    for (size_t i = 0; i < COUNT_OF(dead); i++) scratch_write(&scratch, dead[i], "x", 1);
    for (size_t i = 0; i < COUNT_OF(foreign); i++) scratch_write(&scratch, foreign[i], "x", 1);
    store_free(open_store(&scratch));
    for (size_t i = 0; i < COUNT_OF(dead); i++) assert_false(exists(&scratch, dead[i]));
    for (size_t i = 0; i < COUNT_OF(foreign); i++) assert_true(exists(&scratch, foreign[i]));
}

static void a_living_handles_uploads_survive_the_opening_of_another(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store first = open_store(&scratch);
    struct store_upload upload = {0};
    assert_int_equal(store_upload_begin(first, STR("k"), &upload, NULL), RC_OK);
    assert_int_equal(store_upload_part(&upload, STR("x"), NULL), RC_OK);
    store_free(open_store(&scratch));
    assert_int_equal(store_upload_finish_absent(&upload, NULL), RC_OK);
    store_free(first);
    assert_true(exists(&scratch, "k"));
}

/* ---- what is no object ---- */

static enum rc count(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    assert_true(str_equal(key, STR("d/file")));
    ++*(int *)context;
    return RC_OK;
}

static void only_regular_files_are_objects(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store store = open_store(&scratch);
    AUTO(buf_done) struct buf got = BUF_INIT(10);
    char path[SCRATCH_PATH], other[SCRATCH_PATH];
    int n = 0;
    uint64_t size = 0;
    scratch_write(&scratch, "d/file", "x", 1);
    assert_int_equal(mkfifo(scratch_path(&scratch, "d/fifo", path), 0600), 0);
    assert_int_equal(symlink("file", scratch_path(&scratch, "d/link", path)), 0);
    assert_int_equal(symlink(scratch_path(&scratch, "d", other), scratch_path(&scratch, "loop", path)), 0);
    assert_int_equal(store_list(store, STR(""), STR(""), count, &n, NULL), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(store_get(store, STR("d/fifo"), 0, 1, &got, NULL), RC_DENIED);
    assert_int_equal(store_get(store, STR("d/link"), 0, 1, &got, NULL), RC_DENIED);
    assert_int_equal(store_size(store, STR("d/fifo"), &size, NULL), RC_DENIED);
    assert_int_equal(store_put(store, STR("d/link"), STR("new"), NULL), RC_OK); /* the link is replaced, not followed */
    assert_int_equal(store_size(store, STR("d/file"), &size, NULL), RC_OK);
    assert_int_equal(size, 1);
    store_free(store);
}

static void a_directory_that_is_removed_by_others_is_made_again(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store store = open_store(&scratch);
    char path[SCRATCH_PATH];
    assert_int_equal(store_put(store, STR("a/b/c"), STR("x"), NULL), RC_OK);
    assert_int_equal(unlink(scratch_path(&scratch, "a/b/c", path)), 0);
    assert_int_equal(rmdir(scratch_path(&scratch, "a/b", path)), 0);
    assert_int_equal(rmdir(scratch_path(&scratch, "a", path)), 0);
    assert_int_equal(store_put(store, STR("a/b/c"), STR("x"), NULL), RC_OK);
    assert_int_equal(mkdir(scratch_path(&scratch, "e", path), 0777), 0); /* left by a removal that was cut short */
    assert_int_equal(store_put_absent(store, STR("e"), STR("x"), NULL), RC_OK);
    store_free(store);
}

/* ---- uploads past the page cache ---- */

enum { MIB = 1024 * 1024 };

static char byte_at(uint64_t at) { return (char)(at * 2654435761u >> 13); }

static void upload_bytes(struct store store, struct str key, uint64_t bytes, size_t part) {
    struct store_upload upload = {0};
    AUTO(own_free) char *from = malloc(part);
    assert_non_null(from);
    assert_int_equal(store_upload_begin(store, key, &upload, NULL), RC_OK);
    for (uint64_t at = 0; at < bytes;) {
        size_t n = (size_t)MIN((uint64_t)part, bytes - at);
        for (size_t i = 0; i < n; i++) from[i] = byte_at(at + i);
        assert_int_equal(store_upload_part(&upload, (struct str){from, n}, NULL), RC_OK);
        at += n;
    }
    assert_int_equal(store_upload_finish_absent(&upload, NULL), RC_OK);
}

static void check_bytes(struct store store, struct str key, uint64_t bytes) {
    AUTO(buf_done) struct buf got = BUF_INIT(16 * MIB);
    assert_int_equal(store_get(store, key, 0, UINT64_MAX, &got, NULL), RC_OK);
    assert_int_equal(got.len, bytes);
    for (uint64_t i = 0; i < bytes; i++)
        if (got.at[i] != byte_at(i)) fail_msg("byte %llu of %llu", (unsigned long long)i, (unsigned long long)bytes);
}

static void uploads_of_every_length_around_a_block_are_whole(void **state) {
    (void)state;
    static const uint64_t lengths[] = {0,       1,           4095,           4096,           4097,
                                       MIB - 1, MIB,         MIB + 1,        MIB + 4096,     2 * MIB - 1,
                                       2 * MIB, 3 * MIB + 7, 2 * MIB + 8191, 2 * MIB + 8192, 5 * MIB + 12345};
    static const size_t parts[] = {1000, 4096, 300001, MIB, 7 * MIB};
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store store = open_store(&scratch);
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        for (size_t k = 0; k < COUNT_OF(parts); k++) {
            char key[64];
            (void)snprintf(key, sizeof key, "u/%zu-%zu", i, k);
            upload_bytes(store, str_of(key), lengths[i], parts[k]);
            check_bytes(store, str_of(key), lengths[i]);
        }
    store_free(store);
}

/* A file system that takes the flag and refuses the write, and one that writes less than it is asked to. */
static unsigned refused, shortened;

static ssize_t refuse_direct(int fd, const void *bytes, size_t len) {
    if (fcntl(fd, F_GETFL) & O_DIRECT) {
        refused++;
        errno = EINVAL;
        return -1;
    }
    return write(fd, bytes, len);
}

static ssize_t write_less(int fd, const void *bytes, size_t len) {
    if (len <= 5000) return write(fd, bytes, len);
    shortened++;
    return write(fd, bytes, fcntl(fd, F_GETFL) & O_DIRECT ? 4096 : 5000);
}

static void a_file_system_that_refuses_or_shortens_direct_writes_gets_plain_ones(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store_dir_calls calls = store_dir_libc;
    ssize_t (*const writes[])(int, const void *, size_t) = {refuse_direct, write_less};
    for (size_t i = 0; i < COUNT_OF(writes); i++) {
        struct store store;
        calls.write = writes[i];
        assert_int_equal(store_dir_open_with(scratch.path, &calls, &store, NULL), RC_OK);
        struct str key = i ? STR("less") : STR("refused");
        upload_bytes(store, key, 2 * MIB + 12345, 100000);
        check_bytes(store, key, 2 * MIB + 12345);
        store_free(store);
    }
    assert_true(shortened > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_that_is_missing_is_made_with_those_above_it),
        cmocka_unit_test(a_file_in_the_way_of_the_root_is_told),
        cmocka_unit_test(a_root_that_cannot_be_written_is_refused_at_once),
        cmocka_unit_test(a_full_disk_is_a_limit_with_path_and_advice),
        cmocka_unit_test(an_object_over_the_limit_of_files_leaves_nothing),
        cmocka_unit_test(link_serves_where_renameat2_does_not),
        cmocka_unit_test(what_dead_handles_left_is_removed_and_nothing_else),
        cmocka_unit_test(a_living_handles_uploads_survive_the_opening_of_another),
        cmocka_unit_test(only_regular_files_are_objects),
        cmocka_unit_test(a_directory_that_is_removed_by_others_is_made_again),
        cmocka_unit_test(uploads_of_every_length_around_a_block_are_whole),
        cmocka_unit_test(a_file_system_that_refuses_or_shortens_direct_writes_gets_plain_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
