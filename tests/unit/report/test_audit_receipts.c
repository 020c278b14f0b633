/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a receipt that is missing, damaged, too early, or says something else than the manifests do is found and
 * named by its key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_world.h"
#include "own.h"

#include <string.h>

static void world_of(struct made_world *w) { made_world_new(&(struct made_settings){0}, w); }

static void a_receipt_that_is_gone_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_remove(&w, made_receipt_key(&w));
    MADE_EXPECT(&w, false, AUDIT_RECEIPT_MISSING);
    assert_string_equal(made_finding(&w, AUDIT_RECEIPT_MISSING)->key, made_receipt_key(&w).at);
    assert_true(id_equal(made_finding(&w, AUDIT_RECEIPT_MISSING)->file, w.a));
}

static void a_receipt_that_is_no_receipt_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_put(&w, made_receipt_key(&w), STR("{\"kind\":\"rec"));
    MADE_EXPECT(&w, false, AUDIT_RECEIPT_BAD);
    made_put(&w, STR("_receipts/g1/what.json"), STR("{}"));
    MADE_EXPECT(&w, false, AUDIT_RECEIPT_BAD, AUDIT_RECEIPT_BAD);
}

static void reads_another_end(struct made_world *w, struct receipt *r) {
    (void)w;
    r->end = 2501;
}

static void counts_one_line_less(struct made_world *w, struct receipt *r) {
    (void)w;
    r->counts.lines--;
    r->counts.blank--;
}

static void forgets_an_object(struct made_world *w, struct receipt *r) {
    (void)w;
    r->objects_len--;
}

static void names_another_object(struct made_world *w, struct receipt *r) {
    (void)w;
    struct str key = r->objects[0].key;
    char *other = arena_alloc(&w->arena, key.len);
    memcpy(other, key.at, key.len);
    other[str_equal(str_sub(key, 0, 5), STR("g1/dt")) ? 6 : 0] = '7'; /* dt=7 */
    r->objects[0].key = (struct str){other, key.len};
}

static void a_receipt_that_says_something_else_is_named(void **state) {
    (void)state;
    static const struct {
        void (*edit)(struct made_world *, struct receipt *);
        enum audit_kind kinds[2];
        size_t count;
    } damages[] = {
        {reads_another_end, {AUDIT_RECEIPT_BAD}, 1},
        {counts_one_line_less, {AUDIT_RECEIPT_COUNTS}, 1},
        {forgets_an_object, {AUDIT_RECEIPT_OBJECTS}, 1},
        {names_another_object, {AUDIT_RECEIPT_OBJECTS}, 1},
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        AUTO(made_world_done) struct made_world w;
        world_of(&w);
        made_edit_receipt(&w, damages[i].edit);
        made_expect(&w, false, damages[i].kinds, damages[i].count);
        assert_string_equal(w.found[0].key, made_receipt_key(&w).at);
    }
}

static void put_receipt_of(struct made_world *w, struct id file, uint64_t end) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20), key = BUF_INIT(1024);
    char id[ID_TEXT];
    struct receipt r = {.file = file, .facts = made_facts(w, w->b), .generation = 1, .end = end, .stripes = 1};
    assert_int_equal(receipt_encode(&r, &bytes), RC_OK);
    buf_add_format(&key, "_receipts/g1/%s-%d.json", id_format(file, id), (int)end);
    made_put(w, buf_str(&key), buf_str(&bytes));
}

static void a_receipt_for_what_is_not_converted_is_early(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    put_receipt_of(&w, w.b, 500);
    MADE_EXPECT(&w, false, AUDIT_RECEIPT_EARLY);
    assert_true(id_equal(made_finding(&w, AUDIT_RECEIPT_EARLY)->file, w.b));
}

static void a_receipt_of_an_unknown_file_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    put_receipt_of(&w, (struct id){{0xee, 1}}, 5);
    MADE_EXPECT(&w, false, AUDIT_FILE_UNKNOWN);
}

/* A ledger that was set back knows files again by what seals hold, and of an empty file they hold nothing. */
static void a_receipt_of_an_unknown_empty_file_is_nothing(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    put_receipt_of(&w, (struct id){{0xee, 1}}, 0);
    made_expect(&w, false, NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_that_is_gone_is_named),
        cmocka_unit_test(a_receipt_that_is_no_receipt_is_named),
        cmocka_unit_test(a_receipt_that_says_something_else_is_named),
        cmocka_unit_test(a_receipt_for_what_is_not_converted_is_early),
        cmocka_unit_test(a_receipt_of_an_unknown_file_is_named),
        cmocka_unit_test(a_receipt_of_an_unknown_empty_file_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
