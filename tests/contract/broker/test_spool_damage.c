/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a write that a crash cut off ends the log there and costs nothing that was acknowledged; any other damage is
 * told, with its place, before anything is changed; and no damaged byte is ever given out as a message. */
#include "spool_bed.h"

#include "alloc.h"
#include "own.h"
#include "spool_format.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

enum { COUNT = 7 };
static const char FIRST[] = "00000000000000000000";

static int setup(void **state) {
    struct spool_bed *bed = ALLOC(struct spool_bed);
    spool_bed_init(bed);
    *state = bed;
    return 0;
}

static int teardown(void **state) {
    spool_bed_done(*state);
    free(*state);
    return 0;
}

static void expect_messages(struct spool_bed *bed, struct spool_log *log, uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++) OK(spool_bed_read(bed, log, i, i));
}

/* The log has `end` messages and takes more, also after opening it again. */
static void expect_goes_on(struct spool_bed *bed, struct spool_log *log, uint64_t end) {
    assert_int_equal(spool_log_acknowledged(log), end);
    expect_messages(bed, log, 0, end);
    OK(spool_bed_append(bed, log, end));
    OK(spool_log_commit(log, &bed->why));
    expect_messages(bed, log, 0, end + 1);
    spool_log_free(log);
    OK(spool_bed_open(bed, &log));
    assert_int_equal(bed->opening.end, end + 1);
    assert_int_equal(bed->opening.torn_bytes, 0);
    expect_messages(bed, log, 0, end + 1);
    spool_log_free(log);
}

static void expect_file(struct spool_bed *bed, const char *name, const char *bytes, size_t len) {
    size_t now_len;
    AUTO(own_free) char *now = spool_bed_load(bed, name, &now_len);
    assert_int_equal(now_len, len);
    assert_memory_equal(now, bytes, len);
}

static void append_one_more(struct spool_bed *bed) {
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    OK(spool_bed_append(bed, log, COUNT));
    spool_log_free(log);
}

static void a_last_record_torn_at_any_byte_ends_the_log_there(void **state) {
    struct spool_bed *bed = *state;
    size_t before_len, len;
    spool_bed_fill(bed, COUNT);
    free(spool_bed_load(bed, FIRST, &before_len));
    append_one_more(bed);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    for (size_t cut = before_len + 1; cut < len; cut++) {
        spool_bed_clear(bed);
        spool_bed_save(bed, FIRST, bytes, cut);
        spool_bed_mark(bed, COUNT);
        struct spool_log *log;
        OK(spool_bed_open(bed, &log));
        assert_string_equal(bed->opening.torn_file, FIRST);
        assert_int_equal(bed->opening.torn_at, before_len);
        assert_int_equal(bed->opening.torn_bytes, cut - before_len);
        assert_int_equal(bed->opening.dropped_messages, 0);
        expect_goes_on(bed, log, COUNT);
        expect_file(bed, FIRST, bytes, cut);
    }
}

static void a_last_record_torn_at_any_byte_is_broken_when_it_was_acknowledged(void **state) {
    struct spool_bed *bed = *state;
    size_t len;
    spool_bed_fill(bed, COUNT);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    for (size_t cut = len - 1; cut > 0; cut--) {
        spool_bed_clear(bed);
        spool_bed_save(bed, FIRST, bytes, cut);
        spool_bed_mark(bed, COUNT);
        struct spool_log *log = NULL;
        IS(RC_BROKEN, spool_bed_open(bed, &log));
        assert_non_null(strstr(bed->why.text, FIRST));
        expect_file(bed, FIRST, bytes, cut);
    }
}

static void a_first_record_that_is_torn_is_set_aside_whole(void **state) {
    struct spool_bed *bed = *state;
    size_t len;
    spool_bed_fill(bed, 2);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    for (size_t cut = SPOOL_SEGMENT_BYTES + 1; cut < SPOOL_SEGMENT_BYTES + SPOOL_RECORD_BYTES; cut++) {
        spool_bed_clear(bed);
        spool_bed_save(bed, FIRST, bytes, cut);
        struct spool_log *log;
        OK(spool_bed_open(bed, &log));
        AUTO(own_free) char *torn = alloc_text(bed->opening.torn_file, strlen(bed->opening.torn_file));
        assert_non_null(strstr(torn, ".torn."));
        expect_goes_on(bed, log, 0);
        expect_file(bed, torn, bytes, cut);
    }
}

