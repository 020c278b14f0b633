/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what is written of a ledger's snapshot is read back as it was, and bytes that are cut or changed anywhere
 * are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "own.h"
#include "saved.h"
#include "squeeze.h"

#include <string.h>

static struct id id_of(unsigned char byte) {
    struct id id = {{byte, 1, 2}};
    return id;
}

static void make_page(struct saved_page *out) {
    static struct saved_winner winners[] = {{100, 150, {{1}}, {3, 1, 1, 0, 1, 1}, UINT64_MAX, 4, 2},
                                            {150, 200, {{2}}, {1, 1, 0, 0, 0, 1}, 5, 1, 0}};
    static struct saved_stripe stripes[] = {{1, true, {9, 7, 1, 0, 1, 7}, winners, 2}};
    static struct saved_batch batches[] = {{0, 7}, {UINT32_MAX, INT64_MAX}};
    static uint64_t ends[] = {0, 10, INT64_MAX};
    static struct saved_file files[2];
    files[0] = (struct saved_file){.id = id_of(3),
                                   .facts = {.source = STR("access"),
                                             .uri = STR("file:///a"),
                                             .inode = UINT64_MAX,
                                             .birth_ns = -5,
                                             .volume = 6,
                                             .prefix_len = 4096,
                                             .prefix_hash = 1,
                                             .stripe_bytes = 100},
                                   .ends = ends,
                                   .ends_len = 3,
                                   .gone = true,
                                   .receipted = 11,
                                   .stripes = stripes,
                                   .stripes_len = 1,
                                   .batches = batches,
                                   .batches_len = 2};
    files[1] = (struct saved_file){.id = id_of(4), .facts = {.source = STR("b"), .stripe_bytes = 1}};
    for (size_t i = 0; i < 2; i++) files[i].whole = saved_whole_of(&files[i]);
    *out = (struct saved_page){id_of(9), 2, files, 2};
}

/* All of it in one page. */
static void encode(const struct saved_page *page, struct buf *out) {
    struct saved_place place = {0};
    assert_int_equal(saved_page_encode(page, SAVED_BYTES_MAX, &place, out), RC_OK);
    assert_int_equal(place.file, page->files_len);
}

static void a_page_is_read_back_as_it_was(void **state) {
    (void)state;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf bytes = BUF_INIT(SAVED_BYTES_MAX), again = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_page page, read;
    struct why why = {0};
    make_page(&page);
    encode(&page, &bytes);
    assert_int_equal(saved_page_decode(buf_str(&bytes), &arena, &read, &why), RC_OK);
    assert_int_equal(read.generation, 2);
    assert_int_equal(read.files_len, 2);
    assert_int_equal(read.files[0].facts.birth_ns, -5);
    assert_int_equal(read.files[0].stripes[0].winners[1].from, 150);
    assert_int_equal(read.files[0].batches[1].index, INT64_MAX);
    assert_int_equal(read.files[0].whole.outstanding, 3);
    assert_int_equal(read.files[0].whole.reach, 200);
    assert_int_equal(read.files[0].whole.tail, 5);
    encode(&read, &again);
    assert_true(str_equal(buf_str(&bytes), buf_str(&again)));
}

/* A page holds at least a stripe, so with room for nothing each stripe has its own. */
static void a_file_that_does_not_fit_goes_on_in_the_next_page(void **state) {
    (void)state;
    static struct saved_winner winners[] = {{0, 9, {{1}}, {1, 1, 0, 0, 0, 1}, 7, 3, 1}};
    static struct saved_stripe stripes[] = {{0, false, {1, 1, 0, 0, 0, 1}, winners, 1},
                                            {2, true, {9, 7, 1, 0, 1, 7}, winners, 1},
                                            {4, true, {0}, winners, 1}};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct saved_page page, read;
    struct saved_place place = {0};
    make_page(&page);
    page.files[0].stripes = stripes;
    page.files[0].stripes_len = 3;
    page.files[0].whole = saved_whole_of(&page.files[0]);
    for (size_t i = 0; i < 4; i++) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(SAVED_BYTES_MAX);
        assert_int_equal(saved_page_encode(&page, 1, &place, &bytes), RC_OK);
        assert_int_equal(saved_page_decode(buf_str(&bytes), &arena, &read, NULL), RC_OK);
        assert_int_equal(read.files_len, 1);
        const struct saved_file *f = &read.files[0];
        assert_true(id_equal(f->id, page.files[i == 3].id));
        assert_int_equal(f->continued, i == 1 || i == 2);
        assert_int_equal(f->batches_len, i == 0 ? 2 : 0);
        assert_int_equal(f->stripes_len, i < 3);
        assert_int_equal(f->whole.outstanding, i < 3 ? 6 : 0);
        assert_int_equal(f->ends_len, i < 3 ? 3 : 0);
        if (i < 3) assert_int_equal(f->stripes[0].stripe, 2 * i);
    }
    assert_int_equal(place.file, 2);
}

