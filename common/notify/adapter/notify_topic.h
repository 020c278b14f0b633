/* SPDX-License-Identifier: Apache-2.0 */
/* notify_topic: tells the topic of events of a broker. Each item is one message, its body; an item counts as told when
 * it is acknowledged.
 *
 * Memory: at most NOTIFY_TOPIC_BYTES unacknowledged. Threads: one at a time. */
#ifndef SLUICE_NOTIFY_TOPIC_H
#define SLUICE_NOTIFY_TOPIC_H

#include "broker.h"
#include "notify.h"

enum {
    NOTIFY_TOPIC_BYTES = 4 * 1024 * 1024,
    NOTIFY_TOPIC_WAIT_MS = 30 * 1000 /* for the acknowledgements of one send; then RC_BUSY */
};

/* Borrows the broker for its life; connects at the first send. */
struct notify notify_topic_new(struct broker broker);

#endif
