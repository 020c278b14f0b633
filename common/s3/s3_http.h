/* SPDX-License-Identifier: Apache-2.0 */
/* s3_http: HTTP exchanges with a bounded number of connections, by libcurl's multi interface in one thread of its own.
 * Whoever has a request starts it, does something else, and waits for it later: that is how parts of an upload and many
 * small objects travel side by side. It knows nothing of S3, tries nothing again and follows no redirection.
 *
 * Every exchange ends: connecting has a limit, a transfer that stands still for stall_ms ends, and so does one that
 * takes longer than request_ms and its bytes at S3_SLOWEST.
 *
 * Memory: libcurl's 16 KiB or so a connection, and the caller's buffers. Threads: any; one exchange by one at a time.
 * Fails: an exchange never fails to end; what came of it is in its reply. */
#ifndef SLUICE_S3_HTTP_H
#define SLUICE_S3_HTTP_H

#include "buf.h"
#include "s3_sign.h"

struct s3_http_settings {
    unsigned connections; /* at the same time */
    uint64_t connect_ms, stall_ms, request_ms;
    const char *ca_file; /* PEM; NULL: the system's */
};

enum { S3_SLOWEST = 16 * 1024 /* bytes a second that are waited for */, S3_ANSWER_MAX = 8 << 20 };

enum s3_failure {
    S3_ANSWERED,    /* there is a whole answer */
    S3_UNREACHABLE, /* nothing was sent: no name, no connection */
    S3_UNKNOWN,     /* cut or timed out: it may have been done */
    S3_NOT_TRUSTED, /* TLS: the certificate, or no TLS at all */
    S3_OVER,        /* the answer is more than .into or S3_ANSWER_MAX takes */
    S3_CANCELLED,
};

struct s3_reply {
    enum s3_failure failure;
    long status;
    char words[256]; /* of a failure */
    char etag[160], date[64], region[64], server[64], modified[64], version[256];
    char stat[256];                 /* X-Sluice-Stat, of an emitter (source_http.h) */
    int64_t length;                 /* Content-Length, -1 */
    uint64_t range_from, range_all; /* of Content-Range; range_all is UINT64_MAX when none was given */
    uint64_t retry_after_s;         /* 0: none */
    struct buf body;                /* of all answers but those that go to .into */
};

/* Zero it, set the request, start it, wait for it, s3_exchange_done(). All that it points to stays until then. */
struct s3_exchange {
    /* ---- the request ---- */
    const char *method, *url;
    struct s3_header headers[S3_SIGNED_MAX];
    size_t headers_len;
    struct str body;
    bool sends_body;       /* also an empty one, with its length */
    bool slow_answer;      /* the server may think for long before it answers: four times stall_ms */
    bool no_proxy;         /* whatever the environment says */
    uint64_t request_ms;   /* 0: that of the settings */
    uint64_t expect_bytes; /* of the answer, for the time it may take; UINT64_MAX: not known */
    /* A 200 or 206 goes here when it is set: `want` bytes at most, without the first `skip` of a 200. */
    struct buf *into;
    uint64_t skip, want;
    /* ---- what came of it ---- */
    struct s3_reply reply;
    /* ---- s3_http.c ---- */
    bool done, cancelled;
    bool head_whole; /* libcurl takes a head that was cut for one that ended */
    void *easy, *fields;
    size_t sent;
    uint64_t passed; /* of the answer's body, skipped bytes too */
    struct s3_exchange *next;
};

struct s3_http;
RC s3_http_new(const struct s3_http_settings *settings, struct s3_http **out, struct why *why);
/* All exchanges must be over. NULL is fine. */
void s3_http_free(struct s3_http *http);
void s3_http_start(struct s3_http *http, struct s3_exchange *exchange);
void s3_http_wait(struct s3_http *http, struct s3_exchange *exchange);
/* It ends soon, with S3_CANCELLED unless it was over; wait for it all the same. */
void s3_http_cancel(struct s3_http *http, struct s3_exchange *exchange);
/* Frees what an exchange holds, for another one with the same request or none. */
void s3_exchange_done(struct s3_exchange *exchange);

#endif
