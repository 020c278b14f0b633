/* SPDX-License-Identifier: Apache-2.0 */
/* s3_bed: buckets on the S3 servers that tests/lib/servers.py started, each test's its own. A server that is not there
 * ends the test. */
#ifndef SLUICE_S3_BED_H
#define SLUICE_S3_BED_H

#include "store_s3.h"

enum { S3_BED_TEXT = 256 };

struct s3_bed {
    const char *endpoint; /* of the server itself */
    enum s3_style style;
    char url[S3_BED_TEXT];
};

/* The environment's variable, which has to be set. */
const char *s3_bed_env(const char *name);
/* What opens a store in the bed's bucket with the smallest parts; the caller may change it. */
struct store_s3_settings s3_bed_settings(const struct s3_bed *bed);
/* A new bucket; `server` is the variable that names the server: "SLUICE_TEST_MINIO", with
 * _HOST behind it for S3_STYLE_HOST. */
void s3_bed_begin(const char *server, enum s3_style style, struct s3_bed *out);
struct store s3_bed_open(const struct s3_bed *bed);
/* Removes all that is in the bucket. */
void s3_bed_clear(const struct s3_bed *bed);
/* And the bucket. */
void s3_bed_end(struct s3_bed *bed);

#endif
