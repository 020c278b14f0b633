/* SPDX-License-Identifier: Apache-2.0 */
/* source_s3_private: what the files of the S3 adapter share. */
#ifndef SLUICE_SOURCE_S3_PRIVATE_H
#define SLUICE_SOURCE_S3_PRIVATE_H

#include "s3_call.h"
#include "source_s3.h"

#include <pthread.h>

enum {
    S3_BLOCK = 2 << 20, /* what one request reads: some ten times what travels during a round trip */
    S3_RING = 4,        /* blocks of an open file: the one before, the present one, two ahead */
    S3_ETAG_ROOM = 160,
    S3_RANGE_ROOM = 64,
};

struct source_s3 {
    struct s3_bucket bucket;
    char *prefix; /* "s3://bucket/" */
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool wake;
};

/* One range on its way, or here. */
struct s3_block {
    enum { S3_BLOCK_FREE, S3_BLOCK_BUSY, S3_BLOCK_FULL } state;
    uint64_t number; /* offset / S3_BLOCK */
    struct s3_call call;
    struct buf bytes;
    char range[S3_RANGE_ROOM];
};

struct source_file {
    char key[S3_OBJECT_KEY_MAX + 1];
    char etag[S3_ETAG_ROOM]; /* with its quotes */
    char version[256];       /* "": none */
    struct source_stat stat;
    pthread_mutex_t lock;
    struct s3_block *ring[S3_RING]; /* NULL: never needed */
    uint64_t next;                  /* where the last read ended */
    uint64_t block;                 /* of the last read from the ring */
    unsigned run;                   /* blocks read one after the other */
};

/* ---- source_s3.c ---- */
/* The file's facts of bucket, key and ETag; RC_BROKEN for an ETag that is none, or weak. */
RC s3_identify(const struct source_s3 *s3, struct str key, struct str etag, struct source_stat *out, struct why *why);
/* The key that a URI names; RC_BAD where it is none of this bucket. */
RC s3_key_of(const struct source_s3 *s3, struct str uri, char out[S3_OBJECT_KEY_MAX + 1], struct why *why);
/* HEAD: fills key, etag, version and stat in. RC_STALE where it is not `expected` (NULL: any). */
RC s3_look(struct source_s3 *s3, struct str uri, const struct source_stat *expected, struct source_file *out,
           struct why *why);
enum rc s3_replaced(const struct source_s3 *s3, const char *key, struct why *why);

/* ---- source_s3_read.c ---- */
enum rc s3_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                struct why *why);
/* Ends what is under way. */
void s3_ring_free(struct source_s3 *s3, struct source_file *file);

/* ---- source_s3_list.c ---- */
enum rc s3_source_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                       void *context, struct why *why);
enum rc s3_source_watch(void *self, const struct source_pattern *pattern, struct why *why);

/* ---- source_s3_after.c ---- */
enum rc s3_source_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why);
enum rc s3_source_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                       struct why *why);
enum rc s3_source_mark(void *self, struct str uri, const struct source_stat *expected, struct str key, struct str value,
                       struct why *why);

#endif
