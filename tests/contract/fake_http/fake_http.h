/* SPDX-License-Identifier: Apache-2.0 */
/* fake_http: an HTTP server on a free port of 127.0.0.1 whose every answer is made by the test, byte by byte: also half
 * ones, wrong ones and none. Each connection has a thread and carries one request; then it is closed, which is how a
 * test cuts an answer. Bytes can be passed on to a real server and back (fake_http_forward), so that the test stands
 * between it and the client.
 *
 * Threads: the callback is called by many. Limits: requests of FAKE_REQUEST_MAX. Fails: by abort(). */
#ifndef SLUICE_FAKE_HTTP_H
#define SLUICE_FAKE_HTTP_H

#include "buf.h"

enum { FAKE_REQUEST_MAX = 64 << 20 };

struct fake_request {
    struct str method, target; /* "GET", "/path?query" */
    struct str head;           /* the request line and the header fields */
    struct str body;
    struct str all;
    unsigned number; /* from 1, in the order in which they came whole */
};

/* Makes the bytes of the answer; none: the connection is closed without one. */
typedef void (*fake_answer)(void *context, const struct fake_request *request, struct buf *out);

struct fake_http;
struct fake_http *fake_http_start(fake_answer answer, void *context);
/* "http://127.0.0.1:PORT" */
const char *fake_http_url(const struct fake_http *http);
/* How many requests came whole. */
unsigned fake_http_requests(struct fake_http *http);
/* Waits for the connections to end. NULL is fine. */
void fake_http_stop(struct fake_http *http);

/* The value of a header field of the request, in any case; empty when there is none. */
struct str fake_http_field(const struct fake_request *request, const char *name);
/* Adds "HTTP/1.1 STATUS …" with a length and the body; `fields` are whole lines, each ended by CR LF, or "". */
void fake_http_say(struct buf *out, int status, const char *fields, struct str body);
/* Asks the server at "http://127.0.0.1:PORT" the same and adds its answer; nothing when it gives none. */
void fake_http_forward(const char *url, const struct fake_request *request, struct buf *out);

#endif
