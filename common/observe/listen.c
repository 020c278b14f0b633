/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include "own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

enum { HOST_MAX = INET6_ADDRSTRLEN, BACKLOG = 64 };

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

/* "HOST:PORT", "[HOST]:PORT" or "PORT" into its two parts. */
static bool split(struct str text, struct str *out_host, struct str *out_port, bool *out_v6) {
    *out_v6 = str_starts(text, STR("["));
    *out_host = STR("127.0.0.1");
    *out_port = text;
    const char *colon = text.len ? memrchr(text.at, ':', text.len) : NULL;
    if (!colon) return true;
    *out_host = str_sub(text, 0, (size_t)(colon - text.at));
    *out_port = str_sub(text, out_host->len + 1, text.len);
    if (!*out_v6) return true;
    if (!str_ends(*out_host, STR("]"))) return false;
    *out_host = str_sub(*out_host, 1, out_host->len - 1);
    return true;
}

static bool parse(struct str text, struct address *out) {
    struct str host, port_text;
    char name[HOST_MAX];
    uint64_t port = 0;
    bool v6 = false;
    if (!split(text, &host, &port_text, &v6) || host.len >= sizeof name) return false;
    if (str_parse_u64(port_text, &port) != RC_OK || port > UINT16_MAX) return false;
    if (str_equal(host, STR("localhost"))) host = STR("127.0.0.1");
    (void)snprintf(name, sizeof name, "%.*s", STR_ARG(host));
    *out = (struct address){0};
    if (v6) {
        out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        out->len = sizeof out->v6;
        return inet_pton(AF_INET6, name, &out->v6.sin6_addr) == 1;
    }
    out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    out->len = sizeof out->v4;
    return inet_pton(AF_INET, name, &out->v4.sin_addr) == 1;
}

/* A restart must get the port of the process before, whose connections may linger. */
static bool prepare(int fd) {
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
}

RC listen_open(struct str text, int *out_fd, uint16_t *out_port, struct why *why) {
    struct address address;
    if (!parse(text, &address))
        return why_set(why, RC_BAD, "'%.*s' is not ADDRESS:PORT, such as 127.0.0.1:9464 or [::1]:9464", STR_ARG(text));
    AUTO(own_close) int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !prepare(fd) || bind(fd, &address.any, address.len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &address.any, &address.len) != 0)
        return why_errno(why, RC_DENIED, errno, "cannot listen on '%.*s'", STR_ARG(text));
    *out_port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    *out_fd = own_take_fd(&fd);
    return RC_OK;
}
