/* SPDX-License-Identifier: Apache-2.0 */
/* notify: tells others of something that happened, at least once: a receipt to a topic of the broker, to a webhook.
 *
 * Who tells remembers that it told only after notify_send said so; so what is told is told again after a crash or a
 * lost answer, and never forgotten. Each item has a name that is the same each time, for those who want to hear it
 * once.
 *
 * Threads: one at a time. Memory: what one send needs. Fails: any outcome means "not all of it was told: again later";
 * the words are for the log. */
#ifndef SLUICE_NOTIFY_H
#define SLUICE_NOTIFY_H

#include "rc.h"
#include "str.h"

#include <stddef.h>

struct notify_item {
    struct str name; /* unique and stable: the receipt's key */
    struct str body; /* JSON */
};

struct notify_ops {
    enum rc (*send)(void *self, const struct notify_item *items, size_t n, size_t *out_sent, struct why *why);
    void (*free)(void *self);
};
/* Without ops: nobody is told, and all is well. */
struct notify {
    const struct notify_ops *ops;
    void *self;
};

/* Tells the items in order; the first *out_sent of them arrived, whatever it returns. That may be fewer than n with
 * RC_OK, where all of them would take too long. Waits for the answers, up to the adapter's time-out. */
RC notify_send(struct notify notify, const struct notify_item *items, size_t n, size_t *out_sent, struct why *why);
void notify_free(struct notify notify);

/* Tells both: what has arrived at the first is told to the second. Takes over both. */
struct notify notify_both(struct notify first, struct notify second);

#endif
