/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the local broker keeps every sentence of broker.h, also when a segment holds only a few messages. */
#include "broker_contract.h"
#include "local_home.h"

#include "must.h"

static size_t segment_bytes;

static void *open_local(struct broker *out) {
    char *path = local_home_new();
    struct broker_local_options options = local_home_options(path);
    options.segment_bytes = segment_bytes;
    options.open_segments_max = 1;
    struct why why = {0};
    MUST(broker_local_open(&options, out, &why) == RC_OK);
    return path;
}

static void close_local(void *fixture, struct broker broker) {
    broker_free(broker);
    local_home_remove(fixture);
}

int main(void) {
    struct broker_fixture fixture = {.name = "local", .open = open_local, .close = close_local};
    int failed = broker_contract_run(&fixture);
    fixture.name = "local, a segment every two messages";
    segment_bytes = 60;
    return failed + broker_contract_run(&fixture);
}
