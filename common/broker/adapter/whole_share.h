/* SPDX-License-Identifier: Apache-2.0 */
/* whole_share: the share of a broker that one process has to itself: all partitions are its own. What is committed is
 * kept as long as the share; nobody else could ask for it. Threads: one at a time. Memory: 16 bytes a partition. */
#ifndef SLUICE_WHOLE_SHARE_H
#define SLUICE_WHOLE_SHARE_H

#include "broker.h"

/* Waits up to wait_ms; true when the broker has been stopped. */
typedef bool whole_share_wait(void *context, uint64_t wait_ms);

/* `gone` is called when the share is freed; it may be NULL. */
void whole_share_new(uint32_t partitions, whole_share_wait *wait, void (*gone)(void *context), void *context,
                     struct broker_share *out);

#endif
