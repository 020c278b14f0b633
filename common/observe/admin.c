/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

#include "alloc.h"
#include "json_out.h"
#include "listen.h"
#include "log.h"
#include "metric.h"
#include "must.h"
#include "own.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>

struct hook {
    admin_checker *checker;
    void *self;
};

struct route {
    const char *path;
    admin_handler *handler;
    void *self;
};

struct admin {
    struct MHD_Daemon *daemon;
    uint16_t port;
    struct hook ready, live;
    struct route routes[ADMIN_ROUTES_MAX];
    unsigned routes_count, connections;
    bool bare;
};

struct admin_checks {
    struct buf *body; /* the elements of "checks" so far */
    struct json_out json;
    bool failing;
};

/* What is sent; the body is ours until respond() hands it over. */
struct answer {
    unsigned status;
    const char *content_type, *allow, *field;
    char value[ADMIN_FIELD_MAX];
    struct buf body;
};

static enum MHD_Result respond(struct MHD_Connection *connection, struct answer *answer) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.len, answer->body.at, MHD_RESPMEM_MUST_FREE);
    if (!response) return MHD_NO; /* closes the connection; the answer's owner frees the body */
    answer->body = BUF_INIT(0);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->field) (void)MHD_add_response_header(response, answer->field, answer->value);
    if (answer->allow) (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static void say(struct answer *answer, unsigned status, const char *text) {
    answer->status = status;
    answer->content_type = "text/plain; charset=utf-8";
    buf_reset(&answer->body);
    buf_add_format(&answer->body, "%s\n", text);
}

const char *admin_argument(const struct admin_request *request, const char *name) {
    const char *value = NULL;
    size_t len = 0;
    if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value, &len) !=
        MHD_YES)
        return NULL;
    return value ? value : "";
}

