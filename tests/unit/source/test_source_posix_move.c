/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: move keeps content, mode and times, also to another file system; a symbolic link is left alone; and no
 * rotation at any moment makes remove or move take the wrong file. */
#include "posix_fixture.h"

#include "own.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void content_is(const char *path, const char *text) {
    char got[200] = {0};
    AUTO(own_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, got, sizeof got - 1), strlen(text));
    assert_string_equal(got, text);
}

static void moves_to(struct posix_fixture *f, const char *directory) {
    char uri[16384], path[SCRATCH_PATH], to[SCRATCH_PATH + 20];
    struct stat before, now;
    for (int i = 0; i < 3; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "content %d", i);
        posix_write(f, "logs/a.log", text);
        assert_int_equal(chmod(scratch_path(&f->scratch, "logs/a.log", path), 0640), 0);
        assert_int_equal(utimensat(AT_FDCWD, path, (const struct timespec[2]){{1000, 5}, {2000, 7}}, 0), 0);
        assert_int_equal(stat(path, &before), 0);
        struct source_stat stat_now = posix_stat(f, "logs/a.log");
        struct why why = {0};
        if (source_move(f->source, posix_uri(f, "logs/a.log", uri), &stat_now, str_of(directory), &why) != RC_OK)
            fail_msg("%s", why.text);
        (void)snprintf(to, sizeof to, i ? "%s/a.log.%d" : "%s/a.log", directory, i);
        content_is(to, text);
        assert_int_equal(stat(to, &now), 0);
        assert_int_equal(now.st_mode, before.st_mode);
        assert_int_equal(now.st_mtim.tv_sec, 2000);
        assert_int_equal(now.st_mtim.tv_nsec, 7);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_int_equal(posix_list(f, "logs/*").files + posix_list(f, "logs/.*").files, 0);
}

static void move_keeps_content_mode_and_times(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[SCRATCH_PATH];
    moves_to(&f, scratch_path(&f.scratch, "done/deep", path));
}

/* Another file system than the scratch directory's that may be written, or NULL. */
static char *elsewhere(const struct posix_fixture *f, char out[64]) {
    static const char *const tries[] = {"/dev/shm", "/run", "/var/tmp", "/tmp"};
    struct stat here, there;
    assert_int_equal(stat(f->scratch.path, &here), 0);
    for (size_t i = 0; i < 4; i++) {
        if (stat(tries[i], &there) != 0 || there.st_dev == here.st_dev) continue;
        (void)snprintf(out, 64, "%s/sluice-test-XXXXXX", tries[i]);
        if (mkdtemp(out)) return out;
    }
    return NULL;
}

static void move_to_another_file_system_is_the_same(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[64];
    if (!elsewhere(&f, path)) skip(); /* no second file system on this machine */
    AUTO(scratch_done) struct scratch other = {0};
    (void)snprintf(other.path, sizeof other.path, "%s", path);
    moves_to(&f, path);
    char uri[16384], to[128];
    posix_write(&f, "logs/b.log", "one");
    struct source_stat stale = posix_stat(&f, "logs/b.log");
    posix_write(&f, "logs/b.log", "grown");
    assert_int_equal(source_move(f.source, posix_uri(&f, "logs/b.log", uri), &stale, str_of(path), NULL), RC_STALE);
    (void)snprintf(to, sizeof to, "%s/b.log", path);
    assert_int_equal(access(to, F_OK), -1);
    assert_int_equal(posix_list(&f, "logs/*").files, 1);
}

static void a_link_is_left_alone(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char path[SCRATCH_PATH], uri[16384];
    posix_write(&f, "a.log", "x");
    assert_int_equal(symlink("a.log", scratch_path(&f.scratch, "link.log", path)), 0);
    f.follow = true;
    struct source_stat stat = posix_stat(&f, "link.log");
    struct str link = posix_uri(&f, "link.log", uri);
    assert_int_equal(source_remove(f.source, link, &stat, NULL), RC_DENIED);
    assert_int_equal(source_move(f.source, link, &stat, str_of(f.scratch.path), NULL), RC_DENIED);
    assert_int_equal(posix_list(&f, "*.log").files, 2);
}

/* ---- a rotation under our hands ---- */

enum { ROTATIONS = 400 };

struct rotation {
    struct posix_fixture *f;
    atomic_int done;
};

/* x becomes x.<i>, and a new x comes, as logrotate does. */
static void *rotate(void *context) {
    struct rotation *r = context;
    for (int i = 0; i < ROTATIONS; i++) {
        char from[SCRATCH_PATH], to[SCRATCH_PATH], name[32], text[32];
        (void)snprintf(name, sizeof name, "kept/x.%d", i);
        (void)rename(scratch_path(&r->f->scratch, "x", from), scratch_path(&r->f->scratch, name, to));
        (void)snprintf(text, sizeof text, "%d", i);
        int fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* fails if it came back meanwhile */
        if (fd >= 0 && write(fd, text, strlen(text)) < 0) abort();
        own_close(&fd);
    }
    r->done = 1;
    return NULL;
}

static enum rc see(void *context, const struct source_entry *entry) {
    *(struct source_stat *)context = entry->stat;
    return RC_OK;
}

/* Facts of whatever x is now, false when there is none. */
static bool facts_of_x(struct posix_fixture *f, struct source_stat *out) {
    char path[SCRATCH_PATH];
    struct str text = str_of(scratch_path(&f->scratch, "x", path));
    const struct source_pattern pattern = {.paths = &text, .paths_len = 1};
    *out = (struct source_stat){0};
    return source_list(f->source, &pattern, see, NULL, out, NULL) == RC_OK && out->inode != 0;
}

/* What is expected is always one that was there a moment ago; every success must have taken exactly that one. Held
 * open, it tells by its links. */
static void no_rotation_makes_remove_take_the_wrong_file(void **state) {
    (void)state;
    AUTO(posix_done) struct posix_fixture f = posix_make();
    char uri[16384];
    struct rotation r = {.f = &f};
    pthread_t thread;
    posix_write(&f, "kept/first", "x");
    posix_write(&f, "x", "0");
    struct str x = posix_uri(&f, "x", uri);
    assert_int_equal(pthread_create(&thread, NULL, rotate, &r), 0);
    while (!r.done) {
        struct source_stat stat, now;
        struct source_file *file = NULL;
        if (!facts_of_x(&f, &stat) || source_open(f.source, x, &stat, &file, NULL) != RC_OK) continue;
        enum rc rc = source_remove(f.source, x, &stat, NULL);
        assert_true(rc == RC_OK || rc == RC_STALE || rc == RC_ABSENT || rc == RC_DENIED);
        assert_int_equal(source_stat(f.source, file, &now, NULL), RC_OK);
        if (rc == RC_OK)
            assert_int_equal(now.links, 0);
        else
            assert_int_equal(now.links, 1); /* not removed: still there, under whatever name */
        source_close(f.source, file);
    }
    (void)pthread_join(thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(move_keeps_content_mode_and_times),
        cmocka_unit_test(move_to_another_file_system_is_the_same),
        cmocka_unit_test(a_link_is_left_alone),
        cmocka_unit_test(no_rotation_makes_remove_take_the_wrong_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
