/* SPDX-License-Identifier: Apache-2.0 */
/* notify_webhook: tells somebody by HTTP POST, one request an item, with the item's body.
 *
 * Headers: Content-Type: application/json, X-Sluice-Event: receipt, X-Sluice-Delivery: the item's name (the same each
 * time it is told), X-Sluice-Timestamp: seconds since 1970, and with a secret X-Sluice-Signature: sha256=<hex of
 * HMAC-SHA256(secret, timestamp "." body)>. An answer of 200 to 299 means that it arrived; redirects are not followed;
 * anything else is tried again later by whoever sends.
 *
 * Memory: one connection, answers are thrown away. Threads: one at a time. Fails: RC_BUSY with the URL (without user,
 * password and query) and what came back. */
#ifndef SLUICE_NOTIFY_WEBHOOK_H
#define SLUICE_NOTIFY_WEBHOOK_H

#include "notify.h"

#include <stdint.h>

struct notify_webhook_settings {
    struct str url, secret; /* copied */
    uint64_t timeout_ms;    /* of one request; a send begins none after so long, the rest is for the next send */
};

/* RC_DENIED: no URL that can be asked. */
RC notify_webhook_new(const struct notify_webhook_settings *settings, struct notify *out, struct why *why);

#endif
