/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: no change of an object's bytes stays unnoticed or does harm, and a read that fails is reported as what it
 * was. */
#include "num.h"
#include "object.h"
#include "own.h"
#include "store_of_one.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { CAP = 1024 * 1024 };
static const enum frame_format formats[] = {FRAME_ZST, FRAME_GZ};

struct reading {
    struct arena arena;
    struct frame_decoder *decoder;
    struct buf compressed, raw;
};

static void reading_done(struct reading *r) {
    arena_done(&r->arena);
    frame_decoder_free(r->decoder);
    buf_done(&r->compressed);
    buf_done(&r->raw);
}

static struct reading reading_new(enum frame_format format) {
    return (struct reading){ARENA_INIT, frame_decoder_new(format), BUF_INIT(CAP), BUF_INIT(CAP)};
}

/* Opens and checks all of it. */
static enum rc read_all(struct reading *r, enum frame_format format, struct range_reader *bytes,
                        const struct made_object *made) {
    struct object object;
    arena_reset(&r->arena);
    enum rc rc = object_open(range_source(bytes), format, made->facts.footer, &r->arena, &object, NULL);
    if (rc != RC_OK) return rc;
    return object_check(&object, made->facts.checksum, r->decoder, &r->compressed, &r->raw, NULL);
}

static void every_prefix_is_broken(void **state) {
    (void)state;
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(made_object_done) struct made_object made;
        AUTO(reading_done) struct reading r = reading_new(formats[f]);
        object_make(formats[f], 3, 300, 1, &made);
        for (size_t len = 0; len < made.bytes.len; len++) {
            struct range_reader bytes = {.bytes = str_sub(buf_str(&made.bytes), 0, len)};
            assert_int_equal(read_all(&r, formats[f], &bytes, &made), RC_BROKEN);
        }
        buf_add_char(&made.bytes, 0);
        struct range_reader longer = {.bytes = buf_str(&made.bytes)};
        assert_int_equal(read_all(&r, formats[f], &longer, &made), RC_BROKEN);
    }
}

static void every_changed_bit_is_found(void **state) {
    (void)state;
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(made_object_done) struct made_object made;
        AUTO(reading_done) struct reading r = reading_new(formats[f]);
        object_make(formats[f], 2, 300, 1, &made);
        struct range_reader bytes = {.bytes = buf_str(&made.bytes)};
        for (size_t i = 0; i < made.bytes.len; i++)
            for (int bit = 0; bit < 8; bit++) {
                made.bytes.at[i] = (char)(made.bytes.at[i] ^ 1 << bit);
                assert_int_equal(read_all(&r, formats[f], &bytes, &made), RC_BROKEN);
                made.bytes.at[i] = (char)(made.bytes.at[i] ^ 1 << bit);
            }
        assert_int_equal(read_all(&r, formats[f], &bytes, &made), RC_OK);
    }
}

static void every_read_can_fail(void **state) {
    (void)state;
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        AUTO(made_object_done) struct made_object made;
        AUTO(reading_done) struct reading r = reading_new(formats[f]);
        object_make(formats[f], 3, 300, 1, &made);
        struct range_reader all = {.bytes = buf_str(&made.bytes)};
        assert_int_equal(read_all(&r, formats[f], &all, &made), RC_OK);
        assert_true(all.calls >= 3);
        for (size_t k = 1; k <= all.calls; k++) {
            struct range_reader busy = {.bytes = buf_str(&made.bytes), .fail_at = k, .rc = RC_BUSY};
            assert_int_equal(read_all(&r, formats[f], &busy, &made), RC_BUSY);
            struct range_reader cut = {.bytes = buf_str(&made.bytes), .fail_at = k, .rc = RC_OK};
            assert_int_equal(read_all(&r, formats[f], &cut, &made), RC_BROKEN);
        }
    }
}

static void small_buffers_are_a_limit(void **state) {
    (void)state;
    AUTO(made_object_done) struct made_object made;
    AUTO(reading_done) struct reading r = reading_new(FRAME_ZST);
    object_make(FRAME_ZST, 1, 3000, 1, &made);
    struct range_reader bytes = {.bytes = buf_str(&made.bytes)};
    struct object object;
    assert_int_equal(object_open(range_source(&bytes), FRAME_ZST, STR(""), &r.arena, &object, NULL), RC_OK);
    AUTO(buf_done) struct buf small = BUF_INIT(100);
    assert_int_equal(object_read(&object, r.decoder, 0, &r.compressed, &small, NULL), RC_LIMIT);
    assert_int_equal(small.len, 0);
    assert_int_equal(object_read(&object, r.decoder, 0, &small, &r.raw, NULL), RC_LIMIT);
    assert_int_equal(object_read(&object, r.decoder, 0, &r.compressed, &r.raw, NULL), RC_OK);
}

static void another_format_is_broken(void **state) {
    (void)state;
    AUTO(made_object_done) struct made_object zst;
    AUTO(made_object_done) struct made_object gz;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    object_make(FRAME_ZST, 1, 300, 1, &zst);
    object_make(FRAME_GZ, 1, 300, 1, &gz);
    struct range_reader bytes = {.bytes = buf_str(&zst.bytes)};
    struct object object;
    assert_int_equal(object_open(range_source(&bytes), FRAME_GZ, zst.facts.footer, &arena, &object, NULL), RC_BROKEN);
    assert_int_equal(object_open(range_source(&bytes), FRAME_GZ, gz.facts.footer, &arena, &object, NULL), RC_BROKEN);
    bytes.bytes = buf_str(&gz.bytes);
    assert_int_equal(object_open(range_source(&bytes), FRAME_ZST, STR(""), &arena, &object, NULL), RC_BROKEN);
    assert_int_equal(object_open(range_source(&bytes), FRAME_GZ, STR(""), &arena, &object, NULL), RC_BROKEN);
    assert_int_equal(object_open(range_source(&bytes), FRAME_GZ, gz.facts.footer, &arena, &object, NULL), RC_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_prefix_is_broken),   cmocka_unit_test(every_changed_bit_is_found),
        cmocka_unit_test(every_read_can_fail),      cmocka_unit_test(small_buffers_are_a_limit),
        cmocka_unit_test(another_format_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
