/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3_private: what the files of the S3 adapter share. Threads: the store's fields never change after opening. */
#ifndef SLUICE_STORE_S3_PRIVATE_H
#define SLUICE_STORE_S3_PRIVATE_H

#include "s3_list.h"
#include "store_s3.h"

enum {
    S3_PARTS_MAX = 10000,
    S3_PARTS_STEP = 2500, /* then parts are twice as large, so that the largest objects fit */
};

struct store_s3 {
    struct s3_bucket bucket;
    char *prefix; /* without a slash at its end; "": the whole bucket */
    uint64_t part_bytes;
    unsigned parallel;
    size_t parts_max, parts_step; /* S3_PARTS_MAX, S3_PARTS_STEP, but for tests */
};

static inline RC s3_store_call(struct store_s3 *s3, struct s3_call *call, struct why *why) {
    return s3_call(&s3->bucket, call, why);
}

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
