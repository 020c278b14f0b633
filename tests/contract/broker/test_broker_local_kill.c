/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: kill -9 at any moment loses no acknowledged message, leaves none in halves, none twice and none out of
 * order; and one folder serves one process at a time, of its own queue. */
#include "broker_local.h"
#include "local_home.h"

#include "alloc.h"
#include "must.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

enum { ROUNDS = 30, PARTITIONS = 2, QUEUE = 64 * 1024 };

/* Message `number` of a partition: its number, then bytes that follow from it. */
static struct str message_of(uint64_t number, char out[3000]) {
    struct rng rng = rng_from_seed(number);
    size_t len = 8 + (size_t)rng_below(&rng, 2900);
    memcpy(out, &number, 8);
    for (size_t i = 8; i < len; i++) out[i] = (char)(number * 31 + i);
    return (struct str){out, len};
}

static struct broker_local_options options_of(const char *path) {
    struct broker_local_options options = local_home_options(path);
    options.segment_bytes = 16 * 1024;
    options.open_segments_max = 2;
    return options;
}

static void write_report(int pipe, const struct broker_ack *acks, size_t n) {
    for (size_t i = 0; i < n; i++) MUST(write(pipe, &acks[i], sizeof acks[i]) == (ssize_t)sizeof acks[i]);
}

/* The child: appends numbers from the log's end on and reports every acknowledgement, until it is killed. */
static _Noreturn void write_until_killed(const char *path, int pipe) {
    struct broker_local_options options = options_of(path);
    struct broker broker;
    struct broker_producer producer;
    struct broker_ack acks[64];
    uint64_t next[PARTITIONS], start;
    char text[3000];
    size_t n;
    MUST(broker_local_open(&options, &broker, NULL) == RC_OK);
    MUST(broker_producer_new(broker, QUEUE, &producer, NULL) == RC_OK);
    for (uint32_t k = 0; k < PARTITIONS; k++) MUST(broker_bounds(broker, k, &start, &next[k], NULL) == RC_OK);
    for (uint64_t turn = 0;; turn++) {
        uint32_t k = turn % PARTITIONS;
        enum rc rc = broker_append(producer, BROKER_BLOCKS, k, STR(""), message_of(next[k], text), next[k], NULL);
        MUST(rc == RC_OK || rc == RC_BUSY);
        next[k] += rc == RC_OK;
        MUST(broker_poll(producer, rc == RC_BUSY ? 1000 : 0, acks, 64, &n, NULL) == RC_OK);
        write_report(pipe, acks, n);
    }
}

/* Reads reports until `reports` have come, kills, reads the rest; *out_end rises to what was acknowledged. */
static void run_child(const char *path, uint64_t reports, uint64_t out_end[PARTITIONS]) {
    int ends[2];
    MUST(pipe(ends) == 0);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        write_until_killed(path, ends[1]);
    }
    (void)close(ends[1]);
    struct broker_ack ack;
    for (uint64_t i = 0; read(ends[0], &ack, sizeof ack) == (ssize_t)sizeof ack; i++) {
        if (i == reports) (void)kill(child, SIGKILL);
        assert_int_equal(ack.cookie, ack.offset);
        assert_true(ack.offset >= out_end[ack.partition]);
        out_end[ack.partition] = ack.offset + 1;
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    (void)close(ends[0]);
}

static void expect_numbers(struct broker broker, uint32_t partition, uint64_t acknowledged) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(3000);
    uint64_t start, end;
    char text[3000];
    OK(broker_bounds(broker, partition, &start, &end, NULL));
    assert_true(end >= acknowledged);
    for (uint64_t i = start; i < end; i++) {
        struct broker_message message;
        OK(broker_read(broker, partition, i, &bytes, &message, NULL));
        assert_true(str_equal(message.bytes, message_of(i, text)));
    }
}

static void kill_9_loses_nothing_that_was_acknowledged(void **state) {
    (void)state;
    char *path = local_home_new();
    struct rng rng = rng_from_seed(42);
    uint64_t ends[PARTITIONS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        run_child(path, rng_below(&rng, 200), ends);
        struct broker_local_options options = options_of(path);
        struct broker broker;
        struct why why = {0};
        OK(broker_local_open(&options, &broker, &why));
        for (uint32_t k = 0; k < PARTITIONS; k++) {
            expect_numbers(broker, k, ends[k]);
            if (round % 3 == 2) OK(broker_trim(broker, k, ends[k], &why));
        }
        broker_free(broker);
    }
    assert_true(ends[0] > 100);
    local_home_remove(path);
}

