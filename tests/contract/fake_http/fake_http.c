/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_http.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

enum { URL_ROOM = 64, BACKLOG = 64, BLOCK = 64 * 1024 };

struct fake_http {
    fake_answer answer;
    void *context;
    char url[URL_ROOM];
    int listener;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t quiet;
    unsigned requests, open;
};

struct connection {
    struct fake_http *http;
    int fd;
};

/* Up to the end of the head, and then so much of a body as the head tells. 0: not whole yet. */
static size_t whole_len(struct str text, size_t *out_head) {
    const char *end = memmem(text.at, text.len, "\r\n\r\n", 4);
    if (!end) return 0;
    *out_head = (size_t)(end - text.at) + 4;
    struct fake_request request = {.head = str_sub(text, 0, *out_head)};
    uint64_t body = 0;
    struct str length = fake_http_field(&request, "content-length");
    if (length.len) MUST(str_parse_u64(length, &body) == RC_OK);
    return text.len >= *out_head + body ? *out_head + (size_t)body : 0;
}

static bool receive(int fd, struct buf *into) {
    MUST(buf_reserve(into, BLOCK) == RC_OK);
    ssize_t n = recv(fd, into->at + into->len, BLOCK, 0);
    if (n <= 0) return false;
    into->len += (size_t)n;
    return true;
}

static bool send_all(int fd, struct str bytes) {
    while (bytes.len) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

struct str fake_http_field(const struct fake_request *request, const char *name) {
    struct str rest = request->head, line, field;
    while (str_cut(&rest, '\n', &line)) {
        if (!str_cut(&line, ':', &field) || field.len != strlen(name)) continue;
        if (strncasecmp(field.at, name, field.len) == 0) return str_trim(line);
    }
    return (struct str){0};
}

static unsigned count(struct fake_http *http) {
    LOCKED(&http->lock);
    return ++http->requests;
}

static void serve(const struct connection *c) {
    AUTO(buf_done) struct buf in = BUF_INIT(FAKE_REQUEST_MAX), out = BUF_INIT(FAKE_REQUEST_MAX);
    size_t head = 0, len = 0;
    while (!(len = in.len ? whole_len(buf_str(&in), &head) : 0))
        if (!receive(c->fd, &in)) return;
    struct fake_request request = {.all = str_sub(buf_str(&in), 0, len),
                                   .head = str_sub(buf_str(&in), 0, head),
                                   .body = str_sub(buf_str(&in), head, len),
                                   .number = count(c->http)};
    struct str rest = request.head;
    MUST(str_cut(&rest, ' ', &request.method) && str_cut(&rest, ' ', &request.target));
    c->http->answer(c->http->context, &request, &out);
    (void)send_all(c->fd, buf_str(&out));
}

static void *run_connection(void *context) {
    struct connection c = *(struct connection *)context;
    free(context);
    serve(&c);
    (void)shutdown(c.fd, SHUT_RDWR);
    (void)close(c.fd);
    LOCKED(&c.http->lock);
    c.http->open--;
    (void)pthread_cond_broadcast(&c.http->quiet);
    return NULL;
}

static void opened(struct fake_http *http) {
    LOCKED(&http->lock);
    http->open++;
}

static void *run(void *context) {
    struct fake_http *http = context;
    for (int fd; (fd = accept(http->listener, NULL, NULL)) >= 0;) {
        struct connection *c = ALLOC(struct connection);
        *c = (struct connection){http, fd};
        pthread_t thread;
        opened(http);
        MUST(pthread_create(&thread, NULL, run_connection, c) == 0);
        (void)pthread_detach(thread);
    }
    return NULL;
}

struct fake_http *fake_http_start(fake_answer answer, void *context) {
    struct fake_http *http = ALLOC(struct fake_http);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    http->answer = answer;
    http->context = context;
    (void)pthread_mutex_init(&http->lock, NULL);
    (void)pthread_cond_init(&http->quiet, NULL);
    http->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(http->listener >= 0 && bind(http->listener, (struct sockaddr *)&address, len) == 0);
    MUST(listen(http->listener, BACKLOG) == 0);
    MUST(getsockname(http->listener, (struct sockaddr *)&address, &len) == 0);
    (void)snprintf(http->url, sizeof http->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    MUST(pthread_create(&http->thread, NULL, run, http) == 0);
    return http;
}

const char *fake_http_url(const struct fake_http *http) { return http->url; }

unsigned fake_http_requests(struct fake_http *http) {
    LOCKED(&http->lock);
    return http->requests;
}

static void wait_quiet(struct fake_http *http) {
    LOCKED(&http->lock);
    while (http->open) (void)pthread_cond_wait(&http->quiet, &http->lock);
}

void fake_http_stop(struct fake_http *http) {
    if (!http) return;
    (void)shutdown(http->listener, SHUT_RDWR);
    (void)pthread_join(http->thread, NULL);
    (void)close(http->listener);
    wait_quiet(http);
    (void)pthread_cond_destroy(&http->quiet);
    (void)pthread_mutex_destroy(&http->lock);
    free(http);
}

void fake_http_say(struct buf *out, int status, const char *fields, struct str body) {
    buf_add_format(out, "HTTP/1.1 %d Said\r\nContent-Length: %zu\r\n%s\r\n", status, body.len, fields);
    buf_add(out, body);
}

void fake_http_forward(const char *url, const struct fake_request *request, struct buf *out) {
    int port = 0;
    MUST(sscanf(url, "http://127.0.0.1:%d", &port) == 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)port);
    AUTO(own_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return;
    /* so that its answer ends with the connection */
    struct str head = str_sub(request->head, 0, request->head.len - 2);
    if (!send_all(fd, head) || !send_all(fd, STR("Connection: close\r\n\r\n")) || !send_all(fd, request->body)) return;
    while (receive(fd, out)) {
    }
}
