/* SPDX-License-Identifier: Apache-2.0 */
/* s3_credentials_private: what the files of s3_credentials share. A loader gives RC_ABSENT when its place is not
 * configured, so that the next one is asked; any other failure is the answer. */
#ifndef SLUICE_S3_CREDENTIALS_PRIVATE_H
#define SLUICE_S3_CREDENTIALS_PRIVATE_H

#include "s3_credentials.h"

#include <pthread.h>

typedef enum rc (*s3_loader)(struct s3_credentials *c, struct s3_keys *out, struct why *why);

struct s3_credentials {
    struct s3_credentials_settings settings; /* its texts are ours */
    struct s3_http *http;
    pthread_mutex_t lock;
    pthread_cond_t loaded;
    /* ---- under the lock ---- */
    struct s3_keys keys;
    bool have, loading;
    int source;       /* index into the table of sources; -1: none yet */
    int64_t retry_ns; /* a refresh failed: not before this again */
};

/* NULL when it is not set, or empty. */
const char *credentials_env(const struct s3_credentials *c, const char *name);
/* RC_DENIED over the room. */
RC credentials_copy(struct str from, char *out, size_t room, const char *what, struct why *why);
/* str_trim() and line ends: what an editor leaves in a file. */
struct str credentials_trim(struct str text);
/* Reads a file of at most 64 KiB. RC_ABSENT: there is none. */
RC credentials_read_file(const char *path, struct buf *out, struct why *why);

/* ---- s3_credentials_file.c ---- */
enum rc load_settings(struct s3_credentials *c, struct s3_keys *out, struct why *why);
enum rc load_environment(struct s3_credentials *c, struct s3_keys *out, struct why *why);
enum rc load_file(struct s3_credentials *c, struct s3_keys *out, struct why *why);

/* ---- s3_credentials_web.c ---- */
enum rc load_web_identity(struct s3_credentials *c, struct s3_keys *out, struct why *why);
enum rc load_container(struct s3_credentials *c, struct s3_keys *out, struct why *why);
enum rc load_instance(struct s3_credentials *c, struct s3_keys *out, struct why *why);

#endif
