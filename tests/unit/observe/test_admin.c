/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the admin server tells metrics and health to whoever asks in HTTP, answers what it does not know with the
 * right status, outlives hostile clients, and stops cleanly whatever they do. */
#include "admin.h"
#include "buf.h"
#include "metric.h"
#include "own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cmocka.h>

enum { ANSWER_MAX = 32 * 1024 * 1024 };

static struct admin *admin;
static struct why why;

static int end(void **state) {
    (void)state;
    admin_free(TAKE(admin));
    metric_reset();
    return 0;
}
static void start(void) { assert_int_equal(admin_start(admin, STR("127.0.0.1:0"), &why), RC_OK); }

/* A connection to the server; a test that waits for an answer that does not come fails after 20 s. */
static int dial(void) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(admin_port(admin))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = 20};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}
static bool send_all(int fd, struct str bytes) {
    while (bytes.len) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n < 0) return false;
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}
/* Reads until the server closes; false when it did not in time. */
static bool read_all(int fd, struct buf *out) {
    for (;;) {
        assert_int_equal(buf_reserve(out, 65536), RC_OK);
        ssize_t n = recv(fd, out->at + out->len, 65536, 0);
        if (n < 0) return errno == ECONNRESET;
        if (n == 0) return true;
        out->len += (size_t)n;
    }
}

