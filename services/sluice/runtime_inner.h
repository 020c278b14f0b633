/* SPDX-License-Identifier: Apache-2.0 */
/* runtime_inner: the parts of opening a runtime: where things are decides which. Not for others. */
#ifndef SLUICE_RUNTIME_INNER_H
#define SLUICE_RUNTIME_INNER_H

#include "runtime.h"

/* runtime_output.c: opens what output.url names. */
RC runtime_open_store(struct runtime *runtime, struct why *why);
/* Puts our identity if the output has none, and refuses one that is not ours. */
RC runtime_claim_output(struct runtime *runtime, const struct ledger_identity *who, struct why *why);

/* runtime_local.c: the state folder. */
RC runtime_local_ledger(struct runtime *runtime, struct why *why);
/* Sets .fresh where nothing ran yet. */
RC runtime_local_ledger_reader(struct runtime *runtime, struct why *why);
RC runtime_local_broker(struct runtime *runtime, struct why *why);
RC runtime_local_queue(const struct runtime *runtime, uint64_t generation, struct broker *out, struct why *why);

#endif
