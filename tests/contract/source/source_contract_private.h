/* SPDX-License-Identifier: Apache-2.0 */
/* source_contract_private: what the parts of the suite share. */
#ifndef SLUICE_SOURCE_CONTRACT_PRIVATE_H
#define SLUICE_SOURCE_CONTRACT_PRIVATE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "source_contract.h"

#include "own.h"
#include "source_uri.h"

struct fixture {
    const struct source_world *world;
    void *context;
    struct source source;
};

enum { FOUND_MAX = 300, TEST_PATH = 1024 };

/* What a listing told, in the order of names: paths below the root. */
struct found {
    char *paths[FOUND_MAX];
    struct source_stat stats[FOUND_MAX];
    size_t len;
    const char *root;
};

/* EXPECT(source_open(…, &why), RC_STALE): the call's outcome, or the test fails with its words. */
#define EXPECT(call, expected)                                                                                         \
    do {                                                                                                               \
        struct why why = {0};                                                                                          \
        contract_expect((call), (expected), &why);                                                                     \
    } while (0)
#define OK(call) EXPECT(call, RC_OK)

void contract_expect(enum rc rc, enum rc expected, const struct why *why);

/* What others do, with paths below the root. */
void world_write(struct fixture *f, const char *name, const char *text);
void world_append(struct fixture *f, const char *name, const char *text);
void world_truncate(struct fixture *f, const char *name, uint64_t size);
void world_rename(struct fixture *f, const char *from, const char *to);
void world_unlink(struct fixture *f, const char *name);
bool world_exists(struct fixture *f, const char *name);
/* "<root>/<name>" */
char *world_path(struct fixture *f, const char *name, char out[TEST_PATH]);

void found_done(struct found *found);
/* Lists `paths` less `excludes` (below the root; excludes without '/' as they are), each text a list with blanks. */
void world_find(struct fixture *f, const char *paths, const char *excludes, struct found *out);
/* The listing of `paths` less `excludes` is `expected`: names with blanks, in order. */
void world_lists(struct fixture *f, const char *paths, const char *excludes, const char *expected);
/* The stat of the one file `name`, from a listing. */
struct source_stat world_stat(struct fixture *f, const char *name);
/* A pattern of one path below the root for source_watch. */
enum rc world_watch(struct fixture *f, const char *path, struct why *why);

/* Calls with a path below the root in place of the URI. */
enum rc by_name_open(struct fixture *f, const char *name, const struct source_stat *expected, struct source_file **out,
                     struct why *why);
enum rc by_name_remove(struct fixture *f, const char *name, const struct source_stat *expected, struct why *why);
enum rc by_name_move(struct fixture *f, const char *name, const struct source_stat *expected, const char *to,
                     struct why *why);
/* Reading all of it from offset `from` gives `text`. */
void file_reads(struct fixture *f, struct source_file *file, uint64_t from, const char *text);
struct source_stat file_stat(struct fixture *f, struct source_file *file);

/* The tests. */
void every_match_is_told_once_with_its_size(void **state);
void globs_mean_what_they_mean_in_the_shell(void **state);
void two_stars_stand_for_any_directories(void **state);
void excludes_hide_files_and_directories(void **state);
void the_visitor_ends_the_listing(void **state);
void what_is_not_there_is_no_problem(void **state);
void a_pattern_that_is_none_is_refused(void **state);
void a_file_is_listed_with_facts_that_stay(void **state);
void the_expected_incarnation_is_opened(void **state);
void another_file_under_the_name_is_stale(void **state);
void what_is_no_uri_is_refused(void **state);
void reads_give_ranges_and_nothing_behind_the_end(void **state);
void growth_and_truncation_show(void **state);
void an_open_file_survives_rename_and_removal(void **state);
void a_held_file_is_found_under_its_old_name(void **state);
void many_threads_share_an_open_file(void **state);
void remove_takes_only_what_was_expected(void **state);
void move_takes_only_what_was_expected(void **state);
void move_replaces_nothing(void **state);
void changes_under_a_watched_pattern_are_told(void **state);
void a_directory_that_appears_later_is_watched(void **state);
void wake_ends_a_wait(void **state);
/* source_contract_object.c: of objects only */
void an_object_is_bucket_key_and_etag(void **state);
void a_replaced_object_is_stale_and_a_removed_one_absent(void **state);
void what_is_no_uri_of_the_bucket_is_refused(void **state);
void blocks_and_ranges_give_the_same_bytes(void **state);
void remove_takes_only_the_object_that_was_expected(void **state);
void tags_come_to_those_that_are_there(void **state);
void a_listing_of_many_pages_misses_none_and_finds_late_keys(void **state);

#endif
