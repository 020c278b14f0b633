/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whichever call to the file system fails, and wherever the process is killed, the store holds the old or the
 * new object, whole; nothing half done is ever listed; and the next start removes what was left in .tmp. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "rng.h"
#include "scratch.h"
#include "store_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- the k-th call fails, or ends the process ---- */

static struct { int calls, at, error; /* error 0: the process ends before the call */ } plan;

static bool now_fails(void) {
    if (++plan.calls != plan.at) return false;
    if (!plan.error) _exit(0);
    errno = plan.error;
    return true;
}

static int fail_openat(int directory, const char *path, int flags, mode_t mode) {
    return now_fails() ? -1 : openat(directory, path, flags, mode);
}
static ssize_t fail_write(int fd, const void *bytes, size_t len) { return now_fails() ? -1 : write(fd, bytes, len); }
static int fail_fsync(int fd) {
    (void)fd; /* which order they come in is another test's */
    return now_fails() ? -1 : 0;
}
static int fail_syncfs(int fd) {
    (void)fd;
    return now_fails() ? -1 : 0;
}
static int fail_mkdirat(int directory, const char *path, mode_t mode) {
    return now_fails() ? -1 : mkdirat(directory, path, mode);
}
static int fail_renameat(int from_directory, const char *from, int to_directory, const char *to) {
    return now_fails() ? -1 : renameat(from_directory, from, to_directory, to);
}
static int fail_renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    return now_fails() ? -1 : renameat2(from_directory, from, to_directory, to, flags);
}
static int fail_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    return now_fails() ? -1 : linkat(from_directory, from, to_directory, to, flags);
}
static int fail_unlinkat(int directory, const char *path, int flags) {
    return now_fails() ? -1 : unlinkat(directory, path, flags);
}

static const struct store_dir_calls failing = {
    .openat = fail_openat,
    .write = fail_write,
    .fsync = fail_fsync,
    .syncfs = fail_syncfs,
    .fstatfs = fstatfs,
    .mkdirat = fail_mkdirat,
    .renameat = fail_renameat,
    .renameat2 = fail_renameat2,
    .linkat = fail_linkat,
    .unlinkat = fail_unlinkat,
};

/* ---- what is done ---- */

static enum rc do_upload(struct store store, struct str key, struct str bytes) {
    AUTO(store_upload_abort) struct store_upload upload = {0};
    TRY(store_upload_begin(store, key, &upload, NULL));
    TRY(store_upload_part(&upload, str_sub(bytes, 0, bytes.len / 2), NULL));
    TRY(store_upload_part(&upload, str_sub(bytes, bytes.len / 2, bytes.len), NULL));
    return store_upload_finish_absent(&upload, NULL);
}

static enum rc do_put(struct store store, struct str key, struct str bytes) {
    return store_put(store, key, bytes, NULL);
}
static enum rc do_put_absent(struct store store, struct str key, struct str bytes) {
    return store_put_absent(store, key, bytes, NULL);
}
/* The same object so often that the group is synced at once. */
static enum rc do_put_absent_many(struct store store, struct str key, struct str bytes) {
    struct store_item items[8];
    enum rc rcs[COUNT_OF(items)];
    for (size_t i = 0; i < COUNT_OF(items); i++) items[i] = (struct store_item){key, bytes};
    TRY(store_put_absent_many(store, items, COUNT_OF(items), rcs, NULL));
    for (size_t i = 0; i < COUNT_OF(items); i++)
        if (rcs[i] == RC_OK) return RC_OK;
    return RC_STALE;
}
static enum rc do_remove(struct store store, struct str key, struct str bytes) {
    (void)bytes;
    return store_remove(store, key, NULL);
}

static const struct {
    enum rc (*act)(struct store store, struct str key, struct str bytes);
    const char *old; /* what is there before, NULL: nothing */
    const char *new; /* what is there behind a success */
} acts[] = {
    {do_put, NULL, "the new one"},    {do_put, "the old one", "the new one"},    {do_put_absent, NULL, "the new one"},
    {do_upload, NULL, "the new one"}, {do_put_absent_many, NULL, "the new one"}, {do_remove, "the old one", NULL},
};
#define KEY STR("g1/dt=2026/x")

