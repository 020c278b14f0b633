/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_world.h"

#include "redis_server.h"

#include "alloc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 40 };

static int free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

static redisContext *connected(const struct redis_server *server) {
    redisContext *c = redisConnect("127.0.0.1", server->port);
    if (c && !c->err) return c;
    if (c) redisFree(c);
    return NULL;
}

char *redis_server_ask(const struct redis_server *server, const char *command) {
    redisContext *c = connected(server);
    assert_non_null(c);
    redisReply *reply = redisCommand(c, command);
    assert_non_null(reply);
    char *text = reply->str ? alloc_text(reply->str, (size_t)reply->len) : alloc_text("", 0);
    freeReplyObject(reply);
    redisFree(c);
    return text;
}

/* Asks until it answers; a server that ended fails the test at once. */
static void wait_ready(struct redis_server *server) {
    for (;;) {
        assert_int_equal(waitpid(server->pid, NULL, WNOHANG), 0);
        redisContext *c = connected(server);
        redisReply *reply = c ? redisCommand(c, "PING") : NULL;
        bool ready = reply && (reply->type == REDIS_REPLY_STATUS || strncmp(reply->str, "NOAUTH", 6) == 0);
        if (reply) freeReplyObject(reply);
        if (c) redisFree(c);
        if (ready) return;
        (void)usleep(5000);
    }
}

void redis_server_restart(struct redis_server *server, const char *const *more) {
    const char *program = getenv("SLUICE_TEST_REDIS_SERVER");
    char port[16];
    if (!program) fail_msg("SLUICE_TEST_REDIS_SERVER is not set: run it by `python3 tests/lib/servers.py redis -- …`");
    (void)snprintf(port, sizeof port, "%d", server->port);
    const char *args[ARGS_MAX] = {program, "--bind",        "127.0.0.1", "--port", port,
                                  "--dir", server->folder,  "--save",    "",       "--appendonly",
                                  "yes",   "--appendfsync", "always"};
    size_t n = 13;
    for (size_t i = 0; more && more[i] && n + 1 < ARGS_MAX; i++) args[n++] = more[i];
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, 1);
        (void)execv(program, (char *const *)args);
        _exit(127);
    }
    wait_ready(server);
}

void redis_server_start(struct redis_server *server, const char *const *more) {
    *server = (struct redis_server){.folder = "/tmp/sluice-redis-XXXXXX", .port = free_port()};
    assert_non_null(mkdtemp(server->folder));
    (void)snprintf(server->url, sizeof server->url, "redis://127.0.0.1:%d", server->port);
    redis_server_restart(server, more);
}

void redis_server_kill(struct redis_server *server) {
    if (server->pid <= 0) return;
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

void redis_server_end(struct redis_server *server) {
    redis_server_kill(server);
    assert_int_equal(nftw(server->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}
