/* SPDX-License-Identifier: Apache-2.0 */
/* removing: removes objects several at a time, for stores where each takes a round trip.
 *
 * Threads: starts REMOVING_THREADS for a batch and waits for them. Memory: a stack each. Fails: with the first failure
 * of any, once all have ended; the others' keys are removed or not. */
#ifndef SLUICE_REMOVING_H
#define SLUICE_REMOVING_H

#include "remover.h"

enum { REMOVING_THREADS = 16 };

struct remover_many removing_many(void);

#endif
