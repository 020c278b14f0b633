/* SPDX-License-Identifier: Apache-2.0 */
/* bench_broker: how fast the local broker takes blocks and gives them back, and what a byte costs in CPU. One producer
 * and one reader, each in its thread, the reader close behind; trimmed as it goes, as in a pipeline. Prints, asserts
 * nothing. Usage: bench_broker DIR [MiB] */
#include "broker_local.h"

#include "alloc.h"
#include "must.h"
#include "own.h"
#include "rng.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { QUEUE_BYTES = 32 << 20, PARTITIONS = 2, HEAD = 200, BATCH = 64 };

struct run {
    struct broker broker;
    size_t message_bytes;
    uint64_t messages; /* a partition */
};

static double clock_s(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void drain(struct broker_producer producer, uint64_t wait_ms, uint64_t *acked) {
    struct broker_ack acks[BATCH];
    size_t n;
    do {
        MUST(broker_poll(producer, wait_ms, acks, BATCH, &n, NULL) == RC_OK);
        *acked += n;
    } while (n == BATCH);
}

static void *produce(void *context) {
    const struct run *run = context;
    struct broker_producer producer;
    AUTO(own_free) char *bytes = alloc_bytes(run->message_bytes);
    struct rng rng = rng_from_seed(1);
    for (size_t i = 0; i < run->message_bytes; i++) bytes[i] = (char)rng_next(&rng);
    MUST(broker_producer_new(run->broker, QUEUE_BYTES, &producer, NULL) == RC_OK);
    uint64_t sent = 0, acked = 0, all = run->messages * PARTITIONS;
    while (acked < all) {
        enum rc rc = RC_BUSY;
        if (sent < all)
            rc = broker_append(producer, BROKER_BLOCKS, (uint32_t)(sent % PARTITIONS), (struct str){bytes, HEAD},
                               (struct str){bytes + HEAD, run->message_bytes - HEAD}, sent, NULL);
        MUST(rc == RC_OK || rc == RC_BUSY);
        sent += rc == RC_OK;
        if (rc == RC_BUSY || sent % BATCH == 0) drain(producer, rc == RC_BUSY ? 1000 : 0, &acked);
    }
    broker_producer_free(producer);
    return NULL;
}

static void *consume(void *context) {
    const struct run *run = context;
    AUTO(buf_done) struct buf bytes = BUF_INIT(8 << 20);
    uint64_t at[PARTITIONS] = {0}, start, end;
    while (at[0] < run->messages || at[1] < run->messages) {
        for (uint32_t k = 0; k < PARTITIONS; k++) {
            struct broker_message message;
            MUST(broker_bounds(run->broker, k, &start, &end, NULL) == RC_OK);
            for (; at[k] < end; at[k]++) MUST(broker_read(run->broker, k, at[k], &bytes, &message, NULL) == RC_OK);
            MUST(broker_trim(run->broker, k, at[k], NULL) == RC_OK);
            if (at[k] < run->messages) (void)!broker_wait(run->broker, k, at[k], 10, NULL);
        }
    }
    return NULL;
}

static void measure(const char *dir, uint64_t generation, size_t message_bytes, uint64_t total) {
    struct id queue = {{7}};
    struct broker_local_options options = {.dir = str_of(dir),
                                           .queue = queue,
                                           .generation = generation,
                                           .job_partitions = 1,
                                           .block_partitions = PARTITIONS};
    struct run run = {.message_bytes = message_bytes, .messages = total / message_bytes / PARTITIONS};
    struct why why = {0};
    if (broker_local_open(&options, &run.broker, &why) != RC_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    struct rusage before, after;
    pthread_t threads[2];
    (void)getrusage(RUSAGE_SELF, &before);
    double wall = clock_s(CLOCK_MONOTONIC), cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID);
    MUST(pthread_create(&threads[0], NULL, produce, &run) == 0);
    MUST(pthread_create(&threads[1], NULL, consume, &run) == 0);
    for (int i = 0; i < 2; i++) (void)pthread_join(threads[i], NULL);
    wall = clock_s(CLOCK_MONOTONIC) - wall;
    cpu = clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    (void)getrusage(RUSAGE_SELF, &after);
    double bytes = (double)(run.messages * PARTITIONS * message_bytes);
    double user = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                  (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6;
    printf(
        "%8zu bytes a message: %7.0f MB/s, %6.3f CPU ns a byte (%.3f of it in user mode), %8.0f messages/s, peak %ld "
        "MiB\n",
        message_bytes, bytes / wall / 1e6, cpu * 1e9 / bytes, user * 1e9 / bytes,
        (double)(run.messages * PARTITIONS) / wall, after.ru_maxrss / 1024);
    broker_free(run.broker);
}

int main(int count, char **words) {
    if (count < 2) {
        (void)fprintf(stderr, "usage: bench_broker DIR [MiB]\n");
        return 2;
    }
    uint64_t mib = 1024;
    if (count > 2 && str_parse_u64(str_of(words[2]), &mib) != RC_OK) return 2;
    for (uint64_t round = 0; round < 3; round++) {
        measure(words[1], 2 * round, 256 * 1024, mib << 20);
        measure(words[1], 2 * round + 1, 2 * 1024, mib << 18);
    }
    return 0;
}
