/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an object that is missing, cut, changed, listed twice, listed nowhere, or not what its manifest says is
 * found and named by its key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_world.h"
#include "own.h"

#include <string.h>

#define OUTPUT STR("dt=1/k=x")

static void world_of(struct made_world *w, enum frame_format format) {
    made_world_new(&(struct made_settings){.format = format}, w);
}

static void an_object_that_is_gone_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w, FRAME_ZST);
    struct str key = made_object_key(&w, 0, 1, OUTPUT);
    made_remove(&w, key);
    MADE_EXPECT(&w, true, AUDIT_OBJECT_MISSING); /* once, also when objects are read back */
    assert_string_equal(made_finding(&w, AUDIT_OBJECT_MISSING)->key, key.at);
}

static void an_object_that_was_cut_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w, FRAME_ZST);
    struct str key = made_object_key(&w, 0, 1, OUTPUT), bytes = made_get(&w, key);
    made_put(&w, key, str_sub(bytes, 0, bytes.len - 1));
    MADE_EXPECT(&w, true, AUDIT_OBJECT_SIZE);
    assert_string_equal(made_finding(&w, AUDIT_OBJECT_SIZE)->key, key.at);
}

static void a_deep_audit_sees_every_changed_byte(void **state) {
    (void)state;
    for (int format = FRAME_ZST; format <= FRAME_GZ; format++) {
        AUTO(made_world_done) struct made_world w;
        world_of(&w, (enum frame_format)format);
        struct str key = made_object_key(&w, 0, 0, OUTPUT), bytes = made_get(&w, key);
        char *changed = arena_alloc(&w.arena, bytes.len);
        for (size_t i = 0; i < bytes.len; i++) {
            memcpy(changed, bytes.at, bytes.len);
            changed[i] ^= 0x20;
            made_put(&w, key, (struct str){changed, bytes.len});
            if (i == 0) made_expect(&w, false, NULL, 0); /* only a deep one does */
            made_audit(&w, true, 0);
            assert_true(w.found_len >= 1);
            for (size_t k = 0; k < w.found_len; k++) {
                assert_int_equal(w.found[k].kind, AUDIT_OBJECT_BAD);
                assert_string_equal(w.found[k].key, key.at);
            }
        }
    }
}

static void an_object_that_no_manifest_lists_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w, FRAME_ZST);
    struct str key = made_object_key(&w, 0, 1, OUTPUT);
    AUTO(buf_done) struct buf stray = BUF_INIT(1024);
    buf_add(&stray, str_sub(key, 0, key.len - STR(".jsonl.zst").len));
    buf_add(&stray, STR("-7.jsonl.zst"));
    made_put(&w, buf_str(&stray), STR("?"));
    MADE_EXPECT(&w, false, AUDIT_OBJECT_UNLISTED);
    assert_string_equal(made_finding(&w, AUDIT_OBJECT_UNLISTED)->key, buf_text(&stray));
    made_put(&w, STR("g1/dt=1/notes.txt"), STR("?"));
    MADE_EXPECT(&w, false, AUDIT_OBJECT_UNLISTED, AUDIT_OBJECT_UNLISTED);
}

static void objects_of_another_queue_are_left_alone(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w, FRAME_ZST);
    made_put(&w, STR("g1/dt=1/00000000000000000000000000000009-p0-00000000000000000000.jsonl.zst"), STR("?"));
    made_expect(&w, false, NULL, 0);
    assert_int_equal(w.result.objects_foreign, 1);
}

static void of_another_output(struct made_world *w, struct manifest *m) {
    (void)w;
    m->objects[0].output = STR("dt=9");
}

static void with_a_record_more(struct made_world *w, struct manifest *m) {
    (void)w;
    m->objects[0].records++;
}

static void with_another_checksum(struct made_world *w, struct manifest *m) {
    (void)w;
    m->objects[0].checksum ^= 1;
}

static void with_another_part(struct made_world *w, struct manifest *m) {
    (void)w;
    m->objects[0].parts[0].raw_bytes++;
    m->objects[0].parts[1].raw_bytes--;
}

static void an_object_that_is_not_what_its_manifest_says_is_named(void **state) {
    (void)state;
    static const struct {
        void (*edit)(struct made_world *, struct manifest *);
        enum audit_kind kinds[2];
        size_t count;
    } damages[] = {
        {of_another_output, {AUDIT_OBJECT_NAME, AUDIT_OBJECT_BAD}, 2},
        {with_a_record_more, {AUDIT_OBJECT_PARTS, AUDIT_OBJECT_BAD}, 2},
        {with_another_checksum, {AUDIT_OBJECT_BAD}, 1},
        {with_another_part, {AUDIT_OBJECT_BAD}, 1},
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        AUTO(made_world_done) struct made_world w;
        world_of(&w, FRAME_ZST);
        struct str key = made_object_key(&w, 0, 1, OUTPUT);
        made_edit_manifest(&w, 0, 1, damages[i].edit);
        made_expect(&w, true, damages[i].kinds, damages[i].count);
        for (size_t k = 0; k < w.found_len; k++) assert_string_equal(w.found[k].key, key.at);
    }
}

static struct manifest_object taken;

static void lists_it_too(struct made_world *w, struct manifest *m) {
    (void)w;
    m->objects[m->objects_len] = taken;
    m->objects[m->objects_len].parts_len = 0;
    m->objects[m->objects_len].records = m->objects[m->objects_len].raw_bytes = 0;
    m->objects_len++;
}

static void an_object_in_two_manifests_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w, FRAME_ZST);
    struct manifest m;
    assert_int_equal(manifest_decode(made_get(&w, made_manifest_key(&w, 0, 1)), &w.arena, &m, NULL), RC_OK);
    taken = m.objects[0];
    made_edit_manifest(&w, 1, 0, lists_it_too);
    MADE_EXPECT(&w, false, AUDIT_OBJECT_NAME, AUDIT_OBJECT_NAME); /* of another batch, and twice */
    assert_string_equal(w.found[0].key, taken.key.at);
    assert_string_equal(w.found[1].key, taken.key.at);
}

static void without_footer(struct made_world *w, struct manifest *m) {
    (void)w;
    for (size_t i = 0; i < m->objects_len; i++) m->objects[i].footer_base64 = STR("");
}

static void gzip_objects_without_a_footer_are_read_by_their_members(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_of(&w, FRAME_GZ);
    for (uint64_t i = 0; i < 2; i++) made_edit_manifest(&w, 0, i, without_footer);
    made_edit_manifest(&w, 1, 0, without_footer);
    made_expect(&w, true, NULL, 0);
    assert_int_equal(w.result.deep_records, 27);
    made_edit_manifest(&w, 0, 0, with_another_checksum);
    MADE_EXPECT(&w, true, AUDIT_OBJECT_BAD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_that_is_gone_is_named),
        cmocka_unit_test(an_object_that_was_cut_is_named),
        cmocka_unit_test(a_deep_audit_sees_every_changed_byte),
        cmocka_unit_test(an_object_that_no_manifest_lists_is_named),
        cmocka_unit_test(objects_of_another_queue_are_left_alone),
        cmocka_unit_test(an_object_that_is_not_what_its_manifest_says_is_named),
        cmocka_unit_test(an_object_in_two_manifests_is_named),
        cmocka_unit_test(gzip_objects_without_a_footer_are_read_by_their_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
