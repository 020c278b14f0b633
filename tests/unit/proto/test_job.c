/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a job means exactly what was encoded, its bytes never change unnoticed, and protobuf's other ways to write
 * the same are refused as everything else is. */
#include "made.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SEEDS = 300 };

static struct job fixed_job(void) {
    return (struct job){.file = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
                        .facts = {.source = STR("s"),
                                  .uri = STR("file:///a"),
                                  .inode = 1,
                                  .birth_ns = -2,
                                  .volume = 3,
                                  .prefix_len = 4,
                                  .prefix_hash = 5,
                                  .stripe_bytes = 6},
                        .stripe = 300,
                        .ready = 70000,
                        .closed = true};
}

static void the_bytes_are_fixed(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(JOB_MESSAGE_MAX);
    struct job job = fixed_job();
    assert_int_equal(job_encode(&job, &out), RC_OK);
    same_hex(buf_str(&out),
             "080112100102030405060708090a0b0c0d0e0f101a360a0173120966696c653a2f2f2f6119010000000000000021feff"
             "ffffffffffff2903000000000000003004390500000000000000400620ac0228f0a2043001");
}

static void a_job_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(buf_done) struct buf out = BUF_INIT(JOB_MESSAGE_MAX);
        struct job job = made_job(&made), back;
        assert_int_equal(job_encode(&job, &out), RC_OK);
        assert_int_equal(job_decode(buf_str(&out), &back, NULL), RC_OK);
        same_id(back.file, job.file);
        same_facts(&back.facts, &job.facts);
        assert_int_equal(back.stripe, job.stripe);
        assert_int_equal(back.ready, job.ready);
        assert_int_equal(back.closed, job.closed);
        assert_true(str_equal(back.at, job.at));
        assert_true(back.facts.uri.at > out.at && back.facts.uri.at < out.at + out.len);
    }
}

static enum rc decode_again(struct str bytes, struct buf *out) {
    struct job job;
    enum rc rc = job_decode(bytes, &job, NULL);
    return rc == RC_OK ? job_encode(&job, out) : rc;
}

static void where_the_bytes_are_comes_back(void **state) {
    (void)state;
    struct job job = fixed_job(), back;
    AUTO(buf_done) struct buf out = BUF_INIT(JOB_MESSAGE_MAX);
    job.at = STR("http://host:7070/file/00112233445566778899aabbccddeeff");
    assert_int_equal(job_encode(&job, &out), RC_OK);
    assert_int_equal(job_decode(buf_str(&out), &back, NULL), RC_OK);
    assert_true(str_equal(back.at, job.at));
    char large[JOB_AT_MAX + 1];
    memset(large, 'x', sizeof large);
    job.at = (struct str){large, sizeof large};
    buf_reset(&out);
    assert_int_not_equal(job_encode(&job, &out), RC_OK);
    job.at.len--;
    buf_reset(&out);
    assert_int_equal(job_encode(&job, &out), RC_OK);
}

static void changed_bytes_are_refused_or_are_another_job(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(buf_done) struct buf out = BUF_INIT(JOB_MESSAGE_MAX);
        struct job job = made_job(&made);
        assert_int_equal(job_encode(&job, &out), RC_OK);
        hostile(buf_str(&out), decode_again, true);
    }
}

static void expect_bad_with(struct str more) {
    AUTO(buf_done) struct buf out = BUF_INIT(JOB_MESSAGE_MAX);
    struct job job = fixed_job(), back;
    assert_int_equal(job_encode(&job, &out), RC_OK);
    buf_add(&out, more);
    assert_int_equal(job_decode(buf_str(&out), &back, NULL), RC_BAD);
}

static void other_encodings_of_the_same_are_refused(void **state) {
    (void)state;
    expect_bad_with(STR("\x30\x01"));         /* closed again */
    expect_bad_with(STR("\x28\xf0\xa2\x04")); /* ready again, behind closed */
    expect_bad_with(STR("\x38\x01"));         /* a field that does not exist */
    expect_bad_with(STR("\xfa\x01\x02hi"));   /* another, with bytes */
    expect_bad_with(STR("\x1a\x00"));         /* facts again, empty: protobuf would merge them */
    AUTO(buf_done) struct buf out = BUF_INIT(JOB_MESSAGE_MAX);
    struct job job = fixed_job(), back;
    assert_int_equal(job_encode(&job, &out), RC_OK);
    out.at[out.len - 1] = (char)0x81; /* true, in two bytes */
    buf_add_char(&out, 0);
    assert_int_equal(job_decode(buf_str(&out), &back, NULL), RC_BAD);
}

static void another_version_is_refused(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(JOB_MESSAGE_MAX);
    struct job job = fixed_job(), back;
    struct why why = {0};
    assert_int_equal(job_encode(&job, &out), RC_OK);
    assert_int_equal(out.at[1], JOB_VERSION);
    out.at[1] = JOB_VERSION + 1;
    assert_int_equal(job_decode(buf_str(&out), &back, &why), RC_BAD);
    assert_string_equal(why.text, "job: version 2");
}

/* 16 KiB of the densest fields that there are must not take more than the bound; what is over is refused. */
static void hostile_lengths_take_no_memory(void **state) {
    (void)state;
    struct job back;
    assert_int_equal(job_decode(STR("\x12\xff\xff\xff\xff\x07"), &back, NULL), RC_BAD);
    assert_int_equal(job_decode(STR("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), &back, NULL), RC_BAD);
    AUTO(buf_done) struct buf many = BUF_INIT(JOB_MESSAGE_MAX + 2);
    while (many.len < JOB_MESSAGE_MAX) buf_add(&many, STR("\x1a\x00"));
    assert_int_equal(job_decode(buf_str(&many), &back, NULL), RC_BAD);
    buf_add(&many, STR("\x1a\x00"));
    assert_int_equal(job_decode(buf_str(&many), &back, NULL), RC_BAD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_fixed),
        cmocka_unit_test(a_job_comes_back),
        cmocka_unit_test(where_the_bytes_are_comes_back),
        cmocka_unit_test(changed_bytes_are_refused_or_are_another_job),
        cmocka_unit_test(other_encodings_of_the_same_are_refused),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(hostile_lengths_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