const char *admin_field(const struct admin_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

void admin_check(struct admin_checks *checks, const char *name, bool ok, const char *reason) {
    json_open(&checks->json, '{');
    json_key_str(&checks->json, STR("name"), str_of(name));
    json_key_bool(&checks->json, STR("ok"), ok);
    if (reason) json_key_str(&checks->json, STR("reason"), str_of(reason));
    json_close(&checks->json, '}');
    checks->failing = checks->failing || !ok;
}

static void answer_health(struct answer *answer, const struct hook *hook) {
    AUTO(buf_done) struct buf list = BUF_INIT(ADMIN_CHECKS_MAX);
    struct admin_checks checks = {.body = &list, .json = {.to = &list}};
    if (hook->checker) hook->checker(hook->self, &checks);
    if (buf_rc(&list) != RC_OK) {
        say(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "too many checks to tell");
        return;
    }
    struct json_out json = {.to = &answer->body};
    json_open(&json, '{');
    json_key_str(&json, STR("status"), checks.failing ? STR("failing") : STR("ok"));
    json_key(&json, STR("checks"));
    json_open(&json, '[');
    json_raw(&json, buf_str(&list));
    json_close(&json, ']');
    json_close(&json, '}');
    buf_add_char(&answer->body, '\n');
    answer->status = checks.failing ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK;
    answer->content_type = "application/json";
}

static unsigned status_of(enum rc rc) {
    switch (rc) {
    case RC_OK: return MHD_HTTP_OK;
    case RC_BAD: return MHD_HTTP_BAD_REQUEST;
    case RC_ABSENT: return MHD_HTTP_NOT_FOUND;
    case RC_BUSY:
    case RC_STOP: return MHD_HTTP_SERVICE_UNAVAILABLE;
    default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

static void answer_route(struct answer *answer, const struct route *route, const struct admin_request *request) {
    struct why why = {0};
    struct admin_reply reply = {.body = &answer->body, .content_type = answer->content_type};
    enum rc rc = route->handler(route->self, request, &reply, &why);
    if (rc == RC_OK && buf_rc(&answer->body) != RC_OK) {
        rc = RC_LIMIT;
        (void)why_set(&why, rc, "the answer is over %d bytes", ADMIN_BODY_MAX);
    }
    answer->status = reply.status ? reply.status : status_of(rc);
    answer->content_type = reply.content_type;
    answer->field = reply.field;
    memcpy(answer->value, reply.value, sizeof answer->value);
    if (rc != RC_OK) say(answer, answer->status, why.text[0] ? why.text : rc_name(rc));
}

static enum rc metrics_page(void *self, const struct admin_request *request, struct admin_reply *reply,
                            struct why *why) {
    (void)self, (void)request, (void)why;
    metric_process_update();
    metric_expose(reply->body);
    reply->content_type = METRIC_CONTENT_TYPE;
    return RC_OK;
}

static bool is_route(const struct route *route, struct str path) {
    struct str own = str_of(route->path);
    return own.at[own.len - 1] == '/' ? str_starts(path, own) : str_equal(path, own);
}

/* Fills the answer for a GET; false when there is no such path. With `answer` NULL it only says whether there is one.
 */
static bool answer_path(struct admin *admin, const struct admin_request *request, struct answer *answer) {
    const struct hook *hook = str_equal(request->path, STR("/healthz"))  ? &admin->live
                              : str_equal(request->path, STR("/readyz")) ? &admin->ready
                                                                         : NULL;
    if (hook && !admin->bare) {
        if (answer) answer_health(answer, hook);
        return true;
    }
    for (unsigned i = 0; i < admin->routes_count; i++) {
        if (!is_route(&admin->routes[i], request->path)) continue;
        if (answer) answer_route(answer, &admin->routes[i], request);
        return true;
    }
    return false;
}

static void answer_done(struct answer *answer) { buf_done(&answer->body); }

/* libmicrohttpd calls it once with the headers, then (for GET and HEAD, which we let pass) until it has an answer; a
 * body that came with the request is thrown away. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_size, void **seen) {
    (void)version, (void)data;
    const bool reading = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    const bool again = *seen != NULL;
    *seen = self;
    if (reading && !again) return MHD_YES;
    if (reading && *data_size) {
        *data_size = 0;
        return MHD_YES;
    }
    AUTO(answer_done)
    struct answer answer = {.content_type = "text/plain; charset=utf-8", .body = BUF_INIT(ADMIN_BODY_MAX)};
    const struct admin_request request = {.path = str_of(url), .connection = connection};
    if (!answer_path(self, &request, reading ? &answer : NULL)) {
        say(&answer, MHD_HTTP_NOT_FOUND, "there is no such page");
    } else if (!reading) {
        say(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
        answer.allow = "GET, HEAD";
    }
    return respond(connection, &answer);
}

/* What the library has to tell is about clients' mistakes: nothing to wake anybody for. */
__attribute__((format(printf, 2, 0))) static void on_words(void *self, const char *format, va_list list) {
    (void)self;
    char text[512];
    int n = vsnprintf(text, sizeof text, format, list);
    if (n > 0) LOG_DEBUG("admin server", F_STR("detail", str_trim(str_of(text))));
}

struct admin *admin_new(void) {
    struct admin *admin = ALLOC(struct admin);
    admin->connections = ADMIN_CONNECTIONS_MAX;
    admin_route(admin, "/metrics", metrics_page, NULL);
    return admin;
}

struct admin *admin_new_bare(unsigned connections) {
    struct admin *admin = ALLOC(struct admin);
    admin->connections = connections;
    admin->bare = true;
    return admin;
}

void admin_on_ready(struct admin *admin, admin_checker *checker, void *self) {
    MUST(!admin->daemon);
    admin->ready = (struct hook){checker, self};
}

void admin_on_live(struct admin *admin, admin_checker *checker, void *self) {
    MUST(!admin->daemon);
    admin->live = (struct hook){checker, self};
}

void admin_route(struct admin *admin, const char *path, admin_handler *handler, void *self) {
    MUST(!admin->daemon && admin->routes_count < ADMIN_ROUTES_MAX && path[0] == '/');
    admin->routes[admin->routes_count++] = (struct route){path, handler, self};
}

/* The new thread inherits the mask: the signals of the process are for its main loop. poll(), not epoll: with the
 * latter libmicrohttpd 0.9.75, once it was at its limit of connections, accepts again only after the idle time-out. */
static struct MHD_Daemon *start_daemon(struct admin *admin, int fd) {
    sigset_t all, before;
    (void)sigfillset(&all);
    MUST(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, admin, MHD_OPTION_EXTERNAL_LOGGER,
        on_words, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, admin->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ADMIN_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)ADMIN_REQUEST_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    MUST(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return daemon;
}

RC admin_start(struct admin *admin, struct str listen, struct why *why) {
    AUTO(own_close) int fd = -1;
    uint16_t port = 0;
    MUST(!admin->daemon);
    TRY(listen_open(listen, &fd, &port, why));
    admin->daemon = start_daemon(admin, fd);
    if (!admin->daemon) return why_set(why, RC_BUSY, "cannot start the thread that answers on '%.*s'", STR_ARG(listen));
    (void)own_take_fd(&fd); /* the daemon closes it */
    admin->port = port;
    return RC_OK;
}

uint16_t admin_port(const struct admin *admin) { return admin->port; }

void admin_free(struct admin *admin) {
    if (!admin) return;
    if (admin->daemon) MHD_stop_daemon(admin->daemon);
    free(admin);
}
