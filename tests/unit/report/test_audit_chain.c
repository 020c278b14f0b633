/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a seal or manifest that is missing, damaged, out of its place, or not what the other one says is found and
 * named by its key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_world.h"
#include "own.h"

static void world_of(struct made_world *w) { made_world_new(&(struct made_settings){0}, w); }

static void a_seal_that_is_gone_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_remove(&w, made_seal_key(&w, 0, 0));
    MADE_EXPECT(&w, false, AUDIT_SEAL_MISSING);
    assert_string_equal(made_finding(&w, AUDIT_SEAL_MISSING)->key, made_seal_key(&w, 0, 0).at);
}

static void a_batch_that_is_gone_altogether_leaves_a_hole_in_the_chain(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_remove(&w, made_seal_key(&w, 0, 0));
    made_remove(&w, made_manifest_key(&w, 0, 0));
    /* Its two objects are listed nowhere, A's attempt 0 is in nothing, and of attempt 1 two blocks are. */
    MADE_EXPECT(&w, false, AUDIT_SEAL_MISSING, AUDIT_OBJECT_UNLISTED, AUDIT_OBJECT_UNLISTED, AUDIT_GAP,
                AUDIT_BLOCKS_MISSING);
    assert_int_equal(made_finding(&w, AUDIT_GAP)->to, 400);
    assert_true(id_equal(made_finding(&w, AUDIT_BLOCKS_MISSING)->attempt, made_attempt(&w, 1).id));
}

static void a_whole_chain_that_is_gone_is_seen_by_its_files(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_remove(&w, made_seal_key(&w, 1, 0));
    made_remove(&w, made_manifest_key(&w, 1, 0));
    MADE_EXPECT(&w, false, AUDIT_SEAL_MISSING, AUDIT_GAP, AUDIT_TRAILER_MISSING);
    assert_int_equal(made_finding(&w, AUDIT_GAP)->stripe, 2);
    assert_int_equal(w.result.objects_in_progress, 2);
}

static void a_seal_that_is_no_seal_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_put(&w, made_seal_key(&w, 0, 1), STR("no seal"));
    MADE_EXPECT(&w, false, AUDIT_SEAL_BAD);
    assert_string_equal(made_finding(&w, AUDIT_SEAL_BAD)->key, made_seal_key(&w, 0, 1).at);
}

static void longer(struct made_world *w, struct seal *s) {
    (void)w;
    s->end++;
}

static void longer_manifest(struct made_world *w, struct manifest *m) {
    (void)w;
    m->end++;
}

static void a_hole_between_two_seals_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_edit_seal(&w, 0, 0, longer);
    made_edit_manifest(&w, 0, 0, longer_manifest);
    MADE_EXPECT(&w, false, AUDIT_SEAL_CHAIN);
    assert_string_equal(made_finding(&w, AUDIT_SEAL_CHAIN)->key, made_seal_key(&w, 0, 1).at);
}

static void a_seal_in_another_ones_place_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_put(&w, made_seal_key(&w, 0, 1), made_get(&w, made_seal_key(&w, 1, 0)));
    MADE_EXPECT(&w, false, AUDIT_SEAL_BAD);
}

static void a_manifest_that_is_gone_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_remove(&w, made_manifest_key(&w, 0, 1));
    /* The ledger was told that it is durable. Its object is of a batch that is sealed: not told a second time. */
    MADE_EXPECT(&w, false, AUDIT_MANIFEST_MISSING, AUDIT_GAP, AUDIT_GAP);
    assert_string_equal(made_finding(&w, AUDIT_MANIFEST_MISSING)->key, made_manifest_key(&w, 0, 1).at);
}

static void a_manifest_that_is_no_manifest_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    made_put(&w, made_manifest_key(&w, 0, 1), STR("{\"kind\":\"manifest\"}"));
    MADE_EXPECT(&w, false, AUDIT_MANIFEST_BAD, AUDIT_GAP, AUDIT_GAP, AUDIT_OBJECT_UNLISTED);
    made_put(&w, made_manifest_key(&w, 0, 1), made_get(&w, made_manifest_key(&w, 1, 0)));
    made_audit(&w, false, 0);
    assert_string_equal(made_finding(&w, AUDIT_MANIFEST_BAD)->key, made_manifest_key(&w, 0, 1).at);
}

