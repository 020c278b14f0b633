/* SPDX-License-Identifier: Apache-2.0 */
/* s3_call: one request to a bucket: signed, repeated where that says the same, and judged.
 *
 * Requests that say the same when repeated are tried settings.tries times, with growing waits and as the server asks
 * (Retry-After, at most S3_WAIT_MAX_MS), then RC_BUSY. One that decides something (.decides) is not repeated when its
 * outcome is not known.
 *
 * Memory: some 20 KiB, and .into. Threads: a call by one at a time. Fails: as s3_verdict.c says: RC_ABSENT, RC_STALE (a
 * condition does not hold), RC_BUSY, RC_DENIED (names bucket, endpoint and where the credentials came from, never a
 * secret), RC_LIMIT, RC_BROKEN. */
#ifndef SLUICE_S3_CALL_H
#define SLUICE_S3_CALL_H

#include "s3_bucket.h"

enum { S3_URL_ROOM = 16 * 1024, S3_EXTRA_MAX = 4 };

struct s3_call {
    /* ---- set by the caller; what it points to stays until s3_call_done() ---- */
    const char *method;
    struct str key;   /* empty: the bucket itself */
    struct buf query; /* by s3_query_add() */
    struct s3_header extra[S3_EXTRA_MAX];
    size_t extra_len;
    struct str body;
    bool sends_body, slow_answer;
    bool decides;      /* an unknown outcome is the caller's to resolve */
    bool error_in_200; /* the answer 200 may hold an error */
    long fine;         /* a status beside 2xx that is no failure */
    struct buf *into;
    uint64_t skip, want, expect_bytes;
    /* ---- what came of it ---- */
    bool unknown; /* the last try may have been done */
    struct s3_exchange exchange;
    /* ---- s3_call.c ---- */
    unsigned tried;
    bool renewed; /* the credentials, once */
    size_t into_len;
    struct buf url, authorization;
    char stamp[S3_STAMP_TEXT], hash[S3_SHA256_TEXT];
    char token[S3_TOKEN_ROOM];
};
#define S3_CALL(method_, key_)                                                                                         \
    ((struct s3_call){.method = (method_),                                                                             \
                      .key = (key_),                                                                                   \
                      .query = BUF_INIT(S3_URL_ROOM),                                                                  \
                      .url = BUF_INIT(S3_URL_ROOM),                                                                    \
                      .authorization = BUF_INIT(S3_URL_ROOM)})
/* Signs and starts; fails where there are no credentials, and then there is nothing to end. */
RC s3_call_start(struct s3_bucket *bucket, struct s3_call *call, struct why *why);
/* Waits, tries again, and tells. */
RC s3_call_end(struct s3_bucket *bucket, struct s3_call *call, struct why *why);
RC s3_call(struct s3_bucket *bucket, struct s3_call *call, struct why *why);
void s3_call_cancel(struct s3_bucket *bucket, struct s3_call *call);
void s3_call_done(struct s3_call *call);

/* ---- s3_verdict.c: the one table from answers to outcomes ---- */
struct s3_verdict {
    enum rc rc;
    bool again, unknown, renew;
};
struct s3_verdict s3_judge(struct s3_bucket *bucket, const struct s3_call *call, struct why *why);

#endif
