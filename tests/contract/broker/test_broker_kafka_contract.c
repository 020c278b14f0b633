/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the Kafka broker keeps every sentence of broker.h, on a real Kafka; also when its cache holds only a few
 * messages and everything has to be fetched again and again. */
#include "broker_contract.h"
#include "kafka_home.h"

#include "alloc.h"
#include "must.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t cache_bytes_max;

static void *open_kafka(struct broker *out) {
    struct kafka_home *home = ALLOC(struct kafka_home);
    struct why why = {0};
    kafka_home_make(home, 3, 2);
    home->settings.cache_bytes_max = cache_bytes_max;
    enum rc rc = broker_kafka_open(&home->settings, out, &why);
    if (rc != RC_OK) (void)fprintf(stderr, "%s\n", why.text);
    MUST(rc == RC_OK);
    return home;
}

static void close_kafka(void *fixture, struct broker broker) {
    broker_free(broker);
    kafka_home_remove(fixture);
    free(fixture);
}

int main(void) {
    struct broker_fixture fixture = {.name = "kafka",
                                     .has_events = true,
                                     .jobs_endless = true,
                                     .jobs_repeat = true,
                                     .open = open_kafka,
                                     .close = close_kafka};
    int failed = broker_contract_run(&fixture);
    fixture.name = "kafka, a cache of one byte";
    cache_bytes_max = 1;
    return failed + broker_contract_run(&fixture);
}
