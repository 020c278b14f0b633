/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the catalog finds exactly the incarnations that are in it, through any order of adding and removing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog.h"
#include "own.h"
#include "rng.h"

#include <stdio.h>

enum { INODES = 300, STEPS = 20000 };

static struct source_stat stat_of(uint64_t inode) {
    /* Some differ in one of the facts alone. */
    return (struct source_stat){.inode = inode / 3, .birth_ns = inode % 3 == 1, .volume = inode % 3 == 2};
}

static void it_finds_what_a_plain_array_finds(void **state) {
    (void)state;
    static uint32_t place[INODES];
    static bool there[INODES];
    struct catalog catalog = {0};
    struct rng rng = rng_from_seed(1);
    size_t live = 0;
    for (size_t step = 0; step < STEPS; step++) {
        uint64_t inode = rng_below(&rng, INODES);
        struct source_stat stat = stat_of(inode);
        struct catalog_entry *found = catalog_find(&catalog, 7, &stat);
        assert_int_equal(found != NULL, there[inode]);
        assert_null(catalog_find(&catalog, 8, &stat));
        if (found) {
            char name[16];
            (void)snprintf(name, sizeof name, "%d/%d", (int)inode % 20, (int)inode);
            assert_int_equal(catalog_place(&catalog, found), place[inode]); /* it stays where it is */
            assert_true(catalog_is_named(&catalog, found, str_of(name)));
            catalog_remove(&catalog, found);
            there[inode] = false;
            live--;
        } else {
            char name[16];
            (void)snprintf(name, sizeof name, "%d/%d", (int)inode % 20, (int)inode);
            struct source_entry seen = {str_of(name), stat};
            place[inode] = catalog_place(&catalog, catalog_add(&catalog, 7, &seen));
            there[inode] = true;
            live++;
        }
        assert_int_equal(catalog.live, live);
    }
    catalog_done(&catalog);
}

static void renaming_keeps_the_entry(void **state) {
    (void)state;
    struct catalog catalog = {0};
    struct source_entry seen = {STR("file:///a"), stat_of(1)};
    struct catalog_entry *entry = catalog_add(&catalog, 0, &seen);
    assert_int_equal(entry->state, CATALOG_NEW);
    catalog_rename(&catalog, entry, STR("file:///b"));
    assert_true(catalog_is_named(&catalog, catalog_find(&catalog, 0, &seen.stat), STR("file:///b")));
    catalog_done(&catalog);
}

/* A URI comes back as it was, whatever its parts, and other URIs are not its. */
static void names_are_kept_in_parts_and_given_whole(void **state) {
    (void)state;
    static const char *const uris[] = {"", "/", "a", "/a", "a/", "a/b", "a/b/", "a/b/c", "a//b", "file:///x/y.log"};
    enum { URIS = sizeof uris / sizeof uris[0] };
    struct catalog catalog = {0};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (uint64_t i = 0; i < URIS; i++) {
        struct source_entry seen = {str_of(uris[i]), {.inode = i}};
        (void)catalog_add(&catalog, 0, &seen);
    }
    for (uint64_t i = 0; i < URIS; i++) {
        struct source_stat stat = {.inode = i};
        const struct catalog_entry *entry = catalog_find(&catalog, 0, &stat);
        assert_string_equal(catalog_uri(&catalog, entry, &arena).at, uris[i]);
        for (uint64_t k = 0; k < URIS; k++)
            assert_int_equal(catalog_is_named(&catalog, entry, str_of(uris[k])), i == k);
    }
    catalog_done(&catalog);
}

/* Folders against a plain array of counts, through any order of taking and dropping. */
static void a_folder_is_kept_once_while_it_has_users(void **state) {
    (void)state;
    enum { TEXTS = 200 };
    static unsigned users[TEXTS];
    static uint32_t numbers[TEXTS];
    struct folders folders = {0};
    struct rng rng = rng_from_seed(2);
    size_t live = 0;
    for (size_t step = 0; step < STEPS; step++) {
        size_t i = (size_t)rng_below(&rng, TEXTS);
        char text[16];
        (void)snprintf(text, sizeof text, "/%zu/", i);
        if (rng_below(&rng, 2)) {
            uint32_t number = folders_take(&folders, str_of(text));
            if (users[i]) assert_int_equal(number, numbers[i]);
            live += users[i]++ == 0;
            numbers[i] = number;
        } else if (users[i]) {
            assert_true(str_equal(folders_text(&folders, numbers[i]), str_of(text)));
            folders_drop(&folders, numbers[i]);
            live -= --users[i] == 0;
        }
        assert_int_equal(folders.live, live);
        assert_true(folders.len <= TEXTS); /* numbers are used again */
    }
    folders_done(&folders);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_a_plain_array_finds),
        cmocka_unit_test(renaming_keeps_the_entry),
        cmocka_unit_test(names_are_kept_in_parts_and_given_whole),
        cmocka_unit_test(a_folder_is_kept_once_while_it_has_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
