/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a store in a bucket. */
#include "store_s3_private.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <stdlib.h>

enum { PARALLEL_MAX = 64 };

static RC read_url(const char *url, struct str *out_bucket, struct str *out_prefix, struct why *why) {
    struct str rest = str_of(url);
    if (!url || !str_starts(rest, STR("s3://")))
        return why_set(why, RC_BAD, "'%s' is no s3://bucket/prefix", url ? url : "");
    rest = str_sub(rest, 5, rest.len);
    (void)str_cut(&rest, '/', out_bucket);
    while (rest.len && rest.at[rest.len - 1] == '/') rest.len--;
    if (rest.len) {
        enum rc rc = store_key_check(rest, why);
        if (rc != RC_OK) return why_wrap(why, RC_BAD, "'%s'", url);
    }
    *out_prefix = rest;
    return RC_OK;
}

static RC read_numbers(const struct store_s3_settings *s, struct store_s3 *out, struct why *why) {
    out->part_bytes = s->part_bytes ? s->part_bytes : STORE_S3_PART_DEFAULT;
    out->parallel = s->parts_parallel ? s->parts_parallel : STORE_S3_PARALLEL_DEFAULT;
    out->parts_max = S3_PARTS_MAX;
    out->parts_step = S3_PARTS_STEP;
    if (out->part_bytes < STORE_S3_PART_MIN || out->part_bytes > STORE_S3_PART_MAX)
        return why_set(why, RC_BAD, "parts of %llu bytes: allowed are 5 MiB to 1 GiB",
                       (unsigned long long)out->part_bytes);
    if (out->parallel > PARALLEL_MAX)
        return why_set(why, RC_BAD, "%u parts at a time: allowed are at most 64", out->parallel);
    return RC_OK;
}

RC s3_read_settings(const struct store_s3_settings *settings, struct store_s3 *out, struct why *why) {
    struct str bucket = {0}, prefix = {0};
    TRY(read_url(settings->url, &bucket, &prefix, why));
    TRY(read_numbers(settings, out, why));
    out->prefix = alloc_text(prefix.at, prefix.len);
    return s3_bucket_open(&settings->s3, bucket, &out->bucket, why);
}

void s3_settings_done(struct store_s3 *s3) {
    s3_bucket_done(&s3->bucket);
    free(s3->prefix);
}
