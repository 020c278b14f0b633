/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: too many directories, or no inotify at all, is told once and leaves the rest working; directories that come
 * and go for ever do not use up what may be watched; too few descriptors is told as such. */
#include "posix_fixture.h"

#include "own.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>

static enum rc watch(struct posix_fixture *f, const char *glob, struct why *why) {
    char path[SCRATCH_PATH];
    struct str text = str_of(scratch_path(&f->scratch, glob, path));
    return source_watch(f->source, &(struct source_pattern){.paths = &text, .paths_len = 1}, why);
}

static bool changed(struct posix_fixture *f, uint64_t wait_ms) {
    bool changed = false;
    assert_int_equal(source_wait(f->source, wait_ms, &changed, NULL), RC_OK);
    return changed;
}

enum { LONG_MS = 30000 }; /* never waited for where the promise holds */

static void too_many_directories_are_told_and_the_rest_is_watched(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    struct why why = {0};
    char path[SCRATCH_PATH], name[32];
    posix_write(&f, "other/a.log", "x");
    assert_int_equal(watch(&f, "other/*.log", &why), RC_OK);
    posix_write(&f, "tree/a.log", "x");
    for (int i = 0; i < SOURCE_WATCH_MAX + 10; i++) {
        (void)snprintf(name, sizeof name, "tree/%d", i);
        assert_int_equal(mkdir(scratch_path(&f.scratch, name, path), 0700), 0);
    }
    assert_int_equal(watch(&f, "tree/**/*.log", &why), RC_LIMIT);
    assert_non_null(strstr(why.text, "rescans"));
    posix_write(&f, "other/a.log", "xy");
    assert_true(changed(&f, LONG_MS));
    posix_write(&f, "tree/new.log", "xy");
    assert_true(changed(&f, LONG_MS));
}

static void directories_that_come_and_go_use_nothing_up(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[SCRATCH_PATH];
    (void)scratch_path(&f.scratch, "d", path);
    assert_int_equal(watch(&f, "*/*.log", NULL), RC_OK);
    for (int i = 0; i < SOURCE_WATCH_MAX + 100; i++) {
        assert_int_equal(mkdir(path, 0700), 0);
        assert_true(changed(&f, 0));
        assert_int_equal(rmdir(path), 0);
        assert_true(changed(&f, 0));
    }
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(changed(&f, 0));
    posix_write(&f, "d/a.log", "x");
    assert_true(changed(&f, LONG_MS));
}

enum { INSTANCES_MAX = 900 }; /* fewer than descriptors */

/* Takes all inotify instances of this user. */
static bool use_up_inotify(void) {
    for (int i = 0; i <= INSTANCES_MAX; i++)
        if (inotify_init1(IN_CLOEXEC) < 0) return true;
    return false;
}

static int instances_allowed(void) {
    AUTO(own_fclose) FILE *file = fopen("/proc/sys/fs/inotify/max_user_instances", "re");
    char line[32] = "";
    return file && fgets(line, sizeof line, file) ? atoi(line) : INT32_MAX;
}

static bool works_without_inotify(const char *root) {
    struct posix_fixture f = {.follow = false};
    struct why why = {0};
    bool was_changed = true;
    if (!use_up_inotify()) return false;
    (void)snprintf(f.scratch.path, sizeof f.scratch.path, "%s", root);
    if (source_posix_open(&f.source, NULL) != RC_OK) return false;
    bool told = watch(&f, "*.log", &why) == RC_LIMIT && strstr(why.text, "inotify");
    bool waits = source_wait(f.source, 1, &was_changed, NULL) == RC_OK && !was_changed;
    source_wake(f.source);
    waits = source_wait(f.source, LONG_MS, &was_changed, NULL) == RC_OK && waits;
    bool lists = posix_list(&f, "*.log").files == 1;
    source_free(f.source);
    return told && waits && lists;
}

static void without_inotify_rescans_are_left(void **state) {
    (void)state;
    if (instances_allowed() > INSTANCES_MAX) skip(); /* more than a test can take on this machine */
    AUTO(posix_done) struct posix_fixture f = posix_make();
    posix_write(&f, "a.log", "x");
    assert_int_equal(chmod(f.scratch.path, 0755), 0);
    posix_as_nobody(works_without_inotify, f.scratch.path);
}

static bool tells_of_too_few_descriptors(const char *root) {
    struct posix_fixture f = {.follow = false};
    struct source_file *file = NULL;
    struct why why = {0};
    (void)snprintf(f.scratch.path, sizeof f.scratch.path, "%s", root);
    if (source_posix_open(&f.source, NULL) != RC_OK) return false;
    int next = dup(0);
    struct rlimit limit = {(rlim_t)next, (rlim_t)next};
    own_close(&next);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    bool none = posix_open(&f, "a.log", NULL, &file, &why) == RC_BUSY && strstr(why.text, "ulimit -n");
    struct posix_listing listing = posix_list(&f, "*.log");
    source_free(f.source);
    return none && listing.problems == 1 && listing.problem == RC_BUSY;
}

static void too_few_descriptors_are_told(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    posix_write(&f, "a.log", "x");
    assert_int_equal(chmod(f.scratch.path, 0755), 0);
    posix_as_nobody(tells_of_too_few_descriptors, f.scratch.path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_directories_are_told_and_the_rest_is_watched),
        cmocka_unit_test(directories_that_come_and_go_use_nothing_up),
        cmocka_unit_test(without_inotify_rescans_are_left),
        cmocka_unit_test(too_few_descriptors_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
