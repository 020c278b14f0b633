/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what source.h says, sentence by sentence, on whatever adapter it is run. */
#include "source_contract_private.h"

#include "alloc.h"
#include "num.h"

#include <stdio.h>
#include <stdlib.h>

static const struct source_world *the_world; /* cmocka hands a group no argument */

static int set_up(void **state) {
    struct fixture *f = ALLOC(struct fixture);
    f->world = the_world;
    f->context = f->world->begin();
    f->source = f->world->open(f->context);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    source_free(f->source);
    f->world->end(f->context);
    free(f);
    return 0;
}

void contract_expect(enum rc rc, enum rc expected, const struct why *why) {
    if (rc != expected) fail_msg("got %s, expected %s: %s", rc_name(rc), rc_name(expected), why->text);
}

/* ---- what others do ---- */

char *world_path(struct fixture *f, const char *name, char out[TEST_PATH]) {
    assert_true(snprintf(out, TEST_PATH, "%s/%s", f->world->root(f->context), name) < TEST_PATH);
    return out;
}

void world_write(struct fixture *f, const char *name, const char *text) {
    char path[TEST_PATH];
    f->world->write(f->context, world_path(f, name, path), str_of(text));
}

void world_append(struct fixture *f, const char *name, const char *text) {
    char path[TEST_PATH];
    f->world->append(f->context, world_path(f, name, path), str_of(text));
}

void world_truncate(struct fixture *f, const char *name, uint64_t size) {
    char path[TEST_PATH];
    f->world->truncate(f->context, world_path(f, name, path), size);
}

void world_rename(struct fixture *f, const char *from, const char *to) {
    char path[TEST_PATH], other[TEST_PATH];
    f->world->rename(f->context, world_path(f, from, path), world_path(f, to, other));
}

void world_unlink(struct fixture *f, const char *name) {
    char path[TEST_PATH];
    f->world->unlink(f->context, world_path(f, name, path));
}

bool world_exists(struct fixture *f, const char *name) {
    char path[TEST_PATH];
    return f->world->exists(f->context, world_path(f, name, path));
}

/* ---- listings ---- */

void found_done(struct found *found) {
    for (size_t i = 0; i < found->len; i++) free(found->paths[i]);
    found->len = 0;
}

static enum rc collect(void *context, const struct source_entry *entry) {
    struct found *found = context;
    AUTO(buf_done) struct buf path = BUF_INIT(SOURCE_PATH_MAX);
    if (str_starts(entry->uri, STR("s3://")))
        assert_int_equal(source_uri_decode_piece(entry->uri, 0, &path), RC_OK);
    else
        OK(source_uri_decode(entry->uri, &path, &why));
    size_t root = strlen(found->root);
    assert_true(str_starts(buf_str(&path), str_of(found->root)) && path.at[root] == '/');
    size_t at = 0;
    while (at < found->len && strcmp(found->paths[at], buf_text(&path) + root + 1) < 0) at++;
    assert_true(found->len < FOUND_MAX);
    memmove(&found->paths[at + 1], &found->paths[at], (found->len - at) * sizeof *found->paths);
    memmove(&found->stats[at + 1], &found->stats[at], (found->len - at) * sizeof *found->stats);
    found->paths[at] = alloc_text(path.at + root + 1, path.len - root - 1);
    found->stats[at] = entry->stat;
    found->len++;
    return RC_OK;
}

static void no_problem(void *context, struct str uri, enum rc rc, const struct why *why) {
    (void)context;
    fail_msg("%.*s: %s: %s", STR_ARG(uri), rc_name(rc), why->text);
}

/* The words of `text`, those with a '/' in front or all as paths below the root. */
static size_t split(struct fixture *f, const char *text, bool names, char paths[][TEST_PATH], struct str *out) {
    size_t n = 0;
    struct str rest = str_of(text), word;
    while (str_cut(&rest, ' ', &word)) {
        char one[TEST_PATH];
        if (word.len == 0) continue;
        (void)snprintf(one, sizeof one, "%.*s", STR_ARG(word));
        if (names && !strchr(one, '/'))
            (void)snprintf(paths[n], TEST_PATH, "%s", one);
        else
            (void)world_path(f, one, paths[n]);
        out[n] = str_of(paths[n]);
        n++;
    }
    return n;
}

void world_find(struct fixture *f, const char *paths, const char *excludes, struct found *out) {
    char path_texts[8][TEST_PATH], exclude_texts[8][TEST_PATH];
    struct str path_strs[8], exclude_strs[8];
    struct source_pattern pattern = {.paths = path_strs, .excludes = exclude_strs};
    pattern.paths_len = split(f, paths, false, path_texts, path_strs);
    pattern.excludes_len = split(f, excludes, true, exclude_texts, exclude_strs);
    out->root = f->world->root(f->context);
    OK(source_list(f->source, &pattern, collect, no_problem, out, &why));
}

void world_lists(struct fixture *f, const char *paths, const char *excludes, const char *expected) {
    AUTO(found_done) struct found found = {.len = 0};
    AUTO(buf_done) struct buf got = BUF_INIT(100000);
    world_find(f, paths, excludes, &found);
    for (size_t i = 0; i < found.len; i++) buf_add_format(&got, "%s%s", i ? " " : "", found.paths[i]);
    assert_string_equal(buf_text(&got), expected);
}