static void bytes_of_zero_behind_the_end_are_a_torn_write(void **state) {
    struct spool_bed *bed = *state;
    size_t len;
    spool_bed_fill(bed, COUNT);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    AUTO(own_free) char *longer = alloc_zero(1, len + 9000);
    memcpy(longer, bytes, len);
    spool_bed_save(bed, FIRST, longer, len + 9000);
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    assert_int_equal(bed->opening.torn_bytes, 9000);
    expect_goes_on(bed, log, COUNT);
}

/* After a power cut the pages of one commit may be there in any order. */
static void whole_records_behind_a_torn_one_are_dropped_when_nobody_was_told_of_them(void **state) {
    struct spool_bed *bed = *state;
    size_t len;
    spool_bed_fill(bed, COUNT); /* one commit: no header says that anything was acknowledged */
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    memset(bytes + SPOOL_SEGMENT_BYTES + SPOOL_RECORD_BYTES, 0, SPOOL_RECORD_BYTES); /* the header of message 1 */
    spool_bed_save(bed, FIRST, bytes, len);
    spool_bed_mark(bed, 1);
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    assert_int_equal(bed->opening.dropped_messages, COUNT - 2);
    expect_goes_on(bed, log, 1);
}

static void whole_records_behind_a_bad_one_that_know_it_was_acknowledged_make_it_broken(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    for (uint64_t i = 0; i < COUNT; i++) {
        OK(spool_bed_append(bed, log, i));
        OK(spool_log_commit(log, &bed->why));
    }
    spool_log_free(log);
    size_t len;
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    bytes[SPOOL_SEGMENT_BYTES + SPOOL_RECORD_BYTES + 3] ^= 1;
    spool_bed_save(bed, FIRST, bytes, len);
    spool_bed_remove(bed, "acknowledged");
    IS(RC_BROKEN, spool_bed_open(bed, &log));
    assert_non_null(strstr(bed->why.text, "message 1 (byte 120)"));
    expect_file(bed, FIRST, bytes, len);
}

/* A message may hold the bytes of a spool: a user may well convert such files. */
static void a_record_inside_a_torn_message_is_not_taken_for_one(void **state) {
    struct spool_bed *bed = *state;
    size_t inner_len, len;
    spool_bed_fill(bed, COUNT);
    AUTO(own_free) char *inner = spool_bed_load(bed, FIRST, &inner_len);
    spool_bed_clear(bed);
    struct spool_log *log;
    uint64_t offset;
    OK(spool_bed_open(bed, &log));
    OK(spool_log_append(log, STR(""), (struct str){inner, inner_len}, &offset, &bed->why));
    spool_log_free(log);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    spool_bed_save(bed, FIRST, bytes, len - 1);
    spool_bed_mark(bed, 0);
    OK(spool_bed_open(bed, &log));
    assert_int_equal(bed->opening.dropped_messages, 0);
    expect_goes_on(bed, log, 0);
}

static void a_flipped_bit_in_an_acknowledged_byte_is_broken_and_repair_reads_the_rest(void **state) {
    struct spool_bed *bed = *state;
    size_t len;
    spool_bed_fill(bed, COUNT);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    for (size_t at = 0; at < len; at++) {
        spool_bed_clear(bed);
        bytes[at] ^= (char)(1 << at % 8);
        spool_bed_save(bed, FIRST, bytes, len);
        spool_bed_mark(bed, COUNT);
        struct spool_log *log = NULL;
        bed->options.repair = false;
        IS(RC_BROKEN, spool_bed_open(bed, &log));
        expect_file(bed, FIRST, bytes, len);
        bed->options.repair = true;
        enum rc rc = spool_bed_open(bed, &log);
        assert_int_equal(rc == RC_OK, at >= SPOOL_SEGMENT_BYTES);
        if (rc == RC_OK) {
            uint64_t whole = 0;
            for (uint64_t i = 0; i < COUNT; i++) whole += spool_bed_read(bed, log, i, i) == RC_OK;
            assert_int_equal(whole, COUNT - 1);
            spool_log_free(log);
        }
        bytes[at] ^= (char)(1 << at % 8);
    }
}

