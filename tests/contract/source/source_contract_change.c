/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: remove and move touch the expected file of the expected size and nothing else, nothing is replaced, and
 * changes under a watched pattern are told. */
#include "source_contract_private.h"

#include <pthread.h>

enum { LONG_MS = 30000 }; /* never waited for where the promise holds */

void remove_takes_only_what_was_expected(void **state) {
    struct fixture *f = *state;
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a"), grown = a;
    grown.size++;
    EXPECT(by_name_remove(f, "a", &grown, &why), RC_STALE);
    struct source_stat rewritten = a; /* as long as before, and other bytes */
    rewritten.mtime_ns--;
    EXPECT(by_name_remove(f, "a", &rewritten, &why), RC_STALE);
    EXPECT(by_name_move(f, "a", &rewritten, "done", &why), RC_STALE);
    world_append(f, "a", " more");
    EXPECT(by_name_remove(f, "a", &a, &why), RC_STALE);
    a = world_stat(f, "a");
    world_rename(f, "a", "a.1");
    EXPECT(by_name_remove(f, "a", &a, &why), RC_ABSENT);
    world_write(f, "a", "new 5678");
    EXPECT(by_name_remove(f, "a", &a, &why), RC_STALE);
    world_lists(f, "*", "", "a a.1");
    OK(by_name_remove(f, "a.1", &a, &why));
    world_lists(f, "*", "", "a");
    world_lists(f, ".*", "", "");
    EXPECT(by_name_remove(f, "a.1", &a, &why), RC_ABSENT);
}

void move_takes_only_what_was_expected(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL;
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a");
    world_append(f, "a", " more");
    EXPECT(by_name_move(f, "a", &a, "done", &why), RC_STALE);
    a = world_stat(f, "a");
    world_rename(f, "a", "a.1");
    EXPECT(by_name_move(f, "a", &a, "done", &why), RC_ABSENT);
    world_write(f, "a", "new 5678");
    EXPECT(by_name_move(f, "a", &a, "done", &why), RC_STALE);
    world_lists(f, "** .*", "", "a a.1");
    OK(by_name_move(f, "a.1", &a, "done/of today", &why));
    assert_false(world_exists(f, "a.1"));
    assert_true(world_exists(f, "done/of today/a.1"));
    OK(by_name_open(f, "done/of today/a.1", NULL, &file, &why));
    file_reads(f, file, 0, "one more");
    source_close(f->source, file);
    EXPECT(source_move(f->source, STR("file:///x"), &a, STR("relative"), &why), RC_BAD);
}

void move_replaces_nothing(void **state) {
    struct fixture *f = *state;
    static const char *const contents[] = {"first", "second", "third"};
    static const char *const names[] = {"done/a.log", "done/a.log.1", "done/a.log.2"};
    for (int i = 0; i < 3; i++) {
        world_write(f, "a.log", contents[i]);
        struct source_stat a = world_stat(f, "a.log");
        OK(by_name_move(f, "a.log", &a, "done", &why));
    }
    for (int i = 0; i < 3; i++) {
        struct source_file *file = NULL;
        OK(by_name_open(f, names[i], NULL, &file, &why));
        file_reads(f, file, 0, contents[i]);
        source_close(f->source, file);
    }
    world_lists(f, "*", "", "");
}

static bool changed_within(struct fixture *f, uint64_t wait_ms) {
    bool changed = false;
    OK(source_wait(f->source, wait_ms, &changed, &why));
    return changed;
}

void changes_under_a_watched_pattern_are_told(void **state) {
    struct fixture *f = *state;
    world_write(f, "logs/a.log", "x");
    world_write(f, "deep/er/a.log", "x");
    OK(world_watch(f, "logs/*.log", &why));
    OK(world_watch(f, "deep/**/*.log", &why));
    assert_false(changed_within(f, 0));
    world_append(f, "logs/a.log", "y");
    assert_true(changed_within(f, LONG_MS));
    assert_false(changed_within(f, 0));
    world_write(f, "logs/b.log", "");
    assert_true(changed_within(f, LONG_MS));
    world_rename(f, "logs/b.log", "logs/c.log");
    assert_true(changed_within(f, LONG_MS));
    world_unlink(f, "logs/c.log");
    assert_true(changed_within(f, LONG_MS));
    world_append(f, "deep/er/a.log", "y");
    assert_true(changed_within(f, LONG_MS));
    world_append(f, "logs/other.txt", "y"); /* no name of ours */
    assert_false(changed_within(f, 0));
}

void a_directory_that_appears_later_is_watched(void **state) {
    struct fixture *f = *state;
    OK(world_watch(f, "later/x/*/a.log", &why));
    assert_false(changed_within(f, 0));
    world_write(f, "later/x/y/a.log", "x");
    assert_true(changed_within(f, LONG_MS));
    while (changed_within(f, 0)) {
    } /* each directory may tell of itself */
    world_append(f, "later/x/y/a.log", "x");
    assert_true(changed_within(f, LONG_MS));
    while (changed_within(f, 0)) {
    }
    world_unlink(f, "later/x/y/a.log");
    assert_true(changed_within(f, LONG_MS));
}

static void *wake_it(void *context) {
    struct fixture *f = context;
    source_wake(f->source);
    return NULL;
}

void wake_ends_a_wait(void **state) {
    struct fixture *f = *state;
    pthread_t thread;
    OK(world_watch(f, "*.log", &why));
    source_wake(f->source); /* before: the next wait ends */
    assert_false(changed_within(f, LONG_MS));
    assert_int_equal(pthread_create(&thread, NULL, wake_it, f), 0);
    assert_false(changed_within(f, LONG_MS));
    (void)pthread_join(thread, NULL);
}
