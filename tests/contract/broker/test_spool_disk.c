/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whatever system call fails, and wherever the process dies between two of them, an acknowledged message
 * stays, an unacknowledged one is whole or not there, and the log can be opened again. A full disk is RC_LIMIT and
 * passes; a fdatasync that failed is never asked again. */
#include "spool_bed.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

/* ---- system calls that fail on demand ---- */

static struct {
    uint64_t calls, fail_at; /* 0: none */
    bool for_ever;           /* from fail_at on all fail, as if the process had died */
    int error;
    bool partly; /* a failing write has written half of its first part */
    bool only_sync, only_write, only_truncate;
    uint64_t syncs;
    bool unsynced;   /* something was written since the last fdatasync */
    bool look_order; /* a segment may be begun only when all before it is durable */
    void (*during_sync)(void);
    const struct spool_sys *real;
} hook;

static bool hook_fails(bool eligible) {
    if (!eligible) return false;
    hook.calls++;
    if (hook.fail_at == 0 || hook.calls < hook.fail_at || (hook.calls > hook.fail_at && !hook.for_ever)) return false;
    errno = hook.error;
    return true;
}

static bool any(void) { return !hook.only_sync && !hook.only_write && !hook.only_truncate; }

static ssize_t hook_pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    hook.unsynced = true;
    if (!hook_fails(any() || hook.only_write)) return hook.real->pwritev(fd, parts, count, at);
    if (hook.partly) {
        hook.partly = false;
        hook.fail_at++;
        struct iovec half = {parts->iov_base, (parts->iov_len + 1) / 2};
        return hook.real->pwritev(fd, &half, 1, at);
    }
    return -1;
}

static int hook_fdatasync(int fd) {
    hook.syncs++;
    hook.unsynced = false;
    if (hook.during_sync) hook.during_sync();
    return hook_fails(any() || hook.only_sync) ? -1 : hook.real->fdatasync(fd);
}

static int hook_fsync_dir(int fd) { return hook_fails(any()) ? -1 : hook.real->fsync_dir(fd); }

static int hook_ftruncate(int fd, off_t bytes) {
    return hook_fails(any() || hook.only_truncate) ? -1 : hook.real->ftruncate(fd, bytes);
}

static int hook_create(int dir, const char *name) {
    assert_false(hook.look_order && hook.unsynced);
    return hook_fails(any()) ? -1 : hook.real->create(dir, name);
}

static int hook_rename(int dir, const char *from, const char *to) {
    return hook_fails(any()) ? -1 : hook.real->rename(dir, from, to);
}

static int hook_unlink(int dir, const char *name) { return hook_fails(any()) ? -1 : hook.real->unlink(dir, name); }

static const struct spool_sys HOOKED = {hook_pwritev, hook_fdatasync, hook_fsync_dir, hook_ftruncate,
                                        hook_create,  hook_rename,    hook_unlink};

static int setup(void **state) {
    struct spool_bed *bed = ALLOC(struct spool_bed);
    spool_bed_init(bed);
    memset(&hook, 0, sizeof hook);
    hook.real = bed->options.sys;
    hook.error = EIO;
    bed->options.sys = &HOOKED;
    *state = bed;
    return 0;
}

static int teardown(void **state) {
    spool_bed_done(*state);
    free(*state);
    return 0;
}

/* ---- a life of a log under a failing call ---- */

/* What a life knows when it ends. */
struct life {
    uint64_t appended, acknowledged, trimmed;
    enum rc rc; /* the first that was not RC_OK */
};

static bool step(struct life *life, enum rc rc) {
    if (life->rc == RC_OK) life->rc = rc;
    return life->rc == RC_OK;
}

/* Appends in four rounds over several segments, commits, trims; ends at the first failure. */
static struct life live(struct spool_bed *bed) {
    struct life life = {.rc = RC_OK};
    struct spool_log *log = NULL;
    if (!step(&life, spool_bed_open(bed, &log))) return life;
    for (uint64_t round = 0; round < 4 && life.rc == RC_OK; round++) {
        for (uint64_t i = 0; i < 5 && step(&life, spool_bed_append(bed, log, life.appended)); i++) life.appended++;
        if (life.rc == RC_OK) (void)step(&life, spool_log_commit(log, &bed->why));
        life.acknowledged = spool_log_acknowledged(log);
        if (life.rc == RC_OK && life.acknowledged > 3) {
            life.trimmed = life.acknowledged - 3;
            (void)step(&life, spool_log_trim(log, life.trimmed, &bed->why));
        }
    }
    life.acknowledged = spool_log_acknowledged(log);
    spool_log_free(log);
    return life;
}

