/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_url: redis://user:password@host:port/db, taken apart. Percent signs in user and password are decoded.
 * Threads: pure. Memory: its own texts. Fails: RC_BAD; the words never hold the password. */
#ifndef SLUICE_LEDGER_REDIS_URL_H
#define SLUICE_LEDGER_REDIS_URL_H

#include "str.h"

enum { REDIS_PORT = 6379 };

struct ledger_redis_url {
    char *host; /* NULL: a socket at .path */
    char *path;
    char *user, *password; /* NULL: none */
    uint16_t port;
    uint32_t db;
    bool tls;
};

RC ledger_redis_url_parse(struct str url, struct ledger_redis_url *out, struct why *why);
void ledger_redis_url_done(struct ledger_redis_url *url);

#endif