/* ---- what must hold ---- */

static enum rc only_ours(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    if (!str_equal(key, KEY)) fail_msg("%.*s is listed", STR_ARG(key));
    ++*(int *)context;
    return RC_OK;
}

/* "old", "new" or, where there is no object, NULL; anything else fails. */
static const char *content(struct store store, size_t act) {
    AUTO(buf_done) struct buf got = BUF_INIT(1000);
    int listed = 0;
    assert_int_equal(store_list(store, STR(""), STR(""), only_ours, &listed, NULL), RC_OK);
    enum rc rc = store_get(store, KEY, 0, UINT64_MAX, &got, NULL);
    assert_int_equal(listed, rc == RC_OK);
    if (rc == RC_ABSENT) return NULL;
    assert_int_equal(rc, RC_OK);
    if (acts[act].old && strcmp(buf_text(&got), acts[act].old) == 0) return acts[act].old;
    if (acts[act].new &&strcmp(buf_text(&got), acts[act].new) == 0) return acts[act].new;
    fail_msg("the object is '%s'", buf_text(&got));
    return NULL;
}

static int temp_files(const struct scratch *scratch) {
    char path[SCRATCH_PATH];
    DIR *listing = opendir(scratch_path(scratch, STORE_RESERVED, path));
    int n = 0;
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));) n += entry->d_name[0] != '.';
    (void)closedir(listing);
    return n;
}

static struct store open_store(const struct scratch *scratch) {
    struct store store;
    struct why why = {0};
    if (store_dir_open_with(scratch->path, &failing, &store, &why) != RC_OK) fail_msg("%s", why.text);
    return store;
}

static void prepare(const struct scratch *scratch, size_t act) {
    if (acts[act].old) scratch_write(scratch, "g1/dt=2026/x", acts[act].old, strlen(acts[act].old));
}

/* One handle does the act with its k-th call failing; false when it had fewer calls. */
static bool fail_once(size_t act, int at, int error) {
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct store store;
    prepare(&scratch, act);
    plan.at = 0;
    assert_int_equal(store_dir_open_with(scratch.path, &failing, &store, NULL), RC_OK);
    plan.calls = 0;
    plan.at = at;
    plan.error = error;
    enum rc rc = acts[act].act(store, KEY, STR("the new one"));
    bool reached = plan.calls >= at;
    plan.at = 0;
    const char *now = content(store, act);
    if (rc == RC_OK)
        assert_ptr_equal(now, acts[act].new);
    else
        assert_true(now == acts[act].old || now == acts[act].new);
    rc = acts[act].act(store, KEY, STR("the new one"));
    assert_true(rc == RC_OK || (rc == RC_STALE && now == acts[act].new));
    assert_ptr_equal(content(store, act), acts[act].new);
    store_free(store);
    store_free(open_store(&scratch));
    assert_int_equal(temp_files(&scratch), 0);
    return reached;
}

static void a_failure_of_any_call_leaves_the_old_or_the_new_object(void **state) {
    (void)state;
    static const int errors[] = {EIO, ENOSPC, EINTR};
    for (size_t act = 0; act < COUNT_OF(acts); act++)
        for (size_t e = 0; e < COUNT_OF(errors); e++)
            for (int at = 1; fail_once(act, at, errors[e]); at++) assert_true(at < 100);
}

static void opening_fails_clearly_at_any_call_and_works_behind_it(void **state) {
    (void)state;
    bool reached = true;
    int failures = 0;
    for (int at = 1; reached; at++) {
        AUTO(scratch_done) struct scratch scratch = scratch_make();
        struct why why = {0};
        struct store store = {0};
        plan.calls = 0;
        plan.at = at;
        plan.error = ENOSPC;
        enum rc rc = store_dir_open_with(scratch.path, &failing, &store, &why);
        reached = plan.calls >= at;
        plan.at = 0;
        if (rc != RC_OK) {
            assert_int_equal(rc, RC_LIMIT);
            assert_non_null(strstr(why.text, scratch.path));
            assert_null(store.ops);
            failures++;
        }
        store_free(store);
        store_free(open_store(&scratch));
        assert_int_equal(temp_files(&scratch), 0);
    }
    assert_true(failures >= 2);
}

