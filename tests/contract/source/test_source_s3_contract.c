/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a bucket keeps the source's contract for objects, on two servers that have nothing in common but the
 * protocol. */
#include "source_contract.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "s3_bed.h"
#include "source_s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bed's bucket, and a store to do with it what others do. */
struct bucket {
    struct s3_bed bed;
    struct store store;
    char root[S3_BED_TEXT + 8];
};

enum { OBJECT_MAX = 16 << 20 };

static void *begin(const char *server) {
    struct bucket *bucket = ALLOC(struct bucket);
    s3_bed_begin(server, S3_STYLE_AUTO, &bucket->bed);
    bucket->store = s3_bed_open(&bucket->bed);
    (void)snprintf(bucket->root, sizeof bucket->root, "%s/top", bucket->bed.url);
    return bucket;
}

static void *versitygw_begin(void) { return begin("SLUICE_TEST_VERSITYGW"); }
static void *minio_begin(void) { return begin("SLUICE_TEST_MINIO"); }

static struct source open_bed(void *context) {
    struct bucket *bucket = context;
    struct store_s3_settings settings = s3_bed_settings(&bucket->bed);
    struct source source = {0};
    MUST(source_s3_open(&settings.s3, str_of(bucket->bed.url + strlen("s3://")), &source, NULL) == RC_OK);
    return source;
}

static const char *root(void *context) { return ((struct bucket *)context)->root; }

static void end(void *context) {
    struct bucket *bucket = context;
    store_free(bucket->store);
    s3_bed_end(&bucket->bed);
    free(bucket);
}

static struct str key_of(const struct bucket *bucket, const char *path) {
    size_t before = strlen(bucket->bed.url) + 1;
    MUST(strncmp(path, bucket->bed.url, before - 1) == 0);
    return str_of(path + before);
}

static void put(void *context, const char *path, struct str bytes) {
    struct bucket *bucket = context;
    MUST(store_put(bucket->store, key_of(bucket, path), bytes, NULL) == RC_OK);
}

static void unlink_it(void *context, const char *path) {
    struct bucket *bucket = context;
    MUST(store_remove(bucket->store, key_of(bucket, path), NULL) == RC_OK);
}

static bool exists(void *context, const char *path) {
    struct bucket *bucket = context;
    uint64_t bytes = 0;
    return store_size(bucket->store, key_of(bucket, path), &bytes, NULL) == RC_OK;
}

int main(void) {
    struct source_world world = {.open = open_bed,
                                 .root = root,
                                 .end = end,
                                 .write = put,
                                 .unlink = unlink_it,
                                 .exists = exists,
                                 .objects = true};
    int failures = 0;
    world.name = "source_s3 on versitygw";
    world.begin = versitygw_begin;
    failures += source_contract_run(&world);
    world.name = "source_s3 on MinIO";
    world.begin = minio_begin;
    failures += source_contract_run(&world);
    return failures != 0;
}
