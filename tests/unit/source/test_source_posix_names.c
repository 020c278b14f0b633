/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: names of any bytes are listed and open again by their URI; many files, deep trees and long paths end in a
 * listing or in a limit that is told. */
#include "posix_fixture.h"

#include "num.h"
#include "own.h"
#include "source_uri.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void names_of_any_bytes_come_back(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    static const char *const names[] = {"new\nline", "sp ace",       "caf\xc3\xa9", "\xff\xfe\x80",  "100%",
                                        "%41",       "a#b?c",        "-rf",         "quote'\"`$(x)", "\x01\x7f\x1b",
                                        "a;b&c",     "\xe2\x80\xae", "back\\slash", "[x]",           "*"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char name[300];
        struct source_file *file = NULL;
        (void)snprintf(name, sizeof name, "d%zu/%s", i, names[i]);
        posix_write(&f, name, names[i]);
        (void)snprintf(name, sizeof name, "d%zu/*", i);
        struct posix_listing listing = posix_list(&f, name);
        assert_int_equal(listing.files, 1);
        for (const char *at = listing.uri; *at; at++) assert_in_range(*at, '!', '~');
        assert_int_equal(source_open(f.source, str_of(listing.uri), &listing.last.stat, &file, NULL), RC_OK);
        char got[100];
        size_t len = 0;
        assert_int_equal(source_read(f.source, file, 0, got, sizeof got, &len, NULL), RC_OK);
        assert_int_equal(len, strlen(names[i]));
        assert_memory_equal(got, names[i], len);
        source_close(f.source, file);
        assert_int_equal(source_remove(f.source, str_of(listing.uri), &listing.last.stat, NULL), RC_OK);
        assert_int_equal(posix_list(&f, name).files, 0);
    }
}

static void ten_thousand_files_are_listed(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[SCRATCH_PATH];
    posix_write(&f, "many/first", "");
    for (int i = 1; i < 10000; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "many/%d.log", i);
        AUTO(own_close) int fd = open(scratch_path(&f.scratch, name, path), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
    }
    assert_int_equal(posix_list(&f, "many/*").files, 10000);
    assert_int_equal(posix_list(&f, "**/*.log").files, 9999);
    assert_int_equal(posix_list(&f, "many/*7.log").files, 1000);
}

/* A tree of `levels` directories with a file at its end. */
static void dig(struct posix_fixture *f, int levels, const char *name) {
    int at = open(f->scratch.path, O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < levels; i++) {
        (void)mkdirat(at, name, 0700);
        int below = openat(at, name, O_DIRECTORY | O_CLOEXEC);
        assert_true(below >= 0);
        (void)close(at);
        at = below;
    }
    AUTO(own_close) int file = openat(at, "x.log", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    (void)close(at);
}

static void a_tree_that_is_too_deep_is_told(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    posix_write(&f, "a/a/top.log", "x");
    dig(&f, 100, "a");
    struct posix_listing listing = posix_list(&f, "**/*.log");
    assert_int_equal(listing.files, 1);
    assert_int_equal(listing.problems, 1);
    assert_int_equal(listing.problem, RC_LIMIT);
}

static void a_path_that_is_too_long_is_told(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char name[256];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    posix_write(&f, "top.log", "x");
    dig(&f, 20, name); /* 5,120 bytes */
    struct posix_listing listing = posix_list(&f, "**/*.log");
    assert_int_equal(listing.files, 1);
    assert_int_equal(listing.problems, 1);
    assert_int_equal(listing.problem, RC_LIMIT);
    dig(&f, 14, name); /* a file in reach, but near the limit */
    assert_int_equal(posix_list(&f, "**/*.log").files, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_any_bytes_come_back),
        cmocka_unit_test(ten_thousand_files_are_listed),
        cmocka_unit_test(a_tree_that_is_too_deep_is_told),
        cmocka_unit_test(a_path_that_is_too_long_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