static void things_with_other_names_among_seals_and_manifests_are_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    AUTO(buf_done) struct buf key = BUF_INIT(1024);
    buf_add(&key, made_seal_key(&w, 0, 0));
    buf_add_char(&key, 'x');
    made_put(&w, buf_str(&key), STR("?"));
    MADE_EXPECT(&w, false, AUDIT_SEAL_BAD);
}

static void of_another_epoch(struct made_world *w, struct manifest *m) {
    (void)w;
    m->epoch++;
}

static void without_an_attempt(struct made_world *w, struct manifest *m) {
    (void)w;
    m->attempts_len--;
}

static void with_other_counts(struct made_world *w, struct manifest *m) {
    (void)w;
    m->attempts[0].blocks++;
}

static void with_fewer_blocks(struct made_world *w, struct manifest *m) {
    (void)w;
    m->objects[0].parts[0].blocks = 2;
}

static void of_other_bytes(struct made_world *w, struct manifest *m) {
    (void)w;
    m->objects[0].parts[0].from++;
}

static void a_manifest_that_differs_from_its_seal_is_named(void **state) {
    (void)state;
    static void (*const edits[])(struct made_world *, struct manifest *) = {
        of_another_epoch, without_an_attempt, with_other_counts, with_fewer_blocks, of_other_bytes};
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        AUTO(made_world_done) struct made_world w;
        world_of(&w);
        made_edit_manifest(&w, 0, 1, edits[i]);
        made_audit(&w, false, 0);
        size_t named = 0;
        for (size_t k = 0; k < w.found_len; k++)
            if (w.found[k].kind == AUDIT_MANIFEST_SEAL) {
                assert_string_equal(w.found[k].key, made_manifest_key(&w, 0, 1).at);
                named++;
            }
        assert_int_equal(named, edits[i] == of_other_bytes ? 2 : 1); /* one too few, and one too many */
        assert_true(i != 0 || w.found_len == 1);
    }
}

static void barriers_need_no_manifest(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w);
    AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20);
    struct seal barrier = {.queue = w.report.queue,
                           .generation = 1,
                           .partition = 1,
                           .index = 1,
                           .start = 5,
                           .end = 5,
                           .epoch = 2,
                           .settings = {STR("jsonl.zst"), 1, 1 << 20, 1 << 20, STR("test")}};
    assert_int_equal(seal_encode(&barrier, &bytes), RC_OK);
    made_put(&w, made_seal_key(&w, 1, 1), buf_str(&bytes));
    made_expect(&w, false, NULL, 0);
    assert_int_equal(w.result.seals, 4);
    assert_int_equal(w.result.seals_in_progress, 0);
    made_remove(&w, made_manifest_key(&w, 1, 0));
    made_audit(&w, false, 0);
    (void)made_finding(&w, AUDIT_MANIFEST_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seal_that_is_gone_is_named),
        cmocka_unit_test(a_batch_that_is_gone_altogether_leaves_a_hole_in_the_chain),
        cmocka_unit_test(a_whole_chain_that_is_gone_is_seen_by_its_files),
        cmocka_unit_test(a_seal_that_is_no_seal_is_named),
        cmocka_unit_test(a_hole_between_two_seals_is_named),
        cmocka_unit_test(a_seal_in_another_ones_place_is_named),
        cmocka_unit_test(a_manifest_that_is_gone_is_named),
        cmocka_unit_test(a_manifest_that_is_no_manifest_is_named),
        cmocka_unit_test(things_with_other_names_among_seals_and_manifests_are_named),
        cmocka_unit_test(a_manifest_that_differs_from_its_seal_is_named),
        cmocka_unit_test(barriers_need_no_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
