/* SPDX-License-Identifier: Apache-2.0 */
/* runtime_inner: the parts of opening a runtime: where things are decides which. Not for others. */
#ifndef SLUICE_RUNTIME_INNER_H
#define SLUICE_RUNTIME_INNER_H

#include "identity.h"
#include "runtime.h"

/* runtime_output.c: opens what output.url names. */
RC runtime_open_store(struct runtime *runtime, struct why *why);
/* Puts our identity if the output has none, and refuses one that is not ours. */
RC runtime_claim_output(struct runtime *runtime, const struct ledger_identity *who, struct why *why);
/* runtime_rules.c: puts by which rules lines go together, and refuses others: RC_DENIED. Warns of other partitions. */
RC runtime_claim_rules(const struct runtime *r, struct why *why);

/* RC_ABSENT: nobody writes there yet. */
RC runtime_read_identity(struct store store, struct arena *arena, struct identity *out, struct why *why);
/* More partitions of blocks than the output knows of: from now on it does. */
RC runtime_raise_partitions(struct runtime *runtime, const struct ledger_identity *who, struct why *why);

/* runtime_fleet.c: Kafka and Redis. */
/* `remake`: where Redis was emptied the ledger is made again, for a recovery. */
RC runtime_fleet_ledger(struct runtime *runtime, bool remake, struct why *why);
RC runtime_fleet_broker(const struct runtime *runtime, uint64_t generation, struct broker *out, struct why *why);
/* RC_ABSENT: there is no such topic. */
RC runtime_fleet_drop_queue(const struct runtime *runtime, uint64_t generation, struct why *why);
RC runtime_fleet_queue(const struct runtime *runtime, uint64_t generation, struct broker *out, struct why *why);
/* Are the servers' settings such that nothing acknowledged gets lost? Tells risks, refuses what cannot work. */
RC runtime_fleet_check(const struct runtime *runtime, struct why *why);

/* runtime_local.c: the state folder. */
/* Makes a folder and those above it; `key` is the configuration's. */
RC runtime_make_folder(struct str path, unsigned mode, const char *key, struct why *why);
RC runtime_local_ledger(struct runtime *runtime, struct why *why);
/* Sets .fresh where nothing ran yet. */
RC runtime_local_ledger_reader(struct runtime *runtime, struct why *why);
RC runtime_local_broker(struct runtime *runtime, struct why *why);
RC runtime_local_drop_queue(const struct runtime *runtime, uint64_t generation, struct why *why);
/* Also where acknowledged messages are damaged or missing. */
RC runtime_local_hurt_broker(struct runtime *runtime, struct why *why);
RC runtime_local_queue(const struct runtime *runtime, uint64_t generation, struct broker *out, struct why *why);

#endif
