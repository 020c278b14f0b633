/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: links are followed only where asked and never in circles, nothing but regular files is opened, what may not
 * be read is told and gone past, and a reused inode is another file. */
#include "posix_fixture.h"

#include "own.h"
#include "source_uri.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void link_to(struct posix_fixture *f, const char *target, const char *name) {
    char path[SCRATCH_PATH];
    assert_int_equal(symlink(target, scratch_path(&f->scratch, name, path)), 0);
}

static void links_are_followed_only_where_asked(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    posix_write(&f, "real/a.log", "x");
    posix_write(&f, "logs/b.log", "x");
    link_to(&f, "../real/a.log", "logs/link.log");
    link_to(&f, "../real", "logs/dir");
    link_to(&f, "nowhere", "logs/dangling.log");
    assert_int_equal(posix_list(&f, "logs/*.log").files, 1);
    assert_int_equal(posix_list(&f, "logs/**").files, 1);
    assert_int_equal(posix_list(&f, "logs/*/*.log").files, 0);
    assert_int_equal(posix_list(&f, "logs/dir/*.log").files, 1); /* spelled out */
    f.follow = true;
    assert_int_equal(posix_list(&f, "logs/*.log").files, 2);
    assert_int_equal(posix_list(&f, "logs/**").files, 3);
    assert_int_equal(posix_list(&f, "logs/*/*.log").files, 1);
    struct source_stat by_link = posix_stat(&f, "logs/link.log"), real = posix_stat(&f, "real/a.log");
    assert_true(source_same(&by_link, &real)); /* the caller counts it once */
    struct source_file *file = NULL;
    assert_int_equal(posix_open(&f, "logs/link.log", &real, &file, NULL), RC_OK);
    source_close(f.source, file);
}

static void a_link_that_is_named_and_not_followed_is_told(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    posix_write(&f, "a.log", "x");
    link_to(&f, "a.log", "link.log");
    struct posix_listing listing = posix_list(&f, "link.log");
    assert_int_equal(listing.files, 0);
    assert_int_equal(listing.problems, 1);
    assert_int_equal(listing.problem, RC_DENIED);
    assert_non_null(strstr(listing.why.text, "follow_symlinks"));
}

static void circles_of_links_end(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    posix_write(&f, "a/b/x.log", "x");
    posix_write(&f, "a/c/y.log", "x");
    link_to(&f, "..", "a/b/up");
    link_to(&f, "../c", "a/b/to_c");
    link_to(&f, "../b", "a/c/to_b");
    link_to(&f, "../..", "a/c/top");
    link_to(&f, "self", "a/self");
    f.follow = true;
    struct posix_listing listing = posix_list(&f, "a/**/*.log");
    assert_in_range(listing.files, 2, 6);
    assert_int_equal(posix_list(&f, "a/b/*.log").files, 1);
    f.follow = false;
    assert_int_equal(posix_list(&f, "a/**/*.log").files, 2);
    link_to(&f, "ring2", "ring1");
    link_to(&f, "ring1", "ring2");
    listing = posix_list(&f, "ring1/*.log");
    assert_int_equal(listing.problems, 1);
    assert_int_equal(listing.problem, RC_DENIED);
}

static void special_files_are_neither_listed_nor_opened(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[SCRATCH_PATH];
    struct source_file *file = NULL;
    struct why why = {0};
    posix_write(&f, "d/file", "x");
    assert_int_equal(mkfifo(scratch_path(&f.scratch, "d/fifo", path), 0600), 0);
    assert_int_equal(mkdir(scratch_path(&f.scratch, "d/dir", path), 0700), 0);
    link_to(&f, "/dev/null", "d/device");
    f.follow = true;
    assert_int_equal(posix_list(&f, "d/*").files, 1);
    assert_int_equal(posix_list(&f, "d/fifo").files, 0);
    assert_int_equal(posix_open(&f, "d/fifo", NULL, &file, &why), RC_DENIED);
    assert_non_null(strstr(why.text, "no regular file"));
    assert_int_equal(posix_open(&f, "d/dir", NULL, &file, &why), RC_DENIED);
    assert_int_equal(posix_open(&f, "d/device", NULL, &file, &why), RC_DENIED);
    assert_null(file);
}

