/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the scan of a segment finds every whole record and no other, whatever bytes lie between, in bounded memory;
 * and every struct of the format comes back from its bytes. */
#include "spool_format.h"
#include "spool_scan.h"

#include "alloc.h"
#include "buf.h"
#include "must.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")

enum { SALT = 12345, BASE = 100 };

/* A file in memory, with the bytes of a segment's header in front. */
static int new_file(const struct buf *bytes) {
    int fd = memfd_create("segment", MFD_CLOEXEC);
    MUST(fd >= 0 && ftruncate(fd, SPOOL_SEGMENT_BYTES) == 0);
    MUST(pwrite(fd, bytes->at, bytes->len, SPOOL_SEGMENT_BYTES) == (ssize_t)bytes->len);
    return fd;
}

static void add_record(struct buf *bytes, uint64_t offset, uint64_t acknowledged, struct str message, uint64_t salt) {
    uint8_t header[SPOOL_RECORD_BYTES];
    struct spool_record record = {(uint32_t)message.len, offset, acknowledged, spool_sum(message, STR(""))};
    spool_format_record(&record, salt, header);
    buf_add(bytes, (struct str){(const char *)header, sizeof header});
    buf_add(bytes, message);
}

static struct spool_scanned scan(const struct buf *bytes, uint64_t limit) {
    AUTO(own_close) int fd = new_file(bytes);
    struct spool_scan options = {.fd = fd,
                                 .salt = SALT,
                                 .base = BASE,
                                 .limit = limit,
                                 .file_end = SPOOL_SEGMENT_BYTES + bytes->len,
                                 .messages = true};
    struct spool_scanned scanned;
    struct why why = {0};
    OK(spool_scan(&options, &scanned, &why));
    assert_true(scanned.count <= SPOOL_SCAN_MESSAGES_MAX);
    return scanned;
}

static void an_empty_segment_has_no_messages(void **state) {
    (void)state;
    struct buf none = BUF_INIT(1);
    struct spool_scanned scanned = scan(&none, UINT64_MAX);
    assert_int_equal(scanned.count, 0);
    assert_int_equal(scanned.bad_offset, BASE);
    assert_int_equal(scanned.bad_at, SPOOL_SEGMENT_BYTES);
    free(scanned.places);
}

static void whole_records_are_found_where_they_lie(void **state) {
    (void)state;
    AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20);
    AUTO(own_free) char *big = alloc_zero(1, 200000);
    add_record(&bytes, BASE, 90, STR("one"), SALT);
    add_record(&bytes, BASE + 1, 101, (struct str){big, 200000}, SALT);
    add_record(&bytes, BASE + 2, 95, STR(""), SALT);
    struct spool_scanned scanned = scan(&bytes, UINT64_MAX);
    assert_int_equal(scanned.count, 3);
    assert_int_equal(scanned.damaged, 0);
    assert_int_equal(scanned.acknowledged, 101);
    assert_int_equal(scanned.places[0].at, SPOOL_SEGMENT_BYTES);
    assert_int_equal(scanned.places[1].len, 200000);
    assert_int_equal(scanned.places[2].at, SPOOL_SEGMENT_BYTES + 3 * SPOOL_RECORD_BYTES - SPOOL_RECORD_BYTES + 200003);
    assert_int_equal(scanned.end_at, SPOOL_SEGMENT_BYTES + bytes.len);
    assert_int_equal(scanned.bad_at, scanned.end_at);
    free(scanned.places);
}

static void the_limit_ends_the_scan(void **state) {
    (void)state;
    AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20);
    for (uint64_t i = 0; i < 5; i++) add_record(&bytes, BASE + i, 0, STR("x"), SALT);
    struct spool_scanned scanned = scan(&bytes, BASE + 3);
    assert_int_equal(scanned.count, 3);
    free(scanned.places);
}

/* A gap of any length between two records, also one that puts the second across the edge of the scan's window. */
static void garbage_of_any_length_is_stepped_over(void **state) {
    (void)state;
    for (size_t gap = 1; gap < 70000; gap += gap < 50 || (gap > 65400 && gap < 65600) ? 1 : 997) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20);
        add_record(&bytes, BASE, 0, STR("first"), SALT);
        for (size_t i = 0; i < gap; i++) buf_add_char(&bytes, "\xA7SL1\xA7S"[i % 6]);
        add_record(&bytes, BASE + 2, 0, STR("third"), SALT);
        struct spool_scanned scanned = scan(&bytes, UINT64_MAX);
        assert_int_equal(scanned.count, 3);
        assert_int_equal(scanned.damaged, 1);
        assert_int_equal(scanned.bad_offset, BASE + 1);
        assert_int_equal(scanned.bad_at, SPOOL_SEGMENT_BYTES + SPOOL_RECORD_BYTES + 5);
        assert_int_equal(scanned.places[1].at, 0);
        assert_int_equal(scanned.places[2].at, scanned.bad_at + gap);
        free(scanned.places);
    }
}

