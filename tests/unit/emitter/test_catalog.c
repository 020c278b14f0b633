/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the catalog finds exactly the incarnations that are in it, through any order of adding and removing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog.h"
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
            (void)snprintf(name, sizeof name, "%d", (int)inode);
            assert_int_equal(catalog_place(&catalog, found), place[inode]); /* it stays where it is */
            assert_string_equal(found->name, name);
            catalog_remove(&catalog, found);
            there[inode] = false;
            live--;
        } else {
            char name[16];
            (void)snprintf(name, sizeof name, "%d", (int)inode);
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
    catalog_rename(entry, STR("file:///b"));
    assert_string_equal(catalog_find(&catalog, 0, &seen.stat)->name, "file:///b");
    catalog_done(&catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_a_plain_array_finds),
        cmocka_unit_test(renaming_keeps_the_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