static struct posix_listing list_at(const char *root, const char *glob) {
    struct posix_fixture f = {.follow = true};
    (void)snprintf(f.scratch.path, sizeof f.scratch.path, "%s", root);
    if (source_posix_open(&f.source, NULL) != RC_OK) _exit(3);
    struct posix_listing listing = posix_list(&f, glob);
    source_free(f.source);
    return listing;
}

static bool goes_past_what_is_denied(const char *root) {
    struct posix_listing listing = list_at(root, "**/*.log");
    return listing.files == 3 && listing.problems == 1 && listing.problem == RC_DENIED &&
           strstr(listing.why.text, "locked") && strstr(listing.why.text, "right");
}

static bool denied_below_a_locked_directory(const char *root) {
    struct posix_listing listing = list_at(root, "locked/hidden.log");
    return listing.files == 0 && listing.problems == 1 && listing.problem == RC_DENIED;
}

static bool open_names_what_it_may_not_read(const char *root) {
    struct source source;
    struct source_file *file = NULL;
    struct why why = {0};
    char uri[1000];
    (void)snprintf(uri, sizeof uri, "file://%s/b/secret.log", root);
    if (source_posix_open(&source, NULL) != RC_OK) return false;
    enum rc rc = source_open(source, str_of(uri), NULL, &file, &why);
    source_free(source);
    return rc == RC_DENIED && strstr(why.text, "b/secret.log");
}

static void what_may_not_be_read_is_told_and_gone_past(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[SCRATCH_PATH];
    posix_write(&f, "a/1.log", "x");
    posix_write(&f, "b/secret.log", "x"); /* listed: that needs the directory only */
    posix_write(&f, "locked/hidden.log", "x");
    posix_write(&f, "z/2.log", "x");
    assert_int_equal(chmod(f.scratch.path, 0755), 0);
    assert_int_equal(chmod(scratch_path(&f.scratch, "b/secret.log", path), 0), 0);
    assert_int_equal(chmod(scratch_path(&f.scratch, "locked", path), 0), 0);
    posix_as_nobody(goes_past_what_is_denied, f.scratch.path);
    posix_as_nobody(denied_below_a_locked_directory, f.scratch.path);
    posix_as_nobody(open_names_what_it_may_not_read, f.scratch.path);
    assert_int_equal(chmod(scratch_path(&f.scratch, "locked", path), 0700), 0);
}

static void a_reused_inode_is_another_file(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[SCRATCH_PATH];
    struct source_file *file = NULL;
    posix_write(&f, "a", "one");
    struct source_stat first = posix_stat(&f, "a"), now = first;
    if (first.birth_ns == 0) skip(); /* told apart by content only: the emitter's part */
    bool reused = false;
    for (int i = 0; i < 1000 && !reused; i++) {
        assert_int_equal(unlink(scratch_path(&f.scratch, "a", path)), 0);
        posix_write(&f, "a", "two");
        now = posix_stat(&f, "a");
        reused = now.inode == first.inode && now.birth_ns != first.birth_ns;
    }
    if (!reused) skip(); /* this file system does not give inodes away so soon */
    assert_int_equal(posix_open(&f, "a", &first, &file, NULL), RC_STALE);
    char uri[16384];
    now.size = first.size;
    assert_int_equal(source_remove(f.source, posix_uri(&f, "a", uri), &first, NULL), RC_STALE);
    assert_int_equal(posix_open(&f, "a", &now, &file, NULL), RC_OK);
    source_close(f.source, file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_followed_only_where_asked),
        cmocka_unit_test(a_link_that_is_named_and_not_followed_is_told),
        cmocka_unit_test(circles_of_links_end),
        cmocka_unit_test(special_files_are_neither_listed_nor_opened),
        cmocka_unit_test(what_may_not_be_read_is_told_and_gone_past),
        cmocka_unit_test(a_reused_inode_is_another_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
