/* SPDX-License-Identifier: Apache-2.0 */
/* redis_server: a Redis of the test's own, to be killed, frozen and started again on the same port and data. The
 * program is SLUICE_TEST_REDIS_SERVER. Threads: one at a time. Fails: by cmocka. */
#ifndef SLUICE_REDIS_SERVER_H
#define SLUICE_REDIS_SERVER_H

#include <sys/types.h>

struct redis_server {
    char folder[64], url[64];
    int port;
    pid_t pid;
};

/* `more`: arguments of redis-server, NULL at the end; may be NULL. */
void redis_server_start(struct redis_server *server, const char *const *more);
void redis_server_kill(struct redis_server *server);
/* Started again, with what it had. */
void redis_server_restart(struct redis_server *server, const char *const *more);
void redis_server_end(struct redis_server *server);
/* One command; its answer as text (errors too). Free it. */
char *redis_server_ask(const struct redis_server *server, const char *command);

#endif