/* Everything acknowledged and not trimmed is there, what is there is whole, and the log goes on. */
static void expect_kept(struct spool_bed *bed, const struct life *life) {
    struct spool_log *log = NULL;
    OK(spool_bed_open(bed, &log));
    assert_true(bed->opening.end >= life->acknowledged);
    assert_true(bed->opening.end <= life->appended + 1); /* the append that failed may be there */
    assert_true(bed->opening.start <= life->trimmed);
    for (uint64_t i = bed->opening.start; i < bed->opening.end; i++) OK(spool_bed_read(bed, log, i, i));
    uint64_t next = bed->opening.end;
    OK(spool_bed_append(bed, log, next));
    OK(spool_log_commit(log, &bed->why));
    OK(spool_bed_read(bed, log, next, next));
    spool_log_free(log);
    spool_bed_clear(bed);
}

static void every_call_fails_once(struct spool_bed *bed, int error, bool for_ever, bool partly) {
    bed->options.segment_bytes = 200;
    for (uint64_t k = 1;; k++) {
        hook.calls = 0;
        hook.fail_at = k;
        hook.error = error;
        hook.for_ever = for_ever;
        hook.partly = partly;
        struct life life = live(bed);
        bool struck = hook.calls >= k;
        hook.fail_at = 0;
        if (struck && life.rc == RC_OK) assert_true(for_ever || partly || life.acknowledged == 20);
        expect_kept(bed, &life);
        if (!struck) {
            assert_int_equal(life.acknowledged, 20);
            assert_true(k > 40);
            return;
        }
    }
}

static void any_call_may_fail_with_an_io_error(void **state) { every_call_fails_once(*state, EIO, false, false); }

static void any_call_may_fail_for_want_of_space(void **state) { every_call_fails_once(*state, ENOSPC, false, false); }

static void the_process_may_die_before_any_call(void **state) { every_call_fails_once(*state, EIO, true, false); }

static void the_process_may_die_in_the_middle_of_any_write(void **state) {
    every_call_fails_once(*state, EIO, true, true);
}

/* ---- a full disk ---- */

static void a_full_disk_is_limit_and_later_appends_work_again(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    bed->options.segment_bytes = 200; /* so that it is also making a segment that fails */
    OK(spool_bed_open(bed, &log));
    hook.only_write = true;
    uint64_t next = 0;
    for (int round = 0; round < 10; round++) {
        OK(spool_bed_append(bed, log, next++));
        hook.calls = 0;
        hook.fail_at = 1;
        hook.error = round % 2 ? ENOSPC : EDQUOT;
        hook.partly = round % 3 == 0;
        IS(RC_LIMIT, spool_bed_append(bed, log, next));
        hook.fail_at = 0;
        OK(spool_bed_append(bed, log, next++));
        OK(spool_log_commit(log, &bed->why));
    }
    for (uint64_t i = 0; i < next; i++) OK(spool_bed_read(bed, log, i, i));
    spool_log_free(log);
    OK(spool_bed_open(bed, &log));
    assert_int_equal(bed->opening.end, next);
    assert_int_equal(bed->opening.torn_bytes, 0);
    spool_log_free(log);
}

static void a_file_size_limit_of_the_kernel_is_a_full_disk(void **state) {
    struct spool_bed *bed = *state;
    struct rlimit old, small = {0};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){500, old.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    uint64_t next = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum rc rc;
    while ((rc = spool_bed_append(bed, log, next)) == RC_OK) next++;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    IS(RC_LIMIT, rc);
    assert_true(next > 3);
    for (int i = 0; i < 10; i++) OK(spool_bed_append(bed, log, next++));
    OK(spool_log_commit(log, &bed->why));
    for (uint64_t i = 0; i < next; i++) OK(spool_bed_read(bed, log, i, i));
    spool_log_free(log);
    OK(spool_bed_open(bed, &log));
    assert_int_equal(bed->opening.end, next);
    spool_log_free(log);
}

static void a_write_that_cannot_be_taken_back_breaks_the_log(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    OK(spool_bed_append(bed, log, 0));
    OK(spool_log_commit(log, &bed->why));
    hook.fail_at = 1;
    hook.calls = 0;
    hook.for_ever = true;
    hook.error = ENOSPC;
    IS(RC_BROKEN, spool_bed_append(bed, log, 1));
    hook.fail_at = 0;
    IS(RC_BROKEN, spool_bed_append(bed, log, 1));
    IS(RC_BROKEN, spool_log_commit(log, &bed->why));
    OK(spool_bed_read(bed, log, 0, 0));
    spool_log_free(log);
}

/* ---- fdatasync ---- */

static void a_failed_fdatasync_breaks_the_log_and_is_never_asked_again(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    for (uint64_t i = 0; i < 3; i++) OK(spool_bed_append(bed, log, i));
    OK(spool_log_commit(log, &bed->why));
    OK(spool_bed_append(bed, log, 3));
    hook.only_sync = true;
    hook.calls = 0;
    hook.fail_at = 1;
    IS(RC_BROKEN, spool_log_commit(log, &bed->why));
    uint64_t syncs = hook.syncs;
    assert_non_null(strstr(bed->why.text, "fdatasync"));
    assert_int_equal(spool_log_acknowledged(log), 3);
    IS(RC_BROKEN, spool_log_commit(log, &bed->why));
    IS(RC_BROKEN, spool_bed_append(bed, log, 4));
    IS(RC_BROKEN, spool_log_skip_to(log, 10, &bed->why));
    IS(RC_BROKEN, spool_log_health(log, &bed->why));
    assert_false(spool_log_wait_dirty(log));
    for (uint64_t i = 0; i < 3; i++) OK(spool_bed_read(bed, log, i, i));
    IS(RC_ABSENT, spool_bed_read(bed, log, 3, 3));
    spool_log_free(log);
    assert_int_equal(hook.syncs, syncs);
}