static void records_of_another_salt_or_a_wild_offset_do_not_count(void **state) {
    (void)state;
    AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20);
    add_record(&bytes, BASE, 0, STR("good"), SALT);
    add_record(&bytes, BASE + 1, 0, STR("other salt"), SALT + 1);
    add_record(&bytes, BASE + SPOOL_SCAN_MESSAGES_MAX, 0, STR("too far"), SALT);
    add_record(&bytes, UINT64_MAX, 0, STR("far too far"), SALT);
    add_record(&bytes, BASE - 1, 0, STR("behind"), SALT);
    add_record(&bytes, BASE, 0, STR("again"), SALT);
    struct spool_scanned scanned = scan(&bytes, UINT64_MAX);
    assert_int_equal(scanned.count, 1);
    assert_int_equal(scanned.bad_offset, BASE + 1);
    free(scanned.places);
}

static void random_changes_never_make_a_message_that_was_not_there(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(3);
    for (int round = 0; round < 3000; round++) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 16);
        uint32_t at[8];
        for (uint64_t i = 0; i < 8; i++) {
            at[i] = (uint32_t)(SPOOL_SEGMENT_BYTES + bytes.len);
            add_record(&bytes, BASE + i, i, str_sub(STR("abcdefghij"), 0, (size_t)i), SALT);
        }
        for (uint64_t i = rng_below(&rng, 4); i > 0; i--) bytes.at[rng_below(&rng, bytes.len)] = (char)rng_next(&rng);
        if (rng_below(&rng, 3) == 0) bytes.len = (size_t)rng_below(&rng, bytes.len + 1);
        struct spool_scanned scanned = scan(&bytes, UINT64_MAX);
        assert_true(scanned.count <= 8);
        for (size_t i = 0; i < scanned.count; i++) {
            assert_true(scanned.places[i].at == 0 || scanned.places[i].at == at[i]);
            if (scanned.places[i].at != 0) assert_int_equal(scanned.places[i].len, i);
        }
        free(scanned.places);
    }
}

static void the_headers_come_back_and_no_changed_bit_passes(void **state) {
    (void)state;
    struct spool_segment_header header = {7, {{1, 2}}, 3, 50, 40, 49, 99}, back;
    uint8_t bytes[SPOOL_SEGMENT_BYTES];
    spool_format_segment(&header, bytes);
    assert_int_equal(spool_parse_segment(bytes, &back), SPOOL_HEADER_GOOD);
    assert_memory_equal(&header.queue, &back.queue, sizeof back.queue);
    assert_true(back.partition == 7 && back.generation == 3 && back.base == 50 && back.prev_base == 40 &&
                back.prev_end == 49 && back.salt == 99);
    for (size_t i = 0; i < 8 * sizeof bytes; i++) {
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(spool_parse_segment(bytes, &back), SPOOL_HEADER_BAD);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    uint8_t mark[SPOOL_MARK_BYTES];
    uint64_t end = 0;
    spool_format_mark(77, mark);
    assert_true(spool_parse_mark(mark, &end));
    assert_int_equal(end, 77);
    for (size_t i = 0; i < 8 * sizeof mark; i++) {
        mark[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(spool_parse_mark(mark, &end));
        mark[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void only_twenty_digits_in_range_are_a_segments_name(void **state) {
    (void)state;
    uint64_t base = 77;
    char name[SPOOL_NAME_MAX];
    spool_format_name(UINT64_MAX, name);
    assert_string_equal(name, "18446744073709551615");
    assert_true(spool_parse_name(name, &base));
    assert_int_equal(base, UINT64_MAX);
    static const char *const bad[] = {"",
                                      "0",
                                      "18446744073709551616",
                                      "000000000000000000000",
                                      "0000000000000000000a",
                                      "0000000000000000000 ",
                                      "00000000000000000000.torn.1",
                                      "-0000000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(spool_parse_name(bad[i], &base));
}

static void sums_do_not_depend_on_where_head_and_body_meet(void **state) {
    (void)state;
    const char text[] = "the quick brown fox jumps over the lazy dog";
    struct str whole = {text, sizeof text - 1};
    uint64_t sum = spool_sum(whole, STR(""));
    for (size_t cut = 0; cut <= whole.len; cut++)
        assert_int_equal(spool_sum(str_sub(whole, 0, cut), str_sub(whole, cut, whole.len)), sum);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_segment_has_no_messages),
        cmocka_unit_test(whole_records_are_found_where_they_lie),
        cmocka_unit_test(the_limit_ends_the_scan),
        cmocka_unit_test(garbage_of_any_length_is_stepped_over),
        cmocka_unit_test(records_of_another_salt_or_a_wild_offset_do_not_count),
        cmocka_unit_test(random_changes_never_make_a_message_that_was_not_there),
        cmocka_unit_test(the_headers_come_back_and_no_changed_bit_passes),
        cmocka_unit_test(only_twenty_digits_in_range_are_a_segments_name),
        cmocka_unit_test(sums_do_not_depend_on_where_head_and_body_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
