/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_home.h"

#include "broker_contract.h"
#include "must.h"
#include "own.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

const char *kafka_home_server(const char *variable) {
    const char *server = getenv(variable);
    if (!server) (void)fprintf(stderr, "%s is not set: run this with tests/lib/servers.py kafka -- …\n", variable);
    MUST(server != NULL);
    return server;
}

void kafka_home_name(struct kafka_home *home) {
    static atomic_uint count;
    const char *base = getenv("TMPDIR");
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(home->pipeline, sizeof home->pipeline, "t%ld-%ld-%u", (long)getpid(), now.tv_nsec,
                   atomic_fetch_add(&count, 1));
    (void)snprintf(home->cache, sizeof home->cache, "%s/sluice-kafka-XXXXXX", base ? base : "/tmp");
    MUST(mkdtemp(home->cache) != NULL);
    home->settings = (struct broker_kafka_settings){.servers = str_of(kafka_home_server("SLUICE_TEST_KAFKA")),
                                                    .pipeline = str_of(home->pipeline),
                                                    .generation = 1,
                                                    .cache_dir = str_of(home->cache),
                                                    .message_bytes_max = CONTRACT_MESSAGE_MAX,
                                                    .session_timeout_ms = 6000};
}

void kafka_home_make(struct kafka_home *home, uint32_t job_partitions, uint32_t block_partitions) {
    struct broker_kafka_admin *admin = NULL;
    struct broker_kafka_plan plan = {0};
    struct why why = {0};
    const struct broker_kafka_wanted wanted = {.job_partitions = job_partitions, .block_partitions = block_partitions};
    kafka_home_name(home);
    enum rc rc = broker_kafka_admin_open(&home->settings, &admin, &why);
    if (rc == RC_OK) rc = broker_kafka_admin_plan_topics(admin, &wanted, &plan, &why);
    if (rc == RC_OK) rc = broker_kafka_admin_do(admin, &plan, &why);
    if (rc != RC_OK) (void)fprintf(stderr, "%s\n", why.text);
    MUST(rc == RC_OK);
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
}

void kafka_home_remove(struct kafka_home *home) { MUST(rmdir(home->cache) == 0); /* nothing is ever left in it */ }
