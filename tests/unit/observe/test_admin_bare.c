/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a server that was made bare has the pages that were added and no others, and its pages see header fields and
 * answer with a status and a field of their own. */
#include "admin.h"
#include "own.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

/* Says what came behind the route's path and in a header field. */
static enum rc guarded(void *self, const struct admin_request *request, struct admin_reply *reply, struct why *why) {
    (void)self;
    const char *field = admin_field(request, "X-Word");
    reply->status = field ? 206 : 401;
    reply->field = "X-Told";
    (void)snprintf(reply->value, sizeof reply->value, "%s", field ? field : "nothing");
    buf_add(reply->body, request->path);
    return field ? RC_OK : why_set(why, RC_DENIED, "no word");
}

/* The whole answer. */
static void ask(const struct admin *admin, const char *path, const char *fields, char out[4096]) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(admin_port(admin))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    AUTO(own_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    char request[512];
    int len =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n%sConnection: close\r\n\r\n", path, fields);
    assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
    size_t got = 0;
    for (ssize_t n; (n = recv(fd, out + got, 4095 - got, 0)) > 0;) got += (size_t)n;
    out[got] = '\0';
}

static void a_bare_server_has_only_what_was_added(void **state) {
    (void)state;
    struct admin *admin = admin_new_bare(2);
    char answer[4096];
    admin_route(admin, "/file/", guarded, NULL);
    assert_int_equal(admin_start(admin, STR("127.0.0.1:0"), NULL), RC_OK);
    static const char *const absent[] = {"/", "/metrics", "/healthz", "/readyz", "/file", "/fil/e"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        ask(admin, absent[i], "", answer);
        assert_non_null(strstr(answer, "HTTP/1.1 404 "));
    }
    ask(admin, "/file/x/y", "", answer);
    assert_non_null(strstr(answer, "HTTP/1.1 401 "));
    assert_non_null(strstr(answer, "\r\nX-Told: nothing\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\nno word\n"));
    ask(admin, "/file/x/y", "x-word: hello\r\n", answer);
    assert_non_null(strstr(answer, "HTTP/1.1 206 "));
    assert_non_null(strstr(answer, "\r\nX-Told: hello\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\n/file/x/y"));
    admin_free(admin);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_bare_server_has_only_what_was_added)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