/* One request, its answer with headers in `out`; the answer's status. */
static int ask(const char *method, const char *path, struct buf *out) {
    AUTO(buf_done) struct buf request = BUF_INIT(1 << 20);
    AUTO(own_close) int fd = dial();
    buf_add_format(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", method, path);
    buf_reset(out);
    assert_true(send_all(fd, buf_str(&request)));
    assert_true(read_all(fd, out));
    assert_true(str_starts(buf_str(out), STR("HTTP/1.1 ")));
    return (int)strtol(buf_text(out) + strlen("HTTP/1.1 "), NULL, 10);
}
static const char *body_of(struct buf *answer) {
    const char *end_of_headers = strstr(buf_text(answer), "\r\n\r\n");
    assert_non_null(end_of_headers);
    return end_of_headers + 4;
}

static void metrics_are_told_in_their_format(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    start();
    metric_add(METRIC_BLOCKS, 42);
    assert_int_equal(ask("GET", "/metrics", &answer), 200);
    assert_non_null(strstr(buf_text(&answer), "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(body_of(&answer), "\nsluice_blocks_total 42\n"));
    assert_null(strstr(body_of(&answer), "\nprocess_resident_memory_bytes 0\n"));
}

static void head_tells_the_length_and_no_body(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    start();
    const char *paths[] = {"/metrics", "/healthz", "/readyz"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask("HEAD", paths[i], &answer), 200);
        const char *length = strstr(buf_text(&answer), "Content-Length: ");
        assert_non_null(length);
        assert_true(strtol(length + strlen("Content-Length: "), NULL, 10) > 10);
        assert_string_equal(body_of(&answer), "");
    }
}

static bool ledger_works, disk_works;
static void check_ports(void *self, struct admin_checks *checks) {
    admin_check(checks, self == &ledger_works ? "ledger" : "stranger", ledger_works,
                ledger_works ? NULL : "no \"answer\"\nfor 5 s");
    admin_check(checks, "disk", disk_works, "12 GiB free");
}

static void health_tells_each_check_with_its_reason(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    admin_on_ready(admin, check_ports, &ledger_works);
    start();
    ledger_works = disk_works = true;
    assert_int_equal(ask("GET", "/readyz", &answer), 200);
    assert_non_null(strstr(buf_text(&answer), "Content-Type: application/json\r\n"));
    assert_string_equal(body_of(&answer), "{\"status\":\"ok\",\"checks\":[{\"name\":\"ledger\",\"ok\":true},"
                                          "{\"name\":\"disk\",\"ok\":true,\"reason\":\"12 GiB free\"}]}\n");
    ledger_works = false;
    assert_int_equal(ask("GET", "/readyz", &answer), 503);
    assert_string_equal(body_of(&answer), "{\"status\":\"failing\",\"checks\":[{\"name\":\"ledger\",\"ok\":false,"
                                          "\"reason\":\"no \\\"answer\\\"\\nfor 5 s\"},"
                                          "{\"name\":\"disk\",\"ok\":true,\"reason\":\"12 GiB free\"}]}\n");
    assert_int_equal(ask("GET", "/healthz", &answer), 200); /* not ready, but alive */
    assert_string_equal(body_of(&answer), "{\"status\":\"ok\",\"checks\":[]}\n");
}

static void a_lane_that_hangs_fails_the_check_of_life(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    admin_on_live(admin, check_ports, &ledger_works);
    start();
    ledger_works = false;
    assert_int_equal(ask("GET", "/healthz", &answer), 503);
    assert_int_equal(ask("GET", "/readyz", &answer), 200);
}

static void check_without_end(void *self, struct admin_checks *checks) {
    (void)self;
    for (int i = 0; i < 10000; i++) admin_check(checks, "one of too many", true, NULL);
}

static void checks_without_end_are_not_taken_as_health(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    admin_on_ready(admin, check_without_end, NULL);
    start();
    assert_int_equal(ask("GET", "/readyz", &answer), 503);
    assert_string_equal(body_of(&answer), "too many checks to tell\n");
}

static char echo_name[] = "self";
static bool signals_blocked; /* in the server's thread; cmocka's asserts work only in the test's own */

/* Ends as ?rc=N says, after writing its path and arguments. */
static enum rc echo(void *self, const struct admin_request *request, struct admin_reply *reply, struct why *w) {
    const char *text = admin_argument(request, "text"), *rc = admin_argument(request, "rc");
    sigset_t blocked;
    signals_blocked = pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0 && sigismember(&blocked, SIGTERM) == 1;
    buf_add_format(reply->body, "%s %.*s [%s]", (const char *)self, STR_ARG(request->path), text ? text : "none");
    reply->content_type = "text/x-echo";
    if (admin_argument(request, "much")) reply->body->over = true;
    return rc ? why_set(w, (enum rc)strtol(rc, NULL, 10), "told so") : RC_OK;
}

static void a_page_that_was_added_gets_its_arguments(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    admin_route(admin, "/status", echo, echo_name);
    start();
    assert_int_equal(ask("GET", "/status?text=a%20b%26c", &answer), 200);
    assert_string_equal(body_of(&answer), "self /status [a b&c]");
    assert_true(signals_blocked);
    assert_non_null(strstr(buf_text(&answer), "Content-Type: text/x-echo\r\n"));
    assert_int_equal(ask("GET", "/status", &answer), 200);
    assert_string_equal(body_of(&answer), "self /status [none]");
    assert_int_equal(ask("GET", "/status?text", &answer), 200);
    assert_string_equal(body_of(&answer), "self /status []");
}

static void a_page_that_fails_is_told_by_status_and_words(void **state) {
    (void)state;
    static const int status[RC_COUNT] = {200, 503, 500, 404, 400, 500, 503, 500, 500};
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    char path[64];
    admin = admin_new();
    admin_route(admin, "/status", echo, echo_name);
    start();
    for (int rc = 1; rc < RC_COUNT; rc++) {
        (void)snprintf(path, sizeof path, "/status?rc=%d", rc);
        assert_int_equal(ask("GET", path, &answer), status[rc]);
        assert_string_equal(body_of(&answer), "told so\n");
        assert_non_null(strstr(buf_text(&answer), "Content-Type: text/plain"));
    }
    assert_int_equal(ask("GET", "/status?much=1", &answer), 500);
    assert_string_equal(body_of(&answer), "the answer is over 16777216 bytes\n");
}

static void what_is_not_there_is_404_and_what_would_change_things_405(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    start();
    const char *absent[] = {"/", "/metrics/", "/METRICS", "/../etc/passwd", "/healthz%2e", "//metrics"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) assert_int_equal(ask("GET", absent[i], &answer), 404);
    assert_string_equal(body_of(&answer), "there is no such page\n");
    assert_int_equal(ask("POST", "/nowhere", &answer), 404);
    const char *methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        assert_int_equal(ask(methods[i], "/metrics", &answer), 405);
        assert_non_null(strstr(buf_text(&answer), "Allow: GET, HEAD\r\n"));
    }
}

static void a_body_with_a_request_is_not_taken_as_the_next_request(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    start();
    AUTO(own_close) int fd = dial();
    assert_true(send_all(fd, STR("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
                                 "GET /metrics HTTP/1.1\r\nHost: x\r\nxxxx\r\n\r\n")));
    assert_true(read_all(fd, &answer));
    assert_memory_equal(buf_text(&answer), "HTTP/1.1 200", 12);
    assert_null(strstr(buf_text(&answer), "sluice_"));
}

static void one_connection_serves_several_requests(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    admin = admin_new();
    start();
    AUTO(own_close) int fd = dial();
    assert_true(send_all(fd, STR("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                                 "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")));
    assert_true(read_all(fd, &answer));
    const char *second = strstr(buf_text(&answer), "HTTP/1.1 404");
    assert_non_null(second);
    assert_non_null(strstr(second, "HTTP/1.1 200"));
}

static void hostile_clients_get_an_error_and_the_next_one_an_answer(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX), big = BUF_INIT(1 << 20);
    admin = admin_new();
    start();
    buf_add(&big, STR("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Big: "));
    while (big.len < (size_t)2 * ADMIN_REQUEST_MAX) buf_add_char(&big, 'x');
    buf_add(&big, STR("\r\n\r\n"));
    const struct str requests[] = {buf_str(&big),
                                   STR("\r\n\r\n\r\n"),
                                   STR("\0\0\0\0\r\n\r\n"),
                                   STR("GET\r\n\r\n"),
                                   STR("GET /metrics HTTP/9.9\r\n\r\n"),
                                   STR("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"),
                                   STR("GET /metrics HTTP/1.1\r\n\r\n")};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        AUTO(own_close) int fd = dial();
        buf_reset(&answer);
        (void)send_all(fd, requests[i]);
        (void)shutdown(fd, SHUT_WR);
        assert_true(read_all(fd, &answer));
        assert_null(strstr(buf_text(&answer), " 200 "));
        if (i == 0 && answer.len) assert_memory_equal(buf_text(&answer), "HTTP/1.1 431", 12);
    }
    assert_int_equal(ask("GET", "/healthz", &answer), 200);
}

static void more_connections_than_the_limit_do_not_lock_it_up(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    int fds[2 * ADMIN_CONNECTIONS_MAX];
    admin = admin_new();
    start();
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        fds[i] = dial();
        (void)send_all(fds[i], STR("GET /hea"));
    }
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) own_close(&fds[i]);
    assert_int_equal(ask("GET", "/healthz", &answer), 200);
}

