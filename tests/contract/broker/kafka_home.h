/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_home: pipelines for tests on the Kafka that SLUICE_TEST_KAFKA names: topics that no other test has, and a
 * folder for the cache. Without that Kafka a test fails. */
#ifndef SLUICE_KAFKA_HOME_H
#define SLUICE_KAFKA_HOME_H

#include "broker_kafka_admin.h"

struct kafka_home {
    char pipeline[64], cache[128];
    struct broker_kafka_settings settings; /* borrows from the above; may be changed */
};

/* The address of the server; never NULL. */
const char *kafka_home_server(const char *variable);
/* New topics with these partitions. */
void kafka_home_make(struct kafka_home *home, uint32_t job_partitions, uint32_t block_partitions);
/* Names only, no topics. */
void kafka_home_name(struct kafka_home *home);
/* Removes the folder; the topics end with the server. */
void kafka_home_remove(struct kafka_home *home);

#endif