static void a_second_opener_is_refused_until_the_first_is_gone(void **state) {
    (void)state;
    char *path = local_home_new();
    struct broker_local_options options = options_of(path);
    struct broker first, second;
    struct why why = {0};
    OK(broker_local_open(&options, &first, &why));
    IS(RC_DENIED, broker_local_open(&options, &second, &why));
    assert_non_null(strstr(why.text, "in use"));
    broker_free(first);
    OK(broker_local_open(&options, &second, &why));
    broker_free(second);
    local_home_remove(path);
}

static void a_folder_belongs_to_one_queue(void **state) {
    (void)state;
    char *path = local_home_new();
    struct broker_local_options options = options_of(path);
    struct broker broker;
    struct why why = {0};
    struct id id;
    IS(RC_ABSENT, broker_local_queue_id(str_of(path), &id, &why));
    OK(broker_local_open(&options, &broker, &why));
    broker_free(broker);
    OK(broker_local_queue_id(str_of(path), &id, &why));
    assert_true(id_equal(id, options.queue));
    options.queue.bytes[5]++;
    IS(RC_DENIED, broker_local_open(&options, &broker, &why));
    local_home_remove(path);
}

static void save_meta(const char *path, const char *text) {
    char *file = NULL;
    MUST(asprintf(&file, "%s/meta", path) > 0);
    if (text)
        local_home_save(file, text, strlen(text));
    else
        MUST(unlink(file) == 0);
    free(file);
}

static void a_meta_file_that_is_damaged_missing_or_newer_is_refused(void **state) {
    (void)state;
    char *path = local_home_new();
    struct broker_local_options options = options_of(path);
    struct broker broker;
    struct why why = {0};
    OK(broker_local_open(&options, &broker, &why));
    broker_free(broker);
    static const char *const bad[] = {"",
                                      "sluice",
                                      "sluice broker 1",
                                      "sluice broker 1\n",
                                      "sluice broker 1\nqueue 12\n",
                                      "sluice broker 1\nqueue 01020300000000000000000000000000\nx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        save_meta(path, bad[i]);
        IS(RC_BROKEN, broker_local_open(&options, &broker, &why));
    }
    save_meta(path, "sluice broker 2\nqueue 01020300000000000000000000000000\n");
    IS(RC_DENIED, broker_local_open(&options, &broker, &why));
    save_meta(path, NULL);
    IS(RC_BROKEN, broker_local_open(&options, &broker, &why));
    save_meta(path, "sluice broker 1\nqueue 01020300000000000000000000000000\n");
    OK(broker_local_open(&options, &broker, &why));
    broker_free(broker);
    local_home_remove(path);
}

static void fewer_partitions_are_refused_and_more_are_added(void **state) {
    (void)state;
    char *path = local_home_new();
    struct broker_local_options options = options_of(path);
    struct broker broker;
    struct why why = {0};
    OK(broker_local_open(&options, &broker, &why));
    broker_free(broker);
    options.block_partitions = 1;
    IS(RC_DENIED, broker_local_open(&options, &broker, &why));
    options.block_partitions = 5;
    OK(broker_local_open(&options, &broker, &why));
    uint32_t n = 0;
    OK(broker_partitions(broker, BROKER_BLOCKS, &n, &why));
    assert_int_equal(n, 5);
    broker_free(broker);
    options.generation++;
    options.block_partitions = 1;
    OK(broker_local_open(&options, &broker, &why));
    broker_free(broker);
    local_home_remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_9_loses_nothing_that_was_acknowledged),
        cmocka_unit_test(a_second_opener_is_refused_until_the_first_is_gone),
        cmocka_unit_test(a_folder_belongs_to_one_queue),
        cmocka_unit_test(a_meta_file_that_is_damaged_missing_or_newer_is_refused),
        cmocka_unit_test(fewer_partitions_are_refused_and_more_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