static void a_failed_fdatasync_at_a_segments_end_breaks_the_log(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    bed->options.segment_bytes = 100;
    OK(spool_bed_open(bed, &log));
    hook.only_sync = true;
    hook.calls = 0;
    hook.fail_at = 1;
    enum rc rc = RC_OK;
    uint64_t i = 0;
    for (; i < 20 && rc == RC_OK; i++) rc = spool_bed_append(bed, log, i);
    IS(RC_BROKEN, rc);
    assert_int_equal(spool_log_acknowledged(log), 0);
    spool_log_free(log);
}

static void nothing_is_readable_before_its_commit(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    OK(spool_bed_append(bed, log, 0));
    IS(RC_ABSENT, spool_bed_read(bed, log, 0, 0));
    uint64_t syncs = hook.syncs;
    OK(spool_bed_append(bed, log, 1));
    OK(spool_log_commit(log, &bed->why));
    assert_int_equal(hook.syncs, syncs + 1); /* one for both */
    OK(spool_log_commit(log, &bed->why));
    assert_int_equal(hook.syncs, syncs + 1); /* none for nothing */
    OK(spool_bed_read(bed, log, 1, 1));
    spool_log_free(log);
}

static struct spool_bed *sync_bed;
static struct spool_log *sync_log;

static void append_during_sync(void) {
    hook.during_sync = NULL;
    OK(spool_bed_append(sync_bed, sync_log, 1));
}

static void what_is_written_during_a_commit_waits_for_the_next(void **state) {
    struct spool_bed *bed = sync_bed = *state;
    struct spool_log *log;
    OK(spool_bed_open(bed, &log));
    OK(spool_bed_append(bed, log, 0));
    sync_log = log;
    hook.during_sync = append_during_sync;
    OK(spool_log_commit(log, &bed->why));
    assert_null(hook.during_sync);
    assert_int_equal(spool_log_acknowledged(log), 1);
    OK(spool_log_commit(log, &bed->why));
    assert_int_equal(spool_log_acknowledged(log), 2);
    spool_log_free(log);
}

static void a_segment_is_durable_before_the_next_is_begun(void **state) {
    struct spool_bed *bed = *state;
    struct spool_log *log;
    bed->options.segment_bytes = 200;
    OK(spool_bed_open(bed, &log));
    hook.look_order = true;
    for (uint64_t i = 0; i < 20; i++) OK(spool_bed_append(bed, log, i)); /* hook_create looks */
    assert_true(spool_log_acknowledged(log) >= 10);
    spool_log_free(log);
}

/* ---- through the port ---- */

static void the_producer_is_told_of_a_failed_fdatasync(void **state) {
    struct spool_bed *bed = *state;
    struct broker_local_options options = {.dir = str_of(bed->path),
                                           .queue = bed->options.queue,
                                           .generation = 1,
                                           .job_partitions = 1,
                                           .block_partitions = 1,
                                           .sys = &HOOKED};
    struct broker broker;
    struct broker_producer producer;
    struct broker_ack ack;
    size_t n;
    OK(broker_local_open(&options, &broker, &bed->why));
    OK(broker_producer_new(broker, 1 << 20, &producer, &bed->why));
    hook.only_sync = true;
    hook.calls = 0;
    hook.fail_at = 1;
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 1, &bed->why));
    IS(RC_BROKEN, broker_poll(producer, UINT64_MAX, &ack, 1, &n, &bed->why));
    IS(RC_BROKEN, broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 1, &bed->why));
    IS(RC_BROKEN, broker_wait(broker, 0, 0, UINT64_MAX, &bed->why));
    broker_producer_free(producer);
    broker_free(broker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(any_call_may_fail_with_an_io_error),
        TEST(any_call_may_fail_for_want_of_space),
        TEST(the_process_may_die_before_any_call),
        TEST(the_process_may_die_in_the_middle_of_any_write),
        TEST(a_full_disk_is_limit_and_later_appends_work_again),
        TEST(a_file_size_limit_of_the_kernel_is_a_full_disk),
        TEST(a_write_that_cannot_be_taken_back_breaks_the_log),
        TEST(a_failed_fdatasync_breaks_the_log_and_is_never_asked_again),
        TEST(a_failed_fdatasync_at_a_segments_end_breaks_the_log),
        TEST(nothing_is_readable_before_its_commit),
        TEST(what_is_written_during_a_commit_waits_for_the_next),
        TEST(a_segment_is_durable_before_the_next_is_begun),
        TEST(the_producer_is_told_of_a_failed_fdatasync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
