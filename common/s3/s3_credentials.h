/* SPDX-License-Identifier: Apache-2.0 */
/* s3_credentials: who we are to a bucket, found where programs usually find it and kept fresh. In this order, the first
 * that is configured counts:
 *
 *   settings       access, secret and perhaps token, by value
 *   environment    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   web identity   AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN (AWS_ROLE_SESSION_NAME): STS gives credentials for a
 * token file           AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials, the profile of the settings, AWS_PROFILE or
 * default container      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with AWS_CONTAINER_AUTHORIZATION_TOKEN or
 * its _FILE instance       the metadata service of a machine in EC2, version 2; not with AWS_EC2_METADATA_DISABLED=true
 *
 * What ends is fetched anew S3_REFRESH_MS before its end by one of the threads that ask, while the others go on with
 * what they have; so do all when that fails, as long as it is valid.
 *
 * Secrets are never logged and never in a `why`; the words name the place. Memory: some 10 KiB. Threads: any. Fails:
 * RC_DENIED (none found, or a place is configured and wrong), RC_BUSY (a service that gives them does not answer). */
#ifndef SLUICE_S3_CREDENTIALS_H
#define SLUICE_S3_CREDENTIALS_H

#include "clock.h"
#include "s3_http.h"

enum {
    S3_KEY_ROOM = 256,
    S3_TOKEN_ROOM = 8192,
    S3_REFRESH_MS = 5 * 60 * 1000, /* as much as services promise that credentials they give are still good for */
};

struct s3_credentials_settings {
    const char *access, *secret, *token;  /* NULL: from elsewhere */
    const char *profile, *file;           /* NULL: as above */
    const char *region;                   /* of STS */
    const char *(*env)(const char *name); /* NULL: getenv */
    const char *sts_url, *instance_url;   /* NULL: AWS_ENDPOINT_URL_STS or AWS's; the usual address */
    struct clock clock;
};

struct s3_keys {
    char access[S3_KEY_ROOM], secret[S3_KEY_ROOM], token[S3_TOKEN_ROOM]; /* token: "" when there is none */
    int64_t ends_ns;                                                     /* INT64_MAX: never */
};

struct s3_credentials;
/* Copies the settings' texts; `http` outlives it. Looks for nothing yet. */
struct s3_credentials *s3_credentials_new(const struct s3_credentials_settings *settings, struct s3_http *http);
/* NULL is fine. */
void s3_credentials_free(struct s3_credentials *credentials);
RC s3_credentials_get(struct s3_credentials *credentials, struct s3_keys *out, struct why *why);
/* The server says that they are not valid any more: the next get fetches or reads them anew. */
void s3_credentials_expired(struct s3_credentials *credentials);
/* Where they come from, for messages: "the environment (AWS_ACCESS_KEY_ID)". */
const char *s3_credentials_source(struct s3_credentials *credentials);

#endif