static void without_the_mark_a_flipped_bit_never_gives_a_wrong_message(void **state) {
    struct spool_bed *bed = *state;
    size_t len;
    spool_bed_fill(bed, COUNT);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    for (size_t at = 0; at < len; at++) {
        spool_bed_clear(bed);
        bytes[at] ^= (char)(1 << at % 8);
        spool_bed_save(bed, FIRST, bytes, len);
        struct spool_log *log = NULL;
        enum rc rc = spool_bed_open(bed, &log);
        if (at < SPOOL_SEGMENT_BYTES) IS(RC_BROKEN, rc);
        if (rc == RC_OK) {
            assert_true(bed->opening.torn_bytes > 0);
            expect_goes_on(bed, log, bed->opening.end);
        }
        bytes[at] ^= (char)(1 << at % 8);
    }
}

/* ---- several segments ---- */

enum { MANY = 12 };

/* Segments of about three messages; their names in order. */
static size_t fill_segments(struct spool_bed *bed, char names[MANY][SPOOL_NAME_MAX]) {
    bed->options.segment_bytes = 200;
    spool_bed_fill(bed, MANY);
    size_t n = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        spool_format_name(i, names[n]);
        n += spool_bed_has(bed, names[n]);
    }
    assert_true(n >= 4);
    return n;
}

static void damage_in_an_older_segment_is_told_when_it_is_read_and_harms_no_other_message(void **state) {
    struct spool_bed *bed = *state;
    char names[MANY][SPOOL_NAME_MAX];
    (void)fill_segments(bed, names);
    size_t len;
    AUTO(own_free) char *bytes = spool_bed_load(bed, names[1], &len);
    for (size_t at = 0; at < len; at++) {
        bytes[at] ^= (char)(1 << at % 8);
        spool_bed_save(bed, names[1], bytes, len);
        struct spool_log *log = NULL;
        enum rc rc = spool_bed_open(bed, &log);
        assert_string_equal(rc_name(rc), at < SPOOL_SEGMENT_BYTES ? "broken" : "ok");
        if (rc == RC_OK) {
            uint64_t whole = 0;
            for (uint64_t i = 0; i < MANY; i++) {
                rc = spool_bed_read(bed, log, i, i);
                whole += rc == RC_OK;
                if (rc == RC_OK) continue;
                IS(RC_BROKEN, rc);
                assert_non_null(strstr(bed->why.text, names[1]));
            }
            assert_int_equal(whole, MANY - 1);
            spool_log_free(log);
        }
        bytes[at] ^= (char)(1 << at % 8);
    }
}

static void an_older_segment_cut_short_loses_only_what_was_cut(void **state) {
    struct spool_bed *bed = *state;
    char names[MANY][SPOOL_NAME_MAX];
    (void)fill_segments(bed, names);
    size_t len;
    AUTO(own_free) char *bytes = spool_bed_load(bed, names[1], &len);
    spool_bed_save(bed, names[1], bytes, SPOOL_SEGMENT_BYTES);
    struct spool_log *log;
    uint64_t lost_from = 0, lost_to = 0;
    assert_true(spool_parse_name(names[1], &lost_from) && spool_parse_name(names[2], &lost_to));
    OK(spool_bed_open(bed, &log));
    for (uint64_t i = 0; i < MANY; i++)
        assert_string_equal(rc_name(spool_bed_read(bed, log, i, i)), i >= lost_from && i < lost_to ? "broken" : "ok");
    spool_log_free(log);
}