static void it_stops_with_connections_open_and_starts_again_on_its_port(void **state) {
    (void)state;
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    char address[64];
    admin = admin_new();
    start();
    assert_int_equal(ask("GET", "/healthz", &answer), 200);
    AUTO(own_close) int idle = dial();
    AUTO(own_close) int half = dial();
    assert_true(send_all(half, STR("GET /metr")));
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", admin_port(admin));
    admin_free(TAKE(admin));
    buf_reset(&answer);
    assert_true(read_all(idle, &answer)); /* it was closed */
    admin = admin_new();
    assert_int_equal(admin_start(admin, str_of(address), &why), RC_OK);
    assert_int_equal(ask("GET", "/healthz", &answer), 200);
}

static void an_address_in_use_is_told_in_words(void **state) {
    (void)state;
    char address[64];
    admin = admin_new();
    start();
    (void)snprintf(address, sizeof address, "localhost:%u", admin_port(admin));
    struct admin *second = admin_new();
    assert_int_equal(admin_start(second, str_of(address), &why), RC_DENIED);
    assert_non_null(strstr(why.text, address));
    assert_non_null(strstr(why.text, "in use"));
    admin_free(second);
}

static void an_address_that_is_none_is_refused(void **state) {
    (void)state;
    const char *bad[] = {"",          ":",           ":80",        "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                         "1.2.3:80",  "example:80",  "[::1:80",    "[::1]80",    "[]:80",           "::1:80",
                         "127.0.0.1", "127.0.0.1:x", "[x]:80",     "[:0",        "0x7f.1:80",       "127.0.0.1:0:0",
                         "[",         "[]",          "[::1]:65536"};
    admin = admin_new();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        why.text[0] = '\0';
        assert_int_equal(admin_start(admin, str_of(bad[i]), &why), RC_BAD);
        assert_non_null(strstr(why.text, "is not ADDRESS:PORT"));
    }
    assert_int_equal(admin_start(admin, STR("192.0.2.1:0"), &why), RC_DENIED); /* an address that nobody has */
    assert_int_equal(admin_start(admin, STR("0"), &why), RC_OK);               /* a port alone */
    assert_int_not_equal(admin_port(admin), 0);
}

static void it_listens_on_ip_version_6_too(void **state) {
    (void)state;
    admin = admin_new();
    enum rc rc = admin_start(admin, STR("[::1]:0"), &why);
    if (rc == RC_DENIED) {
        print_message("this machine has no IPv6 loopback: %s\n", why.text);
        skip();
    }
    assert_int_equal(rc, RC_OK);
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(admin_port(admin))};
    assert_int_equal(inet_pton(AF_INET6, "::1", &to.sin6_addr), 1);
    AUTO(own_close) int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    AUTO(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    assert_true(send_all(fd, STR("GET /healthz HTTP/1.0\r\n\r\n")));
    assert_true(read_all(fd, &answer));
    assert_non_null(strstr(buf_text(&answer), " 200 "));
}

static void one_that_never_started_can_be_freed(void **state) {
    (void)state;
    admin_free(admin_new());
    admin_free(NULL);
}

#define TEST(test) cmocka_unit_test_teardown(test, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(metrics_are_told_in_their_format),
        TEST(head_tells_the_length_and_no_body),
        TEST(health_tells_each_check_with_its_reason),
        TEST(a_lane_that_hangs_fails_the_check_of_life),
        TEST(checks_without_end_are_not_taken_as_health),
        TEST(a_page_that_was_added_gets_its_arguments),
        TEST(a_page_that_fails_is_told_by_status_and_words),
        TEST(what_is_not_there_is_404_and_what_would_change_things_405),
        TEST(a_body_with_a_request_is_not_taken_as_the_next_request),
        TEST(one_connection_serves_several_requests),
        TEST(hostile_clients_get_an_error_and_the_next_one_an_answer),
        TEST(more_connections_than_the_limit_do_not_lock_it_up),
        TEST(it_stops_with_connections_open_and_starts_again_on_its_port),
        TEST(an_address_in_use_is_told_in_words),
        TEST(an_address_that_is_none_is_refused),
        TEST(it_listens_on_ip_version_6_too),
        TEST(one_that_never_started_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
