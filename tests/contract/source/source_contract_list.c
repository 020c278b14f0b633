/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a listing is every regular file that matches, each name once, and no place that is missing stops it. */
#include "source_contract_private.h"

#include "num.h"

void every_match_is_told_once_with_its_size(void **state) {
    struct fixture *f = *state;
    AUTO(found_done) struct found found = {.len = 0};
    world_write(f, "logs/a.log", "12345");
    world_write(f, "logs/b.log", "");
    world_write(f, "logs/c.txt", "1");
    world_find(f, "logs/a.log logs/*.log logs/* logs/**", "", &found);
    assert_int_equal(found.len, 3);
    assert_string_equal(found.paths[0], "logs/a.log");
    assert_int_equal(found.stats[0].size, 5);
    assert_int_equal(found.stats[0].links, 1);
    assert_string_equal(found.paths[1], "logs/b.log");
    assert_int_equal(found.stats[1].size, 0);
    assert_string_equal(found.paths[2], "logs/c.txt");
}

void globs_mean_what_they_mean_in_the_shell(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"d/a.log", "d/ab.log", "d/abc.log",  "d/b.log", "d/.a.log",
                                        "d/A.log", "d/*.log",  "d/a.log.gz", "e/a.log", "f.log"};
    for (size_t i = 0; i < COUNT_OF(names); i++) world_write(f, names[i], "x");
    world_lists(f, "d/*.log", "", "d/*.log d/A.log d/a.log d/ab.log d/abc.log d/b.log");
    world_lists(f, "d/a*", "", "d/a.log d/a.log.gz d/ab.log d/abc.log");
    world_lists(f, "d/a*.log", "", "d/a.log d/ab.log d/abc.log");
    world_lists(f, "d/?.log", "", "d/*.log d/A.log d/a.log d/b.log");
    world_lists(f, "d/[a-b].log", "", "d/a.log d/b.log");
    world_lists(f, "d/[!a]*.log", "", "d/*.log d/A.log d/b.log");
    world_lists(f, "d/\\*.log", "", "d/*.log");
    world_lists(f, "d/.*", "", "d/.a.log");
    world_lists(f, "d/*b*", "", "d/ab.log d/abc.log d/b.log");
    world_lists(f, "*/a.log", "", "d/a.log e/a.log");
    world_lists(f, "?/a.log *.log", "", "d/a.log e/a.log f.log");
    if (!f->world->objects) world_lists(f, ".//d/./a.log", "", "d/a.log"); /* of a key every character counts */
    world_lists(f, "d/a.log/x d/a.log/*", "", "");
    world_lists(f, "d", "", "");
}

void two_stars_stand_for_any_directories(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"a.log", "x/a.log", "x/y/a.log", "x/y/z/a.log", "x/y/z/b.txt", "x/.h/a.log"};
    for (size_t i = 0; i < COUNT_OF(names); i++) world_write(f, names[i], "x");
    world_lists(f, "**/a.log", "", "a.log x/a.log x/y/a.log x/y/z/a.log");
    world_lists(f, "x/**/*.log", "", "x/a.log x/y/a.log x/y/z/a.log");
    world_lists(f, "x/**/y/**/a.log", "", "x/y/a.log x/y/z/a.log");
    world_lists(f, "x/**/z/*", "", "x/y/z/a.log x/y/z/b.txt");
    world_lists(f, "x/y/**", "", "x/y/a.log x/y/z/a.log x/y/z/b.txt");
    world_lists(f, "**/**/b.txt", "", "x/y/z/b.txt");
    world_lists(f, "**/.h/a.log", "", "x/.h/a.log");
    world_lists(f, "x/a.log/**", "", "");
}

