/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an object is one file for as long as bucket, key and ETag are the same, and not a byte longer; reads are
 * exact however they travel; listings of many pages miss none. */
#include "source_contract_private.h"

#include "alloc.h"
#include "num.h"
#include "rng.h"

#include <stdio.h>
#include <stdlib.h>

void an_object_is_bucket_key_and_etag(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL;
    world_write(f, "a", "one");
    struct source_stat first = world_stat(f, "a");
    assert_true(first.fixed && first.inode != 0 && first.inode <= INT64_MAX && first.volume <= INT64_MAX);
    assert_true((first.birth_ns != 0) != (first.volume != 0));
    assert_true(first.mtime_ns > 0 && first.mtime_ns % 1000000000 == 0);
    OK(by_name_open(f, "a", &first, &file, &why));
    struct source_stat opened = file_stat(f, file);
    assert_true(source_same(&first, &opened) && opened.size == first.size && opened.fixed);
    source_close(f->source, file);
    world_write(f, "a", "two");
    struct source_stat second = world_stat(f, "a");
    assert_false(source_same(&first, &second));
    world_write(f, "a", "one");
    struct source_stat again = world_stat(f, "a");
    assert_true(source_same(&first, &again)); /* the same bytes under the same key */
    world_write(f, "b", "one");
    struct source_stat other = world_stat(f, "b");
    assert_false(source_same(&first, &other));
}

void a_replaced_object_is_stale_and_a_removed_one_absent(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL, *none = NULL;
    char got[10];
    size_t len = 7;
    EXPECT(by_name_open(f, "a", NULL, &none, &why), RC_ABSENT);
    EXPECT(by_name_open(f, "no/such", NULL, &none, &why), RC_ABSENT);
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a");
    OK(by_name_open(f, "a", &a, &file, &why));
    world_write(f, "a", "two longer");
    EXPECT(by_name_open(f, "a", &a, &none, &why), RC_STALE);
    EXPECT(source_read(f->source, file, 0, got, sizeof got, &len, &why), RC_STALE);
    assert_int_equal(len, 7);
    world_unlink(f, "a");
    EXPECT(by_name_open(f, "a", &a, &none, &why), RC_ABSENT);
    EXPECT(source_read(f->source, file, 0, got, sizeof got, &len, &why), RC_ABSENT);
    assert_null(none);
    source_close(f->source, file);
}

void what_is_no_uri_of_the_bucket_is_refused(void **state) {
    struct fixture *f = *state;
    static const struct str bad[] = {STR(""), STR("/a/b"), STR("file:///a"), STR("s3://another/a"), STR("s3://")};
    struct source_stat stat = {.inode = 1};
    struct source_file *file = NULL;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EXPECT(source_open(f->source, bad[i], NULL, &file, &why), RC_BAD);
        EXPECT(source_remove(f->source, bad[i], &stat, &why), RC_BAD);
        EXPECT(source_mark(f->source, bad[i], &stat, STR("k"), STR("v"), &why), RC_BAD);
    }
    world_write(f, "a", "one");
    stat = world_stat(f, "a");
    EXPECT(by_name_move(f, "a", &stat, "to", &why), RC_BAD);
    assert_true(world_exists(f, "a"));
}

enum { LARGE = 11 << 20, PIECE = 256 * 1024 };

static char byte_at(uint64_t at) { return (char)((at * 2654435761u) >> 16); }

static void reads_right(struct fixture *f, struct source_file *file, uint64_t from, char *got, size_t len) {
    size_t n = 0;
    OK(source_read(f->source, file, from, got, len, &n, &why));
    assert_int_equal(n, from < LARGE ? MIN((uint64_t)len, LARGE - from) : 0);
    for (size_t i = 0; i < n; i++)
        if (got[i] != byte_at(from + i)) fail_msg("byte %zu behind %zu", i, (size_t)from);
}

void blocks_and_ranges_give_the_same_bytes(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL;
    char *bytes = alloc_bytes(LARGE), path[TEST_PATH];
    struct rng rng = rng_from_seed(7);
    for (size_t i = 0; i < LARGE; i++) bytes[i] = byte_at(i);
    f->world->write(f->context, world_path(f, "large", path), (struct str){bytes, LARGE});
    OK(by_name_open(f, "large", NULL, &file, &why));
    for (uint64_t at = 0; at < LARGE + 2 * PIECE; at += PIECE) { /* as a lane does: on, and a look back */
        reads_right(f, file, at, bytes, PIECE);
        reads_right(f, file, at > 5000 ? at - 5000 : 0, bytes, 4096);
    }
    for (int i = 0; i < 60; i++) reads_right(f, file, rng_below(&rng, LARGE), bytes, 1 + rng_below(&rng, 1 << 21));
    reads_right(f, file, LARGE - 100, bytes, 5 << 20);
    reads_right(f, file, 0, bytes, LARGE);
    source_close(f->source, file);
    free(bytes);
}

void remove_takes_only_the_object_that_was_expected(void **state) {
    struct fixture *f = *state;
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a"), grown = a;
    grown.size++;
    EXPECT(by_name_remove(f, "a", &grown, &why), RC_STALE);
    world_write(f, "a", "two");
    EXPECT(by_name_remove(f, "a", &a, &why), RC_STALE);
    assert_true(world_exists(f, "a"));
    a = world_stat(f, "a");
    OK(by_name_remove(f, "a", &a, &why));
    assert_false(world_exists(f, "a"));
    EXPECT(by_name_remove(f, "a", &a, &why), RC_ABSENT);
}

static enum rc mark(struct fixture *f, const char *name, const struct source_stat *expected, const char *key,
                    const char *value, struct why *why) {
    AUTO(buf_done) struct buf uri = BUF_INIT(TEST_PATH);
    char path[TEST_PATH];
    buf_add(&uri, str_of(world_path(f, name, path)));
    return source_mark(f->source, buf_str(&uri), expected, str_of(key), str_of(value), why);
}

void tags_come_to_those_that_are_there(void **state) {
    struct fixture *f = *state;
    world_write(f, "a", "one");
    struct source_stat a = world_stat(f, "a");
    char key[16];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        OK(mark(f, "a", &a, key, "a b", &why));
    }
    OK(mark(f, "a", &a, "k3", "a b", &why));              /* it is there already */
    OK(mark(f, "a", &a, "k3", "another", &why));          /* another value */
    EXPECT(mark(f, "a", &a, "k10", "v", &why), RC_LIMIT); /* all ten are still there */
    world_write(f, "a", "two");
    EXPECT(mark(f, "a", &a, "k", "v", &why), RC_STALE);
}

/* More than two pages, and then one in front of all: nothing is remembered from one listing to the next. */
void a_listing_of_many_pages_misses_none_and_finds_late_keys(void **state) {
    enum { KEYS = 2100 };
    struct fixture *f = *state;
    char name[64], path[TEST_PATH];
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(name, sizeof name, "many/%04d.log", i);
        f->world->write(f->context, world_path(f, name, path), STR("x"));
    }
    AUTO(found_done) struct found found = {.len = 0};
    world_find(f, "many/*0.log", "", &found); /* of all pages */
    assert_int_equal(found.len, KEYS / 10);
    assert_string_equal(found.paths[found.len - 1], "many/2090.log");
    world_write(f, "many/.0", "x");
    world_write(f, "many/+late.log", "x");
    world_lists(f, "many/*late.log", "", "many/+late.log");
}
