/* SPDX-License-Identifier: Apache-2.0 */
/* s3_bucket: one bucket of a server that speaks S3's protocol: where it is, who we are to it, and the connections to
 * it. Requests are s3_call.h's, listings s3_list.h's. What a bucket is good for is its users' matter: the store's
 * (store_s3.h) and the source's (source_s3.h).
 *
 * The program ignores SIGPIPE. Memory: some 600 KiB a connection in use. Threads: any, and one inside for the
 * connections; the fields never change after opening. Fails: RC_BAD for settings that cannot be. */
#ifndef SLUICE_S3_BUCKET_H
#define SLUICE_S3_BUCKET_H

#include "s3_credentials.h"

enum s3_style {
    S3_STYLE_AUTO, /* host for AWS's own endpoint and a bucket without dots, else path */
    S3_STYLE_PATH, /* https://endpoint/bucket/key */
    S3_STYLE_HOST, /* https://bucket.endpoint/key */
};

enum {
    S3_CONNECTIONS_DEFAULT = 8,
    S3_TRIES_DEFAULT = 5,
    S3_WAIT_MAX_MS = 20 * 1000,
    S3_OBJECT_KEY_MAX = 1024,
};

/* Zero stands for the default. Texts are copied. */
struct s3_settings {
    const char *endpoint; /* https://host[:port]; NULL: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or AWS's of the region */
    const char *region;   /* NULL: AWS_REGION, AWS_DEFAULT_REGION, us-east-1 */
    enum s3_style style;
    struct s3_credentials_settings credentials; /* its region and clock are filled in */
    const char *ca_file;                        /* PEM; NULL: the system's */
    unsigned connections, tries;
    uint64_t connect_ms; /* 10 s */
    uint64_t stall_ms;   /* 30 s: nothing moves */
    uint64_t request_ms; /* 60 s, and the time for the bytes at 16 KiB a second */
    struct clock clock;  /* without ops: the real one */
};

struct s3_bucket {
    char *name, *region;
    char *base;     /* scheme://host[:port] of requests */
    char *host;     /* as in the header field */
    char *endpoint; /* for messages */
    bool path_style;
    unsigned connections, tries;
    struct clock clock;
    struct s3_http *http;
    struct s3_credentials *credentials;
};

/* Checks the settings (RC_BAD) and asks nothing of the server. `out` is zero before; s3_bucket_done() whatever comes of
 * it. */
RC s3_bucket_open(const struct s3_settings *settings, struct str name, struct s3_bucket *out, struct why *why);
void s3_bucket_done(struct s3_bucket *bucket);
/* Can `key` be an object's? UTF-8 that XML can say (RC_BAD), at most S3_OBJECT_KEY_MAX bytes (RC_LIMIT). */
RC s3_key_check(struct str key, struct why *why);

#endif
