/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_conn: one connection: log in, learn whose server it is, run scripts, say what an error means.
 * Threads: one at a time. Fails: the table in ledger_redis_conn.c; after a failure of the wire it is dead. */
#ifndef SLUICE_LEDGER_REDIS_CONN_H
#define SLUICE_LEDGER_REDIS_CONN_H

#include "buf.h"
#include "ledger_redis_link.h"
#include "ledger_redis_url.h"

struct redis_conn_settings {
    struct ledger_redis_url url;
    char *ca, *cert, *key;
    uint64_t connect_ms, call_ms;
};
RC redis_conn_settings_make(const struct ledger_redis_settings *from, struct redis_conn_settings *out, struct why *why);
void redis_conn_settings_done(struct redis_conn_settings *settings);

struct redis_conn;
RC redis_conn_open(const struct redis_conn_settings *settings, struct str prefix, struct redis_conn **out,
                   struct why *why);
void redis_conn_free(struct redis_conn *conn);
bool redis_conn_dead(const struct redis_conn *conn);
RC redis_conn_run(struct redis_conn *conn, enum redis_script script, uint64_t epoch, const struct redis_args *args,
                  size_t n, redisReply **out, struct why *why);
RC redis_conn_command(struct redis_conn *conn, const struct str *words, size_t n, redisReply **out, struct why *why);
/* Asks the server again; RC_BUSY and dead when it is not the life that the connection was born to. */
RC redis_conn_ask_life(struct redis_conn *conn, char out[REDIS_LIFE_MAX], struct why *why);

#endif
