/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an opened file is one incarnation, whatever happens to its name; another one under the name is refused. */
#include "source_contract_private.h"

#include "num.h"

#include <pthread.h>

void the_expected_incarnation_is_opened(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL;
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a");
    OK(by_name_open(f, "a", &a, &file, &why));
    file_reads(f, file, 0, "one");
    source_close(f->source, file);
    world_append(f, "a", " more"); /* size and time may differ */
    OK(by_name_open(f, "a", &a, &file, &why));
    file_reads(f, file, 0, "one more");
    source_close(f->source, file);
    OK(by_name_open(f, "a", NULL, &file, &why));
    source_close(f->source, file);
    source_close(f->source, NULL);
}

void another_file_under_the_name_is_stale(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL;
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a");
    world_rename(f, "a", "a.1");
    EXPECT(by_name_open(f, "a", &a, &file, &why), RC_ABSENT);
    EXPECT(by_name_open(f, "a", NULL, &file, &why), RC_ABSENT);
    EXPECT(by_name_open(f, "no/such", NULL, &file, &why), RC_ABSENT);
    EXPECT(by_name_open(f, "a.1/below", NULL, &file, &why), RC_ABSENT);
    world_write(f, "a", "two");
    EXPECT(by_name_open(f, "a", &a, &file, &why), RC_STALE);
    assert_null(file);
    OK(by_name_open(f, "a.1", &a, &file, &why));
    file_reads(f, file, 0, "one");
    source_close(f->source, file);
    world_rename(f, "a", "a.1"); /* replaces it */
    file = NULL;
    EXPECT(by_name_open(f, "a.1", &a, &file, &why), RC_STALE);
}

void what_is_no_uri_is_refused(void **state) {
    struct fixture *f = *state;
    static const struct str bad[] = {STR(""),         STR("/a/b"),        STR("file:/a"),     STR("file://host/a"),
                                     STR("s3://b/k"), STR("file:///a%0"), STR("file:///%00"), STR("file:///a?b")};
    struct source_stat stat = {.inode = 1};
    struct source_file *file = NULL;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EXPECT(source_open(f->source, bad[i], NULL, &file, &why), RC_BAD);
        EXPECT(source_remove(f->source, bad[i], &stat, &why), RC_BAD);
        EXPECT(source_move(f->source, bad[i], &stat, STR("/tmp"), &why), RC_BAD);
    }
}

void reads_give_ranges_and_nothing_behind_the_end(void **state) {
    struct fixture *f = *state;
    static const struct {
        uint64_t from;
        size_t len;
        const char *expected;
    } rows[] = {{0, 10, "0123456789"}, {0, 11, "0123456789"},
                {3, 4, "3456"},        {9, 1, "9"},
                {9, 50, "9"},          {10, 1, ""},
                {11, 5, ""},           {3, 0, ""},
                {UINT64_MAX, 4, ""},   {(uint64_t)INT64_MAX, 4, ""}};
    struct source_file *file = NULL;
    world_write(f, "a", "0123456789");
    OK(by_name_open(f, "a", NULL, &file, &why));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char got[100];
        size_t len = 77;
        OK(source_read(f->source, file, rows[i].from, got, rows[i].len, &len, &why));
        assert_int_equal(len, strlen(rows[i].expected));
        assert_memory_equal(got, rows[i].expected, len);
    }
    source_close(f->source, file);
}

void growth_and_truncation_show(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL;
    world_write(f, "a", "0123456789");
    struct source_stat a = world_stat(f, "a");
    OK(by_name_open(f, "a", &a, &file, &why));
    world_append(f, "a", "abc");
    assert_int_equal(file_stat(f, file).size, 13);
    file_reads(f, file, 8, "89abc");
    world_truncate(f, "a", 4);
    assert_int_equal(file_stat(f, file).size, 4);
    file_reads(f, file, 2, "23");
    file_reads(f, file, 8, "");
    world_append(f, "a", "new"); /* copytruncate: the same incarnation with other content */
    struct source_stat now = file_stat(f, file);
    assert_true(source_same(&a, &now));
    file_reads(f, file, 0, "0123new");
    source_close(f->source, file);
}

void an_open_file_survives_rename_and_removal(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL, *replaced = NULL;
    world_write(f, "a", "one");
    OK(by_name_open(f, "a", NULL, &file, &why));
    world_rename(f, "a", "a.1");
    file_reads(f, file, 0, "one");
    world_append(f, "a.1", " more");
    file_reads(f, file, 0, "one more");
    world_unlink(f, "a.1");
    file_reads(f, file, 0, "one more");
    assert_int_equal(file_stat(f, file).links, 0);
    assert_int_equal(file_stat(f, file).size, 8);
    world_write(f, "b", "two");
    OK(by_name_open(f, "b", NULL, &replaced, &why));
    world_write(f, "c", "three");
    world_rename(f, "c", "b");
    file_reads(f, replaced, 0, "two");
    assert_int_equal(file_stat(f, replaced).links, 0);
    source_close(f->source, file);
    source_close(f->source, replaced);
}

void a_held_file_is_found_under_its_old_name(void **state) {
    struct fixture *f = *state;
    struct source_file *first = NULL, *second = NULL, *third = NULL;
    struct source other = f->world->open(f->context);
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a");
    OK(by_name_open(f, "a", &a, &first, &why));
    world_unlink(f, "a");
    world_write(f, "a", "two");
    struct source_stat now = world_stat(f, "a");
    assert_false(source_same(&a, &now)); /* an inode that is held is not given away */
    OK(by_name_open(f, "a", &a, &second, &why));
    file_reads(f, second, 0, "one");
    OK(by_name_open(f, "a", &now, &third, &why));
    file_reads(f, third, 0, "two");
    source_close(f->source, first);
    file_reads(f, second, 0, "one"); /* the last one closes it */
    struct fixture elsewhere = *f;
    elsewhere.source = other; /* another process holds nothing */
    first = NULL;
    EXPECT(by_name_open(&elsewhere, "a", &a, &first, &why), RC_STALE);
    source_close(f->source, second);
    EXPECT(by_name_open(f, "a", &a, &first, &why), RC_STALE);
    source_close(f->source, third);
    source_free(other);
}

struct sharing {
    struct fixture *f;
    struct source_stat stat;
    int failures;
};

static void *open_and_read(void *context) {
    struct sharing *s = context;
    for (int i = 0; i < 300; i++) {
        struct source_file *file = NULL;
        char got[4];
        size_t len = 0;
        if (by_name_open(s->f, "a", i % 2 ? &s->stat : NULL, &file, NULL) != RC_OK) {
            s->failures++;
            continue;
        }
        if (source_read(s->f->source, file, 1, got, 2, &len, NULL) != RC_OK || len != 2 || got[0] != 'n') s->failures++;
        source_close(s->f->source, file);
    }
    return NULL;
}

void many_threads_share_an_open_file(void **state) {
    struct fixture *f = *state;
    pthread_t threads[4];
    struct sharing sharing[4];
    world_write(f, "a", "one");
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        sharing[i] = (struct sharing){.f = f, .stat = world_stat(f, "a")};
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_read, &sharing[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) (void)pthread_join(threads[i], NULL);
    for (size_t i = 0; i < COUNT_OF(threads); i++) assert_int_equal(sharing[i].failures, 0);
}