void excludes_hide_files_and_directories(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"d/a.log",     "d/b.log",          "d/b.log.gz",
                                        "d/old/a.log", "d/old/deep/a.log", "e/a.log"};
    for (size_t i = 0; i < COUNT_OF(names); i++) world_write(f, names[i], "x");
    world_lists(f, "**/*", "*.gz old", "d/a.log d/b.log e/a.log");
    world_lists(f, "**/*", "/d/**", "e/a.log");
    world_lists(f, "**/*", "/d/old", "d/a.log d/b.log d/b.log.gz e/a.log");
    world_lists(f, "**/*", "/*/old/*.log b*", "d/a.log d/old/deep/a.log e/a.log");
    world_lists(f, "d/a.log", "a.*", "");
    world_lists(f, "d/*.log", "d", "d/a.log d/b.log"); /* a directory that is spelled out is meant */
}

static enum rc stop_at_second(void *context, const struct source_entry *entry) {
    assert_int_equal(entry->stat.size, 1);
    return ++*(int *)context < 2 ? RC_OK : RC_LIMIT;
}

void the_visitor_ends_the_listing(void **state) {
    struct fixture *f = *state;
    int calls = 0;
    char text[TEST_PATH];
    struct str path = str_of(world_path(f, "**", text));
    static const char *const names[] = {"a/1", "a/2", "b/1", "b/2"};
    for (size_t i = 0; i < COUNT_OF(names); i++) world_write(f, names[i], "x");
    const struct source_pattern pattern = {.paths = &path, .paths_len = 1};
    EXPECT(source_list(f->source, &pattern, stop_at_second, NULL, &calls, &why), RC_LIMIT);
    assert_int_equal(calls, 2);
}

void what_is_not_there_is_no_problem(void **state) {
    struct fixture *f = *state;
    world_lists(f, "no/such/* no/such.log n*/x/y **/nothing no/**", "", "");
    world_write(f, "no/such.log", "x");
    world_lists(f, "no/such/* no/such.log", "", "no/such.log");
}

void a_pattern_that_is_none_is_refused(void **state) {
    struct fixture *f = *state;
    char deep[2 * 70 + 1];
    for (size_t i = 0; i < sizeof deep; i++) deep[i] = i % 2 ? '*' : '/';
    struct {
        struct str path;
        enum rc rc;
    } rows[] = {{STR(""), RC_BAD},
                {STR("relative/*.log"), RC_BAD},
                {STR("/"), RC_BAD},
                {STR("/a\0b"), RC_BAD},
                {{deep, sizeof deep - 1}, RC_LIMIT}};
    size_t rows_len = COUNT_OF(rows) - (f->world->objects ? 1 : 0); /* not a path of a bucket */
    for (size_t i = 0; i < rows_len; i++) {
        const struct source_pattern pattern = {.paths = &rows[i].path, .paths_len = 1};
        EXPECT(source_list(f->source, &pattern, stop_at_second, NULL, NULL, &why), rows[i].rc);
    }
}

void a_file_is_listed_with_facts_that_stay(void **state) {
    struct fixture *f = *state;
    world_write(f, "a", "x");
    struct source_stat first = world_stat(f, "a");
    assert_true(first.inode != 0);
    assert_true((first.birth_ns != 0) != (first.volume != 0));
    world_append(f, "a", "yz");
    world_rename(f, "a", "b");
    struct source_stat then = world_stat(f, "b");
    assert_true(source_same(&first, &then));
    assert_int_equal(then.size, 3);
    assert_true(then.mtime_ns >= first.mtime_ns);
    world_write(f, "a", "x");
    struct source_stat other = world_stat(f, "a");
    assert_false(source_same(&first, &other));
    struct source_file *file = NULL;
    OK(by_name_open(f, "b", NULL, &file, &why));
    struct source_stat opened = file_stat(f, file);
    assert_true(source_same(&opened, &then));
    assert_int_equal(opened.size, then.size);
    assert_int_equal(opened.mtime_ns, then.mtime_ns);
    assert_true(opened.changed_ns == 0 || opened.changed_ns >= opened.mtime_ns);
    assert_int_equal(opened.links, then.links);
    source_close(f->source, file);
}
