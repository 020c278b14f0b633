/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: several sources are one: each path, exclude and URI goes to the source that its beginning names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "num.h"
#include "own.h"
#include "source_memory.h"
#include "source_route.h"

/* Files, and files below /b/ as another source: to the router they are alike. */
struct fixture {
    struct source files, others, source;
};

static int set_up(void **state) {
    static struct fixture f;
    f.files = source_memory_new();
    f.others = source_memory_new();
    source_memory_write(f.files, "/a/1", STR("one"));
    source_memory_write(f.files, "/a/x.gz", STR("gz"));
    source_memory_write(f.others, "/b/2", STR("two"));
    source_memory_write(f.others, "/b/x.gz", STR("gz"));
    source_memory_write(f.others, "/a/1", STR("not seen"));
    static const struct str prefix = STR("/b/");
    f.source = source_route_new(f.files, &(struct source_route){prefix, f.others}, 1);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    source_free(f->source);
    return 0;
}

static enum rc collect(void *context, const struct source_entry *entry) {
    struct buf *out = context;
    buf_add(out, entry->uri);
    buf_add_char(out, ' ');
    return RC_OK;
}

static void a_pattern_is_split_by_what_its_paths_begin_with(void **state) {
    struct fixture *f = *state;
    static const struct str paths[] = {STR("/a/*"), STR("/b/*"), STR("/b/2")}, excludes[] = {STR("*.gz"), STR("/b/3")};
    const struct source_pattern pattern = {paths, COUNT_OF(paths), excludes, COUNT_OF(excludes), false};
    AUTO(buf_done) struct buf found = BUF_INIT(1000);
    assert_int_equal(source_list(f->source, &pattern, collect, NULL, &found, NULL), RC_OK);
    assert_string_equal(buf_text(&found), "file:///b/2 file:///a/1 ");
    assert_int_equal(source_watch(f->source, &pattern, NULL), RC_OK);
    bool changed = false;
    source_memory_write(f->files, "/a/3", STR("x"));
    assert_int_equal(source_wait(f->source, 0, &changed, NULL), RC_OK);
    assert_true(changed);
}

/* The URIs of the simulated disk begin with file://, so all of them are the default's. */
static void a_uri_that_is_no_routes_is_the_defaults(void **state) {
    struct fixture *f = *state;
    struct source_file *file = NULL;
    struct source_stat stat = {0};
    char got[10];
    size_t len = 0;
    assert_int_equal(source_open(f->source, STR("file:///a/1"), NULL, &file, NULL), RC_OK);
    assert_int_equal(source_stat(f->source, file, &stat, NULL), RC_OK);
    assert_int_equal(source_read(f->source, file, 0, got, sizeof got, &len, NULL), RC_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(got, "one", 3);
    source_close(f->source, file);
    assert_int_equal(source_mark(f->source, STR("file:///a/1"), &stat, STR("k"), STR("v"), NULL), RC_BAD);
    assert_int_equal(source_move(f->source, STR("file:///a/1"), &stat, STR("/c"), NULL), RC_OK);
    assert_true(source_memory_exists(f->files, "/c/1"));
    assert_true(source_memory_exists(f->others, "/a/1"));
    assert_int_equal(source_remove(f->source, STR("/b/2"), &stat, NULL),
                     RC_BAD); /* the other one's, who knows no such URI */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_pattern_is_split_by_what_its_paths_begin_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_uri_that_is_no_routes_is_the_defaults, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
