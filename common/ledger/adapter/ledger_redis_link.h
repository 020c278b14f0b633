/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis_link: connections to one Redis, and scripts run over them. A connection learns at its birth which life
 * of which server it talks to (run id and replication id, the `life`), and every script is sent with the gate
 * "<epoch>:<life>" of its connection, so that no decision is made by a server that is not the one whose epoch is open.
 *
 * Threads: any number; a call has a connection for itself. Memory: replies. Limits: settings.connections at once, the
 * others wait. Fails: the table in ledger_redis_link.c. */
#ifndef SLUICE_LEDGER_REDIS_LINK_H
#define SLUICE_LEDGER_REDIS_LINK_H

#include "ledger_redis.h"

#include <hiredis/hiredis.h>

enum redis_script { REDIS_LOAD, REDIS_COMMIT, REDIS_SCRIPTS };
enum { REDIS_LIFE_MAX = 128 };

/* Arguments of a script behind the gate; strings are borrowed. */
struct redis_args {
    struct str *at;
    size_t len, room;
};
void redis_args_add(struct redis_args *args, struct str arg);
void redis_args_done(struct redis_args *args);

struct redis_link;

RC redis_link_new(const struct ledger_redis_settings *settings, struct redis_link **out, struct why *why);
void redis_link_free(struct redis_link *link);
/* "{pipeline}:" */
struct str redis_link_prefix(const struct redis_link *link);

/* Runs `n` scripts one behind the other without waiting in between; out[i] is the i-th answer, for redis_replies_free.
 * `epoch` 0: the gate is not looked at. RC_STALE: the gate holds something else. A script that only reads is run again
 * on a new connection when the one at hand was dead. */
RC redis_link_run(struct redis_link *link, enum redis_script script, uint64_t epoch, const struct redis_args *args,
                  size_t n, redisReply **out, struct why *why);
/* The life of the server behind a connection of now. */
RC redis_link_life(struct redis_link *link, char out[REDIS_LIFE_MAX], struct why *why);
/* One plain command. */
RC redis_link_command(struct redis_link *link, const struct str *words, size_t n, redisReply **out, struct why *why);
void redis_replies_free(redisReply **replies, size_t n);

/* Bytes of a string answer; .at NULL: nil or something else. */
static inline struct str redis_reply_str(const redisReply *reply) {
    return reply && reply->type == REDIS_REPLY_STRING ? (struct str){reply->str, (size_t)reply->len} : (struct str){0};
}

#endif
