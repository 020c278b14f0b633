/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a bucket keeps the store's contract, on two servers that have nothing in common but the protocol, with the
 * bucket in the path and in the name of the host. */
#include "store_contract.h"

#include "alloc.h"
#include "num.h"
#include "s3_bed.h"

#include <stdlib.h>

static void *begin(const char *server, enum s3_style style) {
    struct s3_bed *bed = ALLOC(struct s3_bed);
    s3_bed_begin(server, style, bed);
    return bed;
}

static void *versitygw_begin(void) { return begin("SLUICE_TEST_VERSITYGW", S3_STYLE_AUTO); }
static void *minio_begin(void) { return begin("SLUICE_TEST_MINIO", S3_STYLE_AUTO); }
static void *versitygw_host_begin(void) { return begin("SLUICE_TEST_VERSITYGW_HOST", S3_STYLE_HOST); }
static void *minio_host_begin(void) { return begin("SLUICE_TEST_MINIO_HOST", S3_STYLE_HOST); }
static struct store open_bed(void *context) { return s3_bed_open(context); }

static void end_bed(void *context) {
    s3_bed_end(context);
    free(context);
}

int main(void) {
    static const struct store_world worlds[] = {
        {.name = "store_s3 on versitygw",
         .begin = versitygw_begin,
         .open = open_bed,
         .end = end_bed,
         .takes_directories = true,
         .text_keys = true,
         .upload_keys = true,
         .upload_begins = STORE_S3_PART_MIN},
        {.name = "store_s3 on MinIO",
         .begin = minio_begin,
         .open = open_bed,
         .end = end_bed,
         .takes_directories = true,
         .text_keys = true,
         .upload_keys = true,
         .uploads_by_key = true,
         .upload_begins = STORE_S3_PART_MIN},
        {.name = "store_s3 on versitygw, host style",
         .begin = versitygw_host_begin,
         .open = open_bed,
         .end = end_bed,
         .takes_directories = true,
         .text_keys = true,
         .upload_keys = true,
         .upload_begins = STORE_S3_PART_MIN},
        {.name = "store_s3 on MinIO, host style",
         .begin = minio_host_begin,
         .open = open_bed,
         .end = end_bed,
         .takes_directories = true,
         .text_keys = true,
         .upload_keys = true,
         .uploads_by_key = true,
         .upload_begins = STORE_S3_PART_MIN},
    };
    int failures = 0;
    for (size_t i = 0; i < COUNT_OF(worlds); i++) failures += store_contract_run(&worlds[i]);
    return failures != 0;
}