/* As version 1 wrote it: no totals, batches last. */
static void a_page_of_an_earlier_version_is_read(void **state) {
    (void)state;
    static const char old[] = "SLSNPG\1"
                              "\11aaaaaaaaaaaaaaa"
                              "\2"
                              "\1" /* queue, generation, files */
                              "\3bbbbbbbbbbbbbbb"
                              "\1s"
                              "\1u"
                              "\1\2\3\4\5\144\0\13" /* a file up to its receipt */
                              "\1\12"
                              "\1"
                              "\1\1"
                              "\1\1\0\0\0\1"
                              "\1" /* an end, a stripe */
                              "\144\12"
                              "cccccccccccccccc"
                              "\1\1\0\0\0\1"
                              "\7\4\1"  /* its winner */
                              "\1\0\6"; /* a batch */
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf bytes = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_page read;
    assert_int_equal(squeeze((struct str){old, sizeof old - 1}, &bytes), RC_OK);
    assert_int_equal(saved_page_decode(buf_str(&bytes), &arena, &read, NULL), RC_OK);
    assert_int_equal(read.files_len, 1);
    assert_false(read.files[0].continued);
    assert_int_equal(read.files[0].receipted, 11);
    assert_int_equal(read.files[0].stripes_len, 1);
    assert_int_equal(read.files[0].batches[0].index, 6);
    assert_int_equal(read.files[0].whole.outstanding, 3);
    assert_int_equal(read.files[0].whole.reach, 110);
    assert_int_equal(read.files[0].whole.tail, 7);
}

static void an_index_is_read_back_as_it_was(void **state) {
    (void)state;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf bytes = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_counter counters[] = {{1, 0, 5, 6}, {2, 3, 0, INT64_MAX}};
    struct saved_index index = {id_of(1), 7, 1000, counters, 2}, read;
    struct saved_page page;
    struct why why = {0};
    assert_int_equal(saved_index_encode(&index, &bytes), RC_OK);
    assert_int_equal(saved_index_decode(buf_str(&bytes), &arena, &read, &why), RC_OK);
    assert_true(id_equal(read.queue, index.queue));
    assert_int_equal(read.pages, 7);
    assert_int_equal(read.files, 1000);
    assert_int_equal(read.counters_len, 2);
    assert_int_equal(read.counters[0].until, 6);
    assert_int_equal(read.counters[1].partition, 3);
    assert_int_equal(read.counters[1].until, INT64_MAX);
    assert_int_equal(saved_page_decode(buf_str(&bytes), &arena, &page, &why), RC_BAD);
}

static void bytes_that_are_cut_or_changed_are_refused(void **state) {
    (void)state;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf bytes = BUF_INIT(SAVED_BYTES_MAX), plain = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_page page, read;
    struct why why = {0};
    make_page(&page);
    encode(&page, &bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.at[i] = (char)(bytes.at[i] ^ 0x20);
        assert_int_equal(saved_page_decode(buf_str(&bytes), &arena, &read, &why), RC_BAD);
        bytes.at[i] = (char)(bytes.at[i] ^ 0x20);
    }
    assert_int_equal(unsqueeze(buf_str(&bytes), SAVED_BYTES_MAX, &plain, &why), RC_OK);
    for (size_t i = 0; i < plain.len; i++) { /* a frame whose checksum is right around too little */
        AUTO(buf_done) struct buf cut = BUF_INIT(SAVED_BYTES_MAX);
        assert_int_equal(squeeze(str_sub(buf_str(&plain), 0, i), &cut), RC_OK);
        assert_int_equal(saved_page_decode(buf_str(&cut), &arena, &read, &why), RC_BAD);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_read_back_as_it_was),
        cmocka_unit_test(a_file_that_does_not_fit_goes_on_in_the_next_page),
        cmocka_unit_test(a_page_of_an_earlier_version_is_read),
        cmocka_unit_test(an_index_is_read_back_as_it_was),
        cmocka_unit_test(bytes_that_are_cut_or_changed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
