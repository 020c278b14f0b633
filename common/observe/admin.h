/* SPDX-License-Identifier: Apache-2.0 */
/* admin: the small HTTP server by which machines and people look into a running process: /metrics for Prometheus,
 * /healthz and /readyz for whoever restarts and routes, and the pages that the program adds.
 *
 *   struct admin *admin = admin_new();
 *   admin_on_ready(admin, check_ports, service);
 *   admin_route(admin, "/status", status_page, service);
 *   TRY(admin_start(admin, STR("127.0.0.1:9464"), &why));   … admin_free(admin);
 *
 * It only ever answers; nothing can be changed through it. It has no password and no TLS: listen on the loopback or in
 * a network where everybody may read the metrics, or put a proxy in front.
 *
 * /healthz answers whether the process works at all (restart it if not), /readyz whether it can do its job now: both
 * {"status":"ok"|"failing","checks":[{"name":"ledger","ok":false,"reason":"…"}]}, with status 200 or 503. An unknown
 * path is 404; a method other than GET and HEAD is 405.
 *
 * Memory: ADMIN_REQUEST_MAX a connection, ADMIN_BODY_MAX for an answer being made. Threads: one of its own, which calls
 * the checkers and handlers one at a time, all signals blocked; so they must be quick and must lock what they share.
 * Limits: ADMIN_CONNECTIONS_MAX connections, ADMIN_IDLE_S of silence, ADMIN_REQUEST_MAX bytes of request line and
 * headers (then 431 or 414); a request's body is not read. Fails: see admin_start(); after it, never. */
#ifndef SLUICE_ADMIN_H
#define SLUICE_ADMIN_H

#include "buf.h"
#include "rc.h"
#include "str.h"

#include <stdint.h>

enum {
    ADMIN_CONNECTIONS_MAX = 32,        /* a few scrapers, probes and people */
    ADMIN_IDLE_S = 10,                 /* the usual time-out of a scrape */
    ADMIN_REQUEST_MAX = 16 * 1024,     /* what proxies allow as headers */
    ADMIN_BODY_MAX = 16 * 1024 * 1024, /* a status page of all files of a large machine */
    ADMIN_CHECKS_MAX = 64 * 1024,      /* bytes of the answers about health */
    ADMIN_ROUTES_MAX = 32,
    ADMIN_FIELD_MAX = 256,
};

struct admin;

/* What a handler is asked. */
struct admin_request {
    struct str path;
    void *connection; /* admin.c's */
};
/* The value of ?name=… ("" for ?name), NULL when it is not there; valid during the call. It is unescaped, and hostile.
 */
const char *admin_argument(const struct admin_request *request, const char *name);

/* The value of a header field, NULL when it is not there; valid during the call, and hostile. */
const char *admin_field(const struct admin_request *request, const char *name);

/* What a handler answers: `body` is empty, its cap ADMIN_BODY_MAX; content_type (a constant) is text/plain unless it is
 * set. */
struct admin_reply {
    struct buf *body;
    const char *content_type;
    unsigned status;             /* 0: as the outcome says; else this one, also of a failure */
    const char *field;           /* one more header field (a constant), NULL: none */
    char value[ADMIN_FIELD_MAX]; /* its value */
};
/* RC_OK sends `reply` with status 200. RC_BAD is 400, RC_ABSENT 404, RC_BUSY and RC_STOP 503, else 500,
 * each with the words in `why` as text. */
typedef enum rc admin_handler(void *self, const struct admin_request *request, struct admin_reply *reply,
                              struct why *why);

/* Checkers say what they looked at, by calling admin_check() for each thing; no call means that all is well. */
struct admin_checks;
typedef void admin_checker(void *self, struct admin_checks *checks);
/* `reason` may be NULL. */
void admin_check(struct admin_checks *checks, const char *name, bool ok, const char *reason);

/* Everything is registered before admin_start(). A path begins with '/', is matched exactly (one that ends in '/': as a
 * beginning), and outlives the admin. */
struct admin *admin_new(void);
/* One with no pages but those that are added, neither metrics nor health, for up to `connections`. */
struct admin *admin_new_bare(unsigned connections);
void admin_on_ready(struct admin *admin, admin_checker *checker, void *self);
void admin_on_live(struct admin *admin, admin_checker *checker, void *self);
void admin_route(struct admin *admin, const char *path, admin_handler *handler, void *self);

/* Listens on "ADDRESS:PORT": a numeric IPv4 address, an IPv6 one in brackets, or "localhost" (127.0.0.1); a PORT alone
 * means 127.0.0.1. Port 0 takes a free one. RC_BAD: that is no such text. RC_DENIED: the address cannot be had (in use,
 * not ours, no permission). RC_BUSY: no thread or memory for it now. */
RC admin_start(struct admin *admin, struct str listen, struct why *why);
/* The port that it listens on. */
uint16_t admin_port(const struct admin *admin);
/* Stops: answers that are under way end, connections are closed. NULL and a never started one are fine. */
void admin_free(struct admin *admin);

#endif