struct source_stat world_stat(struct fixture *f, const char *name) {
    AUTO(found_done) struct found found = {.len = 0};
    world_find(f, name, "", &found);
    assert_int_equal(found.len, 1);
    return found.stats[0];
}

enum rc world_watch(struct fixture *f, const char *path, struct why *why) {
    char text[TEST_PATH];
    struct str one = str_of(world_path(f, path, text));
    return source_watch(f->source, &(struct source_pattern){.paths = &one, .paths_len = 1}, why);
}

/* ---- by name ---- */

static void uri_of(struct fixture *f, const char *name, struct buf *out) {
    char path[TEST_PATH], piece[3 * TEST_PATH];
    struct str whole = str_of(world_path(f, name, path));
    if (f->world->objects)
        buf_add(out, (struct str){piece, source_uri_encode_piece(whole, piece)});
    else
        assert_int_equal(source_uri_encode(whole, out), RC_OK);
}

enum rc by_name_open(struct fixture *f, const char *name, const struct source_stat *expected, struct source_file **out,
                     struct why *why) {
    AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX);
    uri_of(f, name, &uri);
    return source_open(f->source, buf_str(&uri), expected, out, why);
}

enum rc by_name_remove(struct fixture *f, const char *name, const struct source_stat *expected, struct why *why) {
    AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX);
    uri_of(f, name, &uri);
    return source_remove(f->source, buf_str(&uri), expected, why);
}

enum rc by_name_move(struct fixture *f, const char *name, const struct source_stat *expected, const char *to,
                     struct why *why) {
    AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX);
    char directory[TEST_PATH];
    uri_of(f, name, &uri);
    return source_move(f->source, buf_str(&uri), expected, str_of(world_path(f, to, directory)), why);
}

void file_reads(struct fixture *f, struct source_file *file, uint64_t from, const char *text) {
    char got[1000];
    size_t len = 7;
    OK(source_read(f->source, file, from, got, sizeof got, &len, &why));
    assert_int_equal(len, strlen(text));
    assert_memory_equal(got, text, len);
}

struct source_stat file_stat(struct fixture *f, struct source_file *file) {
    struct source_stat stat = {0};
    OK(source_stat(f->source, file, &stat, &why));
    return stat;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int run_objects(const struct source_world *world) {
    const struct CMUnitTest tests[] = {
        TEST(every_match_is_told_once_with_its_size),
        TEST(globs_mean_what_they_mean_in_the_shell),
        TEST(two_stars_stand_for_any_directories),
        TEST(excludes_hide_files_and_directories),
        TEST(the_visitor_ends_the_listing),
        TEST(what_is_not_there_is_no_problem),
        TEST(a_pattern_that_is_none_is_refused),
        TEST(an_object_is_bucket_key_and_etag),
        TEST(a_replaced_object_is_stale_and_a_removed_one_absent),
        TEST(what_is_no_uri_of_the_bucket_is_refused),
        TEST(reads_give_ranges_and_nothing_behind_the_end),
        TEST(blocks_and_ranges_give_the_same_bytes),
        TEST(many_threads_share_an_open_file),
        TEST(remove_takes_only_the_object_that_was_expected),
        TEST(tags_come_to_those_that_are_there),
        TEST(a_listing_of_many_pages_misses_none_and_finds_late_keys),
        TEST(wake_ends_a_wait),
    };
    return _cmocka_run_group_tests(world->name, tests, COUNT_OF(tests), NULL, NULL);
}

int source_contract_run(const struct source_world *world) {
    const struct CMUnitTest tests[] = {
        TEST(every_match_is_told_once_with_its_size),
        TEST(globs_mean_what_they_mean_in_the_shell),
        TEST(two_stars_stand_for_any_directories),
        TEST(excludes_hide_files_and_directories),
        TEST(the_visitor_ends_the_listing),
        TEST(what_is_not_there_is_no_problem),
        TEST(a_pattern_that_is_none_is_refused),
        TEST(a_file_is_listed_with_facts_that_stay),
        TEST(the_expected_incarnation_is_opened),
        TEST(another_file_under_the_name_is_stale),
        TEST(what_is_no_uri_is_refused),
        TEST(reads_give_ranges_and_nothing_behind_the_end),
        TEST(growth_and_truncation_show),
        TEST(an_open_file_survives_rename_and_removal),
        TEST(a_held_file_is_found_under_its_old_name),
        TEST(many_threads_share_an_open_file),
        TEST(remove_takes_only_what_was_expected),
        TEST(move_takes_only_what_was_expected),
        TEST(move_replaces_nothing),
        TEST(changes_under_a_watched_pattern_are_told),
        TEST(a_directory_that_appears_later_is_watched),
        TEST(wake_ends_a_wait),
    };
    the_world = world;
    if (world->objects) return run_objects(world);
    return _cmocka_run_group_tests(world->name, tests, COUNT_OF(tests), NULL, NULL);
}