static void a_missing_segment_is_broken_unless_it_is_the_oldest(void **state) {
    struct spool_bed *bed = *state;
    char names[MANY][SPOOL_NAME_MAX];
    size_t n = fill_segments(bed, names);
    for (size_t i = 0; i < n; i++) {
        size_t len;
        AUTO(own_free) char *bytes = spool_bed_load(bed, names[i], &len);
        spool_bed_remove(bed, names[i]);
        struct spool_log *log = NULL;
        enum rc rc = spool_bed_open(bed, &log);
        if (i > 0) {
            IS(RC_BROKEN, rc);
            assert_non_null(strstr(bed->why.text, i + 1 < n ? names[i] : "acknowledged"));
        } else {
            OK(rc);
            uint64_t start;
            assert_true(spool_parse_name(names[1], &start));
            assert_int_equal(bed->opening.start, start); /* the caller knows where it must be */
            spool_log_free(log);
        }
        spool_bed_save(bed, names[i], bytes, len);
    }
}

static void with_all_segments_gone_an_acknowledged_end_is_broken(void **state) {
    struct spool_bed *bed = *state;
    spool_bed_fill(bed, COUNT);
    spool_bed_remove(bed, FIRST);
    struct spool_log *log = NULL;
    IS(RC_BROKEN, spool_bed_open(bed, &log));
    assert_false(spool_bed_has(bed, FIRST));
    bed->options.repair = true;
    OK(spool_bed_open(bed, &log));
    assert_int_equal(spool_log_acknowledged(log), COUNT);
    spool_log_free(log);
}

static void a_segment_from_elsewhere_is_refused(void **state) {
    struct spool_bed *bed = *state;
    size_t len;
    spool_bed_fill(bed, COUNT);
    AUTO(own_free) char *bytes = spool_bed_load(bed, FIRST, &len);
    struct spool_log *log = NULL;
    bed->options.partition++;
    IS(RC_BROKEN, spool_bed_open(bed, &log));
    bed->options.partition--;
    bed->options.generation++;
    IS(RC_BROKEN, spool_bed_open(bed, &log));
    bed->options.generation--;
    bed->options.queue.bytes[0]++;
    IS(RC_DENIED, spool_bed_open(bed, &log));
    bed->options.queue.bytes[0]--;
    spool_bed_remove(bed, FIRST);
    spool_bed_save(bed, "00000000000000000003", bytes, len);
    IS(RC_BROKEN, spool_bed_open(bed, &log));
}

static void a_skip_survives_opening(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    spool_bed_fill(bed, 3);
    OK(spool_bed_open(bed, &log));
    OK(spool_log_skip_to(log, 50, &bed->why));
    spool_log_free(log);
    OK(spool_bed_open(bed, &log));
    assert_int_equal(spool_log_acknowledged(log), 50);
    OK(spool_bed_append(bed, log, 50));
    OK(spool_log_commit(log, &bed->why));
    spool_log_free(log);
    OK(spool_bed_open(bed, &log));
    expect_messages(bed, log, 0, 3);
    for (uint64_t i = 3; i < 50; i++) IS(RC_ABSENT, spool_bed_read(bed, log, i, i));
    expect_messages(bed, log, 50, 51);
    spool_log_free(log);
}

static void a_trimmed_log_begins_at_its_oldest_segment_when_opened_again(void **state) {
    struct spool_bed *bed = *state;
    char names[MANY][SPOOL_NAME_MAX];
    size_t n = fill_segments(bed, names);
    struct spool_log *log;
    uint64_t last, kept, kept_again;
    assert_true(spool_parse_name(names[n - 1], &last));
    OK(spool_bed_open(bed, &log));
    kept = spool_log_kept_bytes(log);
    OK(spool_log_trim(log, last - 1, &bed->why));
    assert_true(spool_log_kept_bytes(log) < kept);
    kept_again = spool_log_kept_bytes(log);
    for (size_t i = 0; i < n; i++) assert_int_equal(spool_bed_has(bed, names[i]), i + 2 >= n);
    expect_messages(bed, log, last - 1, MANY);
    spool_log_free(log);
    OK(spool_bed_open(bed, &log));
    assert_true(bed->opening.start <= last - 1);
    OK(spool_log_trim(log, last - 1, &bed->why));
    assert_int_equal(spool_log_kept_bytes(log), kept_again);
    expect_messages(bed, log, last - 1, MANY);
    OK(spool_log_trim(log, last, &bed->why));
    for (size_t i = 0; i < n; i++) assert_int_equal(spool_bed_has(bed, names[i]), i + 1 == n);
    OK(spool_log_trim(log, UINT64_MAX, &bed->why));
    assert_int_equal(spool_log_kept_bytes(log), 0);
    spool_log_free(log);
}

