/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3_private: what the files of the S3 adapter share. Threads: the store's fields never change after opening. */
#ifndef SLUICE_STORE_S3_PRIVATE_H
#define SLUICE_STORE_S3_PRIVATE_H

#include "s3_xml.h"
#include "store_s3.h"

enum {
    S3_URL_ROOM = 16 * 1024,
    S3_EXTRA_MAX = 4,
    S3_PARTS_MAX = 10000,
    S3_PARTS_STEP = 2500, /* then parts are twice as large, so that the largest objects fit */
    S3_LIST_PAGE = 1000,
};

struct store_s3 {
    char *bucket, *prefix, *region;
    char *base;     /* scheme://host[:port] of requests */
    char *host;     /* as in the header field */
    char *endpoint; /* for messages */
    bool path_style;
    uint64_t part_bytes;
    unsigned connections, parallel, tries;
    size_t parts_max, parts_step; /* S3_PARTS_MAX, S3_PARTS_STEP, but for tests */
    struct clock clock;
    struct s3_http *http;
    struct s3_credentials *credentials;
};

/* ---- s3_call.c: one request to the bucket, its repetitions, and what came of it ---- */
struct s3_call {
    /* ---- set by the caller; what it points to stays until s3_call_done() ---- */
    const char *method;
    struct str key;   /* with the prefix; empty: the bucket itself */
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
RC s3_call_start(struct store_s3 *s3, struct s3_call *call, struct why *why);
/* Waits, tries again, and tells. */
RC s3_call_end(struct store_s3 *s3, struct s3_call *call, struct why *why);
RC s3_call(struct store_s3 *s3, struct s3_call *call, struct why *why);
void s3_call_cancel(struct store_s3 *s3, struct s3_call *call);
void s3_call_done(struct s3_call *call);

/* ---- s3_verdict.c: the one table from answers to outcomes ---- */
struct s3_verdict {
    enum rc rc;
    bool again, unknown, renew;
};
struct s3_verdict s3_judge(struct store_s3 *s3, const struct s3_call *call, struct why *why);

/* ---- store_s3.c ---- */
/* The key in the bucket; RC_BAD or RC_LIMIT where S3 takes it not. */
RC s3_full_key(const struct store_s3 *s3, struct str key, char out[STORE_KEY_MAX + 1], struct str *out_key,
               struct why *why);
void s3_call_put_absent(struct s3_call *call, struct str bytes);
enum rc s3_put_absent(void *self, struct str key, struct str bytes, struct why *why);
struct store_s3 *s3_of(struct store store);

/* ---- store_s3_open.c ---- */
RC s3_read_settings(const struct store_s3_settings *settings, struct store_s3 *out, struct why *why);
void s3_settings_done(struct store_s3 *s3);

/* ---- store_s3_many.c, store_s3_list.c, store_s3_upload.c ---- */
void s3_put_absent_many(void *self, const struct store_item *items, size_t n, enum rc *out_rcs, struct why *why);
enum rc s3_list(void *self, struct str prefix, struct str after, store_visit visit, void *context, struct why *why);
enum rc s3_uploads(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why);
enum rc s3_upload_remove(void *self, struct str key, struct str upload, struct why *why);
enum rc s3_upload(void *self, struct str key, struct store_upload *out, struct why *why);

#endif
