/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ranges: blocks in a ring for who reads on and on, single ranges for who looks here and there. */
#include "source_s3_private.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LARGE_READ = 64 * 1024, AHEAD = 2 };

static uint64_t block_bytes(const struct source_file *file, uint64_t number) {
    uint64_t from = number * S3_BLOCK;
    return from < file->stat.size ? MIN((uint64_t)S3_BLOCK, file->stat.size - from) : 0;
}

/* [from, from + len) of the object as it was when it was identified, on its way into `out`. */
static RC ask(struct source_s3 *s3, const struct source_file *file, struct s3_block *b, uint64_t from, uint64_t len,
              struct why *why) {
    buf_reset(&b->bytes);
    b->call = S3_CALL("GET", str_of(file->key));
    (void)snprintf(b->range, sizeof b->range, "bytes=%" PRIu64 "-%" PRIu64, from, from + len - 1);
    b->call.into = &b->bytes;
    b->call.skip = from;
    b->call.want = b->call.expect_bytes = len;
    b->call.extra[0] = (struct s3_header){STR("if-match"), str_of(file->etag)};
    b->call.extra[1] = (struct s3_header){STR("range"), str_of(b->range)};
    b->call.extra_len = 2;
    enum rc rc = s3_call_start(&s3->bucket, &b->call, why);
    if (rc == RC_OK)
        b->state = S3_BLOCK_BUSY;
    else
        s3_call_done(&b->call);
    return rc;
}

/* A server may ignore the condition, or the range. */
static RC check(const struct source_s3 *s3, const struct source_file *file, const struct s3_block *b, uint64_t from,
                uint64_t len, struct why *why) {
    const struct s3_reply *reply = &b->call.exchange.reply;
    struct source_stat now = {0};
    TRY(s3_identify(s3, str_of(file->key), str_of(reply->etag), &now, why));
    if (!source_same(&now, &file->stat)) return s3_replaced(s3, file->key, why);
    bool elsewhere = reply->status == 206 && reply->range_from != from;
    if (!elsewhere && b->bytes.len == len) return RC_OK;
    return why_set(why, RC_BROKEN, "%s%s: asked for %" PRIu64 " bytes from %" PRIu64 ", given %zu from %" PRIu64,
                   s3->prefix, file->key, len, from, b->bytes.len, reply->status == 206 ? reply->range_from : from);
}

/* Waits for what ask() began. */
static RC await(struct source_s3 *s3, const struct source_file *file, struct s3_block *b, uint64_t from, uint64_t len,
                struct why *why) {
    enum rc rc = s3_call_end(&s3->bucket, &b->call, why);
    if (rc == RC_OK) rc = check(s3, file, b, from, len, why);
    if (rc == RC_STALE) rc = s3_replaced(s3, file->key, why);
    s3_call_done(&b->call);
    b->state = rc == RC_OK ? S3_BLOCK_FULL : S3_BLOCK_FREE;
    return rc;
}

static void drop(struct source_s3 *s3, struct s3_block *b) {
    if (b->state == S3_BLOCK_BUSY) {
        s3_call_cancel(&s3->bucket, &b->call);
        s3_call_done(&b->call);
    }
    b->state = S3_BLOCK_FREE;
}

void s3_ring_free(struct source_s3 *s3, struct source_file *file) {
    for (size_t i = 0; i < S3_RING; i++) {
        struct s3_block *b = file->ring[i];
        if (!b) continue;
        drop(s3, b);
        buf_done(&b->bytes);
        free(b);
        file->ring[i] = NULL;
    }
}

static struct s3_block *find(const struct source_file *file, uint64_t number) {
    for (size_t i = 0; i < S3_RING; i++) {
        struct s3_block *b = file->ring[i];
        if (b && b->state != S3_BLOCK_FREE && b->number == number) return b;
    }
    return NULL;
}

/* Is it of no use to who reads at `present`? The one before is: lines begin in one block and end in the next. */
static bool is_unneeded(const struct s3_block *b, uint64_t present) {
    return b->state == S3_BLOCK_FREE || b->number + 1 < present || b->number > present + AHEAD;
}

/* A place for a block, of `present` to present + AHEAD. There always is one: four are needed at most. */
static struct s3_block *place_for(struct source_s3 *s3, struct source_file *file, uint64_t present) {
    size_t i = 0;
    while (i < S3_RING - 1 && file->ring[i] && !is_unneeded(file->ring[i], present)) i++;
    if (!file->ring[i]) {
        file->ring[i] = ALLOC(struct s3_block);
        file->ring[i]->bytes = BUF_INIT(S3_BLOCK);
    }
    drop(s3, file->ring[i]);
    return file->ring[i];
}

static RC begin(struct source_s3 *s3, struct source_file *file, uint64_t number, uint64_t present, struct why *why) {
    uint64_t len = block_bytes(file, number);
    if (!len || find(file, number)) return RC_OK;
    struct s3_block *b = place_for(s3, file, present);
    b->number = number;
    return ask(s3, file, b, number * S3_BLOCK, len, why);
}

/* The block of `at`, whole; those behind it are on their way where blocks are read one after the other. */
static RC get_block(struct source_s3 *s3, struct source_file *file, uint64_t at, struct s3_block **out,
                    struct why *why) {
    uint64_t number = at / S3_BLOCK;
    if (number != file->block || !file->run) {
        file->run = file->run && number == file->block + 1 ? file->run + 1 : 1;
        file->block = number;
    }
    TRY(begin(s3, file, number, number, why));
    for (uint64_t k = 1; k <= AHEAD && k < file->run; k++)
        if (begin(s3, file, number + k, number, NULL) != RC_OK) break; /* whoever comes there will be told why */
    struct s3_block *b = find(file, number);
    if (b->state == S3_BLOCK_BUSY) TRY(await(s3, file, b, number * S3_BLOCK, block_bytes(file, number), why));
    *out = b;
    return RC_OK;
}

/* Just these bytes. */
static RC get_range(struct source_s3 *s3, const struct source_file *file, uint64_t from, char *out, size_t len,
                    struct why *why) {
    AUTO(own_free) struct s3_block *b = ALLOC(struct s3_block);
    b->bytes = BUF_INIT(len);
    enum rc rc = ask(s3, file, b, from, len, why);
    if (rc == RC_OK) rc = await(s3, file, b, from, len, why);
    if (rc == RC_OK) memcpy(out, b->bytes.at, len);
    buf_done(&b->bytes);
    return rc;
}

static bool goes_by_blocks(const struct source_file *file, uint64_t from, size_t len) {
    bool goes_on = file->next == from && from;
    return len >= LARGE_READ || goes_on || file->stat.size <= LARGE_READ || find(file, from / S3_BLOCK);
}

enum rc s3_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                struct why *why) {
    struct source_s3 *s3 = self;
    LOCKED(&file->lock);
    uint64_t size = file->stat.size;
    len = from < size ? (size_t)MIN((uint64_t)len, size - from) : 0;
    for (size_t done = 0; done < len;) {
        uint64_t at = from + done;
        if (!goes_by_blocks(file, at, len - done)) {
            TRY(get_range(s3, file, at, (char *)out + done, len - done, why));
            break;
        }
        struct s3_block *b = NULL;
        TRY(get_block(s3, file, at, &b, why));
        size_t in = (size_t)(at % S3_BLOCK), n = MIN(len - done, b->bytes.len - in);
        memcpy((char *)out + done, b->bytes.at + in, n);
        done += n;
        file->next = from + done;
    }
    *out_len = len;
    return RC_OK;
}