static void a_large_last_segment_is_given_up_when_all_of_it_is_trimmed(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    enum { LARGE = 1 << 20, LARGE_COUNT = 9 };
    AUTO(own_free) char *large = alloc_zero(1, LARGE);
    uint64_t offset;
    bed->options.segment_bytes = 64 << 20;
    OK(spool_bed_open(bed, &log));
    for (int i = 0; i < LARGE_COUNT; i++)
        OK(spool_log_append(log, STR(""), (struct str){large, LARGE}, &offset, &bed->why));
    OK(spool_log_commit(log, &bed->why));
    OK(spool_log_trim(log, LARGE_COUNT - 1, &bed->why));
    assert_true(spool_bed_has(bed, FIRST));
    OK(spool_log_trim(log, LARGE_COUNT, &bed->why));
    assert_false(spool_bed_has(bed, FIRST));
    spool_log_free(log);
    OK(spool_bed_open(bed, &log));
    assert_int_equal(bed->opening.start, LARGE_COUNT);
    OK(spool_bed_append(bed, log, LARGE_COUNT));
    OK(spool_log_commit(log, &bed->why));
    expect_messages(bed, log, LARGE_COUNT, LARGE_COUNT + 1);
    spool_log_free(log);
}

static size_t open_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    size_t n = 0;
    while (readdir(dir)) n++;
    (void)closedir(dir);
    return n;
}

static void readers_keep_only_a_few_segments_open(void **state) {
    struct spool_bed *bed = *state;
    char names[MANY][SPOOL_NAME_MAX];
    assert_true(fill_segments(bed, names) > bed->options.open_segments_max + 1);
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    size_t before = open_descriptors();
    for (int round = 0; round < 3; round++) {
        expect_messages(bed, log, 0, MANY);
        assert_int_equal(open_descriptors(), before + bed->options.open_segments_max);
    }
    spool_log_free(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_last_record_torn_at_any_byte_ends_the_log_there),
        TEST(a_last_record_torn_at_any_byte_is_broken_when_it_was_acknowledged),
        TEST(a_first_record_that_is_torn_is_set_aside_whole),
        TEST(bytes_of_zero_behind_the_end_are_a_torn_write),
        TEST(whole_records_behind_a_torn_one_are_dropped_when_nobody_was_told_of_them),
        TEST(whole_records_behind_a_bad_one_that_know_it_was_acknowledged_make_it_broken),
        TEST(a_record_inside_a_torn_message_is_not_taken_for_one),
        TEST(a_flipped_bit_in_an_acknowledged_byte_is_broken_and_repair_reads_the_rest),
        TEST(without_the_mark_a_flipped_bit_never_gives_a_wrong_message),
        TEST(damage_in_an_older_segment_is_told_when_it_is_read_and_harms_no_other_message),
        TEST(an_older_segment_cut_short_loses_only_what_was_cut),
        TEST(a_missing_segment_is_broken_unless_it_is_the_oldest),
        TEST(with_all_segments_gone_an_acknowledged_end_is_broken),
        TEST(a_segment_from_elsewhere_is_refused),
        TEST(a_skip_survives_opening),
        TEST(a_large_last_segment_is_given_up_when_all_of_it_is_trimmed),
        TEST(readers_keep_only_a_few_segments_open),
        TEST(a_trimmed_log_begins_at_its_oldest_segment_when_opened_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
