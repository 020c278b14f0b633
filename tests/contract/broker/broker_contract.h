/* SPDX-License-Identifier: Apache-2.0 */
/* broker_contract: the sentences of broker.h as tests that every adapter runs. A fixture makes a fresh broker with 2
 * partitions of blocks and 3 of jobs, at most CONTRACT_MESSAGE_MAX bytes a message and CONTRACT_JOBS_MAX jobs, and says
 * what its kind of broker is free to do. */
#ifndef SLUICE_BROKER_CONTRACT_H
#define SLUICE_BROKER_CONTRACT_H

#include "broker.h"

enum { CONTRACT_MESSAGE_MAX = 1 << 20, CONTRACT_JOBS_MAX = 100 };

struct broker_fixture {
    const char *name;
    bool has_events;   /* there is a topic for events, of one partition */
    bool jobs_endless; /* the jobs topic is never full */
    bool jobs_repeat;  /* a job may be given out again when the group's members change */
    void *(*open)(struct broker *out);
    void (*close)(void *fixture, struct broker broker);
};

/* Runs the suite; the number of failed tests. */
int broker_contract_run(const struct broker_fixture *fixture);

#endif