/* A child that ends at its k-th call; false when it got through. */
static bool end_once(size_t act, int at) {
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    prepare(&scratch, act);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store store;
        plan.calls = 0;
        plan.error = 0;
        plan.at = at;
        if (store_dir_open_with(scratch.path, &failing, &store, NULL) != RC_OK) _exit(2);
        _exit(acts[act].act(store, KEY, STR("the new one")) == RC_OK ? 1 : 2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    struct store store = open_store(&scratch);
    const char *now = content(store, act);
    assert_true(now == acts[act].old || now == acts[act].new);
    if (WEXITSTATUS(status) == 1) assert_ptr_equal(now, acts[act].new);
    assert_int_equal(temp_files(&scratch), 1); /* the lock of the handle that is open */
    store_free(store);
    assert_int_equal(temp_files(&scratch), 0);
    return WEXITSTATUS(status) == 0;
}

static void a_process_that_ends_at_any_call_leaves_the_old_or_the_new_object(void **state) {
    (void)state;
    for (size_t act = 0; act < COUNT_OF(acts); act++)
        for (int at = 1; end_once(act, at); at++) assert_true(at < 100);
}

/* ---- kill -9 ---- */

enum { KILLS = 25, OBJECT_BYTES = 30000 };

/* Puts objects, each of one byte repeated, and tells of each through the pipe. */
static void put_for_ever(const char *root, int tell) {
    struct store store;
    static char bytes[OBJECT_BYTES];
    if (store_dir_open(root, &store, NULL) != RC_OK) _exit(2);
    for (unsigned i = 0;; i++) {
        char key[64];
        (void)snprintf(key, sizeof key, "g1/%u/%u", i % 5, i / 5 % 7);
        memset(bytes, 'a' + (int)(i % 26), sizeof bytes);
        struct str all = {bytes, sizeof bytes};
        enum rc rc = i % 3 == 0 ? do_upload(store, str_of(key), all) : do_put(store, str_of(key), all);
        if ((rc != RC_OK && rc != RC_STALE) || write(tell, "x", 1) != 1) _exit(3);
    }
}

static enum rc is_whole(void *context, struct str key, uint64_t bytes) {
    const struct store *store = context;
    AUTO(buf_done) struct buf got = BUF_INIT(OBJECT_BYTES);
    assert_int_equal(bytes, OBJECT_BYTES);
    assert_int_equal(store_get(*store, key, 0, UINT64_MAX, &got, NULL), RC_OK);
    for (size_t i = 0; i < OBJECT_BYTES; i++) assert_int_equal(got.at[i], got.at[0]);
    return RC_OK;
}

static void kill_once(const struct scratch *scratch, struct rng *rng) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) put_for_ever(scratch->path, ends[1]);
    (void)close(ends[1]);
    char byte;
    for (uint64_t n = 1 + rng_below(rng, 20); n > 0; n--) assert_int_equal(read(ends[0], &byte, 1), 1);
    for (volatile uint64_t spin = rng_below(rng, 3000000); spin > 0; spin--) {
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    (void)close(ends[0]);
}

static void kill_9_at_any_moment_leaves_only_whole_objects(void **state) {
    (void)state;
    AUTO(scratch_done) struct scratch scratch = scratch_make();
    struct rng rng = rng_from_kernel();
    for (int i = 0; i < KILLS; i++) {
        kill_once(&scratch, &rng);
        struct store store = open_store(&scratch);
        assert_int_equal(store_list(store, STR(""), STR(""), is_whole, &store, NULL), RC_OK);
        assert_int_equal(temp_files(&scratch), 1);
        store_free(store);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_of_any_call_leaves_the_old_or_the_new_object),
        cmocka_unit_test(opening_fails_clearly_at_any_call_and_works_behind_it),
        cmocka_unit_test(a_process_that_ends_at_any_call_leaves_the_old_or_the_new_object),
        cmocka_unit_test(kill_9_at_any_moment_leaves_only_whole_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
