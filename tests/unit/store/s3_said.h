/* SPDX-License-Identifier: Apache-2.0 */
/* s3_said: a store on a server that says what a test makes it say; with a clock that stands still, so that waits cost
 * nothing and can be read. */
#ifndef SLUICE_S3_SAID_H
#define SLUICE_S3_SAID_H

#include "clock_fake.h"
#include "fake_http.h"
#include "store_s3.h"

#include <stdatomic.h>

#define SECRET "s3cr3t-that-nobody-may-read"

struct s3_answer {
    int status; /* 0: none, the connection is closed */
    const char *fields, *body;
};

struct s3_said {
    struct s3_answer first; /* to every request */
    struct s3_answer later; /* from the second on, when its status is set */
    atomic_int requests;
    struct clock_fake clock;
    struct fake_http *http;
    struct store store;
};

/* A fake_answer: what a struct s3_said, its context, holds. */
void s3_say(void *context, const struct fake_request *request, struct buf *out);
/* An environment without anything. */
const char *s3_said_no_env(const char *name);
/* s3://the-bucket/pre/fix with three tries. */
void s3_said_begin(struct s3_said *said, fake_answer answer, void *context);
void s3_said_end(struct s3_said *said);

#endif
