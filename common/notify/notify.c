/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include "alloc.h"

#include <stdlib.h>

RC notify_send(struct notify n, const struct notify_item *items, size_t len, size_t *out_sent, struct why *why) {
    *out_sent = n.ops ? 0 : len;
    return n.ops && len ? n.ops->send(n.self, items, len, out_sent, why) : RC_OK;
}

void notify_free(struct notify n) {
    if (n.ops) n.ops->free(n.self);
}

struct both {
    struct notify first, second;
};

static enum rc both_send(void *self, const struct notify_item *items, size_t n, size_t *out_sent, struct why *why) {
    struct both *both = self;
    size_t first = 0;
    enum rc rc = notify_send(both->first, items, n, &first, why);
    struct why second = {0};
    enum rc other = notify_send(both->second, items, first, out_sent, &second);
    if (rc != RC_OK) return rc;
    if (other != RC_OK && why) *why = second;
    return other;
}

static void both_free(void *self) {
    struct both *both = self;
    notify_free(both->first);
    notify_free(both->second);
    free(both);
}

struct notify notify_both(struct notify first, struct notify second) {
    static const struct notify_ops ops = {both_send, both_free};
    if (!first.ops) return second;
    if (!second.ops) return first;
    struct both *both = ALLOC(struct both);
    *both = (struct both){first, second};
    return (struct notify){&ops, both};
}
