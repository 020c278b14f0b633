/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the simulated disk repeats itself: inodes, births and times come from what was done alone, an inode can be
 * reused on request, and a process that ends lets go of what only it held. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "own.h"
#include "source_memory.h"

static void own_source(struct source *source) { source_free(*source); }

static enum rc see(void *context, const struct source_entry *entry) {
    *(struct source_stat *)context = entry->stat;
    return RC_OK;
}

static struct source_stat stat_of(struct source source, const char *path) {
    struct str text = str_of(path);
    struct source_stat stat = {0};
    const struct source_pattern pattern = {.paths = &text, .paths_len = 1};
    assert_int_equal(source_list(source, &pattern, see, NULL, &stat, NULL), RC_OK);
    assert_true(stat.inode != 0);
    return stat;
}

static struct source_stat same_history(void) {
    AUTO(own_source) struct source source = source_memory_new();
    source_memory_set_time(source, 1000);
    source_memory_write(source, "/a", STR("x"));
    source_memory_append(source, "/b", STR("yy"));
    source_memory_rename(source, "/b", "/a");
    source_memory_append(source, "/a", STR("zz"));
    return stat_of(source, "/a");
}

static void the_same_history_gives_the_same_facts(void **state) {
    (void)state;
    struct source_stat one = same_history(), two = same_history();
    assert_true(source_same(&one, &two));
    assert_int_equal(one.mtime_ns, two.mtime_ns);
    assert_int_equal(one.inode, 2);
    assert_int_equal(one.birth_ns, 1002);
    assert_int_equal(one.mtime_ns, 1005);
    assert_int_equal(one.size, 4);
    assert_int_equal(one.links, 1);
}

static void an_inode_can_be_reused(void **state) {
    (void)state;
    AUTO(own_source) struct source source = source_memory_new();
    source_memory_write(source, "/a", STR("x"));
    struct source_stat first = stat_of(source, "/a");
    source_memory_unlink(source, "/a");
    source_memory_reuse_inode(source, first.inode);
    source_memory_write(source, "/a", STR("x"));
    struct source_stat second = stat_of(source, "/a");
    assert_int_equal(second.inode, first.inode);
    assert_false(source_same(&first, &second));
    source_memory_write(source, "/b", STR("x"));
    assert_int_equal(stat_of(source, "/b").inode, first.inode + 1);
}

static void names_of_one_file_are_counted(void **state) {
    (void)state;
    AUTO(own_source) struct source source = source_memory_new();
    source_memory_write(source, "/a", STR("x"));
    source_memory_link(source, "/a", "/b");
    struct source_stat a = stat_of(source, "/a"), b = stat_of(source, "/b");
    assert_true(source_same(&a, &b));
    assert_int_equal(b.links, 2);
    source_memory_unlink(source, "/a");
    assert_int_equal(stat_of(source, "/b").links, 1);
}

static void a_process_that_ends_lets_go(void **state) {
    (void)state;
    AUTO(own_source) struct source disk = source_memory_new();
    source_memory_write(disk, "/a", STR("x"));
    struct source_stat a = stat_of(disk, "/a");
    struct source process = source_memory_again(disk);
    struct source_file *file = NULL;
    assert_int_equal(source_open(process, STR("file:///a"), &a, &file, NULL), RC_OK);
    source_memory_unlink(disk, "/a");
    source_free(process);
    process = source_memory_again(disk);
    assert_int_equal(source_open(process, STR("file:///a"), &a, &file, NULL), RC_ABSENT);
    source_free(process);
}

static void what_is_denied_is_listed_but_not_opened(void **state) {
    (void)state;
    AUTO(own_source) struct source source = source_memory_new();
    struct source_file *file = NULL;
    source_memory_write(source, "/a", STR("x"));
    source_memory_deny(source, "/a", true);
    struct source_stat a = stat_of(source, "/a");
    assert_int_equal(source_open(source, STR("file:///a"), &a, &file, NULL), RC_DENIED);
    assert_int_equal(source_remove(source, STR("file:///a"), &a, NULL), RC_DENIED);
    source_memory_deny(source, "/a", false);
    assert_int_equal(source_open(source, STR("file:///a"), &a, &file, NULL), RC_OK);
    source_close(source, file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_history_gives_the_same_facts),   cmocka_unit_test(an_inode_can_be_reused),
        cmocka_unit_test(names_of_one_file_are_counted),           cmocka_unit_test(a_process_that_ends_lets_go),
        cmocka_unit_test(what_is_denied_is_listed_but_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
