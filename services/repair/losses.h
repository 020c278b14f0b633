/* SPDX-License-Identifier: Apache-2.0 */
/* losses: notes in the store of won ranges that a person accepted as lost, for audits to come; INTERFACES.md has their
 * names. Each may be made or taken away again. Threads: any. Fails: with what the store fails with. */
#ifndef SLUICE_LOSSES_H
#define SLUICE_LOSSES_H

#include "lost.h"
#include "store.h"

RC losses_note(struct store store, uint64_t generation, const struct lost_attempt *attempt, struct why *why);
/* Before the attempt is made again: dying in between, it is lost and not noted, and the next repair sees to it. */
RC losses_forget(struct store store, uint64_t generation, const struct lost_attempt *attempt, struct why *why);

#endif
