/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: one handle of the Kafka broker may be used by all threads of a process at once: what is read, counted and
 * evicted by several of them is what was appended. Under TSan this sees our own code; of librdkafka, which is not
 * instrumented, it sees the locks (c11_threads.c). */
#include "broker_kafka.h"

#include "own.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MESSAGES = 300, PARTITIONS = 2, READERS = 4, PRODUCERS = 2, WAIT_MS = 60000, PADDING = 3000 };

struct all {
    struct broker broker;
    atomic_uint failures, reader;
    atomic_bool over;
};

static void *append(void *context) {
    struct all *all = context;
    static const char padding[PADDING];
    struct broker_producer producer;
    struct broker_ack acks[16];
    if (broker_producer_new(all->broker, 1 << 20, &producer, NULL) != RC_OK) return NULL;
    size_t got = 0;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        char head[16];
        (void)snprintf(head, sizeof head, "%u ", (unsigned)i);
        struct str body = {padding, i * 37 % PADDING};
        if (broker_append(producer, BROKER_BLOCKS, (uint32_t)i % PARTITIONS, str_of(head), body, i, NULL) != RC_OK)
            (void)atomic_fetch_add(&all->failures, 1);
    }
    for (size_t n = 0; got < MESSAGES; got += n)
        if (broker_poll(producer, WAIT_MS, acks, 16, &n, NULL) != RC_OK) {
            (void)atomic_fetch_add(&all->failures, 1);
            break;
        }
    broker_producer_free(producer);
    return NULL;
}

static void *read_all(void *context) {
    struct all *all = context;
    AUTO(buf_done) struct buf bytes = BUF_INIT(PADDING + 16);
    uint32_t partition = atomic_fetch_add(&all->reader, 1) % PARTITIONS;
    for (uint64_t offset = 0; offset < MESSAGES * PRODUCERS / PARTITIONS;) {
        struct broker_message message;
        enum rc rc = broker_wait(all->broker, partition, offset, WAIT_MS, NULL);
        if (rc == RC_OK) rc = broker_read(all->broker, partition, offset, &bytes, &message, NULL);
        unsigned number = 0;
        if (rc != RC_OK || sscanf(buf_text(&bytes), "%u ", &number) != 1 || number % PARTITIONS != partition) {
            (void)atomic_fetch_add(&all->failures, 1);
            return NULL;
        }
        offset++;
    }
    return NULL;
}

static void *look(void *context) {
    struct all *all = context;
    while (!atomic_load(&all->over)) {
        uint64_t bytes = 0, start = 0, end = 0;
        if (broker_backlog_bytes(all->broker, &bytes, NULL) != RC_OK ||
            broker_bounds(all->broker, 0, &start, &end, NULL) != RC_OK || start > end)
            (void)atomic_fetch_add(&all->failures, 1);
    }
    return NULL;
}

static void all_threads_use_one_handle(void **state) {
    (void)state;
    char words[256], dir[128];
    const char *base = getenv("TMPDIR");
    struct all all = {.failures = 0};
    pthread_t threads[READERS + PRODUCERS], looker;
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), words, sizeof words);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
    (void)rd_kafka_mock_topic_create(cluster, "p.jobs", 1, 1);
    (void)rd_kafka_mock_topic_create(cluster, "p.events", 1, 1);
    (void)rd_kafka_mock_topic_create(cluster, "p.blocks.g1", PARTITIONS, 1);
    (void)snprintf(dir, sizeof dir, "%s/sluice-threads-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(dir));
    const struct broker_kafka_settings settings = {.servers = str_of(rd_kafka_mock_cluster_bootstraps(cluster)),
                                                   .pipeline = STR("p"),
                                                   .generation = 1,
                                                   .cache_dir = str_of(dir),
                                                   .cache_bytes_max = 200000}; /* so small that it evicts */
    assert_int_equal(broker_kafka_open(&settings, &all.broker, NULL), RC_OK);
    for (size_t i = 0; i < READERS + PRODUCERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, i < READERS ? read_all : append, &all), 0);
    assert_int_equal(pthread_create(&looker, NULL, look, &all), 0);
    for (size_t i = 0; i < READERS + PRODUCERS; i++) (void)pthread_join(threads[i], NULL);
    atomic_store(&all.over, true);
    (void)pthread_join(looker, NULL);
    assert_int_equal(all.failures, 0);
    broker_free(all.broker);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_threads_use_one_handle)};
    return cmocka_run_group_tests_name("kafka's threads", tests, NULL, NULL);
}
