/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_fault: a decorator of the ledger that fails on demand, for tests and the simulation: the k-th call fails
 * before it happens, or happens and its answer is lost, or is the last one that its caller ever gets through.
 *
 * Every call counts as one effect, reading ones too: that is where a service can die. Or a function of the owner
 * decides about each call, which lets one counter run through the faults of several ports. Threads: the plan is guarded
 * by a lock; the call itself goes to the inner ledger outside of it. Memory: one small object. Fails: as planned, else
 * as the inner ledger. */
#ifndef SLUICE_LEDGER_FAULT_H
#define SLUICE_LEDGER_FAULT_H

#include "ledger.h"

enum ledger_fault_kind {
    LEDGER_FAULT_NONE,
    LEDGER_FAULT_BEFORE,     /* the call answers `rc` and has done nothing */
    LEDGER_FAULT_AFTER,      /* the call happens and answers `rc`; outputs are not written */
    LEDGER_FAULT_CRASH,      /* the call does nothing; it and all later ones answer RC_STOP */
    LEDGER_FAULT_CRASH_AFTER /* the call happens; it and all later ones answer RC_STOP */
};

struct ledger_fault_plan {
    enum ledger_fault_kind kind;
    uint64_t at; /* effect number, counted from 0 since the decorator was made */
    enum rc rc;  /* for BEFORE and AFTER; RC_BUSY is what a network gives */
};

struct ledger_fault;
/* What becomes of the call that comes now. *out_rc is for BEFORE and AFTER, and holds RC_BUSY. */
typedef enum ledger_fault_kind (*ledger_fault_decide)(void *context, enum rc *out_rc);

/* A handle that goes to `inner` by way of the plan. Freeing it frees only the decorator: `inner` outlives it, as the
 * ledger outlives a service that crashes. *out_fault stays valid until then. */
struct ledger ledger_fault_new(struct ledger inner, struct ledger_fault **out_fault);
void ledger_fault_plan(struct ledger_fault *fault, struct ledger_fault_plan plan);
/* From now on `decide` decides alone; after it answered a crash it is asked no more. Called under the lock. */
void ledger_fault_by(struct ledger_fault *fault, ledger_fault_decide decide, void *context);
/* How many effects were asked for so far. */
uint64_t ledger_fault_effects(struct ledger_fault *fault);

#endif
