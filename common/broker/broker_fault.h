/* SPDX-License-Identifier: Apache-2.0 */
/* broker_fault: a broker in front of another that fails on demand, for tests and the simulation: loops that fail the
 * k-th operation and crashes between any two effects.
 *
 * Every fallible call is counted, also those of producers and consumers that were made through it. A call is an effect
 * when it changes something: append, poll (hands out acknowledgements), next, commit (of a consumer or share), trim,
 * skip_to. The armed fault
 * strikes once. Or a function of the owner decides about each call, which lets one counter run through the faults of
 * several ports.
 *
 * Threads: one at a time. Memory: a few words a producer and consumer. Fails: as armed; else as the inner broker. */
#ifndef SLUICE_BROKER_FAULT_H
#define SLUICE_BROKER_FAULT_H

#include "broker.h"

enum broker_fault_kind {
    BROKER_FAULT_NONE,
    BROKER_FAULT_BEFORE,       /* the call is not done and answers `rc` */
    BROKER_FAULT_AFTER,        /* the call is done, its outputs are lost, and it answers `rc` */
    BROKER_FAULT_CRASH_BEFORE, /* the call is not done; it and everything afterwards answers RC_STOP */
    BROKER_FAULT_CRASH_AFTER   /* the call is done; it and everything afterwards answers RC_STOP */
};

/* What is called: all before BROKER_FAULT_READ are effects. */
enum broker_fault_call {
    BROKER_FAULT_APPEND,
    BROKER_FAULT_POLL,
    BROKER_FAULT_NEXT,
    BROKER_FAULT_COMMIT,
    BROKER_FAULT_TRIM,
    BROKER_FAULT_SKIP_TO,
    BROKER_FAULT_READ
};

/* What becomes of the call that comes now. *out_rc is for BEFORE and AFTER, and holds RC_BUSY. */
typedef enum broker_fault_kind (*broker_fault_decide)(void *context, enum broker_fault_call call, enum rc *out_rc);

struct broker_fault_plan {
    enum broker_fault_kind kind;
    bool effects_only; /* `at` counts effects, not all calls */
    uint64_t at;       /* the first call from arming on is 1 */
    enum rc rc; /* for BEFORE and AFTER. AFTER an append must be RC_BROKEN: any other says that it was not queued */
};

struct broker_fault;

/* Borrows `inner`. */
struct broker_fault *broker_fault_new(struct broker inner);
/* The port; its free does nothing, broker_fault_free ends it. */
struct broker broker_fault_port(struct broker_fault *fault);
/* Counts begin again at 0; a crash is over (a new process on the same broker: make producers and consumers anew). */
void broker_fault_arm(struct broker_fault *fault, struct broker_fault_plan plan);
/* From now on `decide` decides alone; after it answered a crash it is asked no more until the next arm. */
void broker_fault_by(struct broker_fault *fault, broker_fault_decide decide, void *context);
uint64_t broker_fault_calls(const struct broker_fault *fault);
uint64_t broker_fault_effects(const struct broker_fault *fault);
/* The armed fault has struck. */
bool broker_fault_struck(const struct broker_fault *fault);
void broker_fault_free(struct broker_fault *fault);

#endif
